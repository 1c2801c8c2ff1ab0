"""Values as nested numbers, and statistics, against numpy and torch in double precision."""

import json
import math

import msgspec
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from app.trees import views
from app.trees.index import TreeIndex
from app.trees.rows import TensorStats
from app.trees.tensor_values import nonfinite_of, stats_of, values_of
from app.trees.views import MAX_STATS
from tests.models import ZOO, Holder, Maker, not_finite
from tests.trees.strategies import tensors

FLOATS = st.floats(width=32) | st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, 1e38, 1e-45])


def stats(tensor: Tensor) -> TensorStats:
    found = stats_of(tensor)
    assert found is not None
    return found


@settings(max_examples=150)
@given(st.lists(FLOATS, max_size=30))
def test_statistics_are_of_the_finite_values(numbers: list[float]) -> None:
    tensor = torch.tensor(numbers, dtype=torch.float32)
    double = tensor.double()
    finite = double[double.isfinite()]
    found = stats(tensor)
    assert (found.nans, found.infs) == (int(double.isnan().sum()), int(double.isinf().sum()))
    assert found.zeros == int((finite == 0).sum())
    if not len(finite):
        assert (found.min, found.max, found.mean, found.l2, found.histogram) == (None,) * 5
        return
    assert (found.min, found.max) == (finite.min().item(), finite.max().item())
    assert found.mean == pytest.approx(finite.mean().item(), rel=1e-9, abs=1e-30)
    assert found.l2 == pytest.approx(finite.norm().item(), rel=1e-9)
    assert found.std == (None if len(finite) < 2 else pytest.approx(finite.std().item(), rel=1e-6, abs=1e-30))
    assert found.histogram is not None
    assert sum(found.histogram.counts) == len(finite)
    assert len(found.histogram.edges) == len(found.histogram.counts) + 1 == 65
    assert sorted(found.histogram.edges) == found.histogram.edges


@settings(max_examples=60)
@given(tensors())
def test_statistics_of_any_dtype_and_shape_are_json(tensor: Tensor) -> None:
    found = stats_of(tensor)
    assert found is not None
    assert json.loads(msgspec.json.encode(found), parse_constant=pytest.fail)


def test_numbers_at_the_edge_of_float64_are_answered() -> None:
    found = stats(torch.tensor([1.7e308, -1.7e308, 1.7e308], dtype=torch.float64))
    assert (found.min, found.max, found.histogram) == (-1.7e308, 1.7e308, None)
    assert found.mean == pytest.approx(1.7e308 / 3)
    assert found.l2 is None
    assert found.std is None
    assert stats(torch.tensor([1.7976931348623157e308], dtype=torch.float64)).histogram is None
    tiny = stats(torch.tensor([5e-324, 1e-323], dtype=torch.float64))
    assert tiny.histogram is not None
    assert sum(tiny.histogram.counts) == 2


def test_statistics_of_complex_numbers_are_of_their_absolute_values() -> None:
    assert stats(torch.tensor([3 + 4j, 0j])).max == 5


@pytest.mark.parametrize("make", ZOO.values(), ids=ZOO)
def test_the_zoo_is_answered_with_statistics_as_json(make: Maker) -> None:
    index = TreeIndex.of(make())
    for page in (views.named_parameters(index, stats=True), views.named_buffers(index, stats=True)):
        rows = json.loads(msgspec.json.encode(page.items), parse_constant=pytest.fail)
        for row in rows:
            assert row["values"] is None or row["stats"] is not None
            assert (row["device"] == "cpu" and row["shape"] is not None) or row["stats"] is None


@pytest.mark.parametrize("numbers", [[1e38], [1e38, 1e38], [3.4e38], [-3e38, -3e38], [0.0], [1.0, 1.0000001], [1e-45]])
def test_values_that_lie_close_have_a_histogram_too(numbers: list[float]) -> None:
    histogram = stats(torch.tensor(numbers)).histogram
    assert histogram is not None
    assert sum(histogram.counts) == len(numbers)
    assert len(set(histogram.edges)) == 65


def test_a_page_with_statistics_is_a_short_one() -> None:
    module = Holder()
    for number in range(MAX_STATS + 5):
        module.register_buffer(str(number), torch.zeros(1))
    page = views.named_buffers(TreeIndex.of(module), stats=True, limit=100_000)
    assert (len(page.items), page.next, page.total) == (MAX_STATS, MAX_STATS, MAX_STATS + 5)


def test_what_is_not_finite_is_null_with_its_kind_beside_it() -> None:
    row = views.get_parameter(TreeIndex.of(not_finite()), "weight")
    said = json.loads(msgspec.json.encode(row), parse_constant=pytest.fail)
    assert said["values"] == [[None, None], [None, 1.0]]
    assert said["nonfinite"] == [["nan", "inf"], ["-inf", None]]
    assert "nonfinite" not in json.loads(msgspec.json.encode(views.get_buffer(TreeIndex.of(not_finite()), "huge")))


@settings(max_examples=80)
@given(st.lists(tensors(), min_size=1, max_size=4))
def test_values_are_tolist_up_to_64_elements(many: list[Tensor]) -> None:
    for tensor, values in zip(many, values_of(many), strict=True):
        plain = torch.view_as_real(tensor) if tensor.is_complex() else tensor
        assert values == (plain.tolist() if tensor.numel() <= 64 else None)
        assert nonfinite_of(values) is None


def test_many_lone_numbers_are_read_at_once_in_order() -> None:
    for dtype in (torch.float32, torch.int64, torch.bfloat16, torch.bool, torch.complex64):
        many = [torch.tensor([number % 2], dtype=dtype) for number in range(5)]
        expected = [(torch.view_as_real(tensor) if dtype.is_complex else tensor).tolist() for tensor in many]
        assert values_of(many) == expected
