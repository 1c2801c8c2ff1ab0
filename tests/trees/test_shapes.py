"""Shape ids against a slow description of each subtree, written out in full."""

import os
import subprocess
import sys
from itertools import combinations

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from app.trees.index import TreeIndex
from app.trees.linear import LinearModel
from tests.live import ROOT
from tests.models import ZOO, Holder, Maker, chain_of, holding
from tests.trees.strategies import modules


def described(module: nn.Module) -> tuple[object, ...]:
    """All that a shape is made of, spelled out recursively."""
    buffers = [(name, buffer) for name, buffer in module._buffers.items() if buffer is not None]
    return (
        type(module).__module__,
        type(module).__name__,
        module.extra_repr(),
        tuple((name, *kind(tensor)) for name, tensor in module._parameters.items() if tensor is not None),
        tuple((name, *kind(buffer), name in module._non_persistent_buffers_set) for name, buffer in buffers),
        tuple((name, described(child)) for name, child in module._modules.items() if child is not None),
        tuple(name for name, child in module._modules.items() if child is None),
    )


def kind(tensor: Tensor) -> tuple[object, torch.dtype]:
    return None if is_lazy(tensor) else tensor.shape, tensor.dtype


def shape_ids(module: nn.Module) -> list[str]:
    shapes = TreeIndex.of(module).shapes
    return [shapes.ids[number] for number in shapes.shape]


def check(*roots: nn.Module) -> None:
    places = [place for root in roots for _, place in root.named_modules(remove_duplicate=False)]
    ids = [shape_id for root in roots for shape_id in shape_ids(root)]
    by_id = dict(zip(ids, map(described, places), strict=True))
    assert [by_id[shape_id] for shape_id in ids] == list(map(described, places))
    assert len(set(by_id.values())) == len(by_id)


@settings(max_examples=60)
@given(modules(), modules())
def test_ids_are_equal_exactly_where_all_below_is_equal(left: nn.Module, right: nn.Module) -> None:
    check(left, right)


@pytest.mark.parametrize("make", ZOO.values(), ids=ZOO)
def test_ids_in_the_zoo_are_equal_exactly_where_all_below_is_equal(make: Maker) -> None:
    check(make(), make())


def test_no_two_of_the_zoo_have_the_same_id() -> None:
    ids = {name: shape_ids(make())[0] for name, make in ZOO.items()}
    assert [(left, right) for left, right in combinations(ids, 2) if ids[left] == ids[right]] == []


@settings(max_examples=40)
@given(modules())
def test_numbers_count_the_ids_in_order_of_appearance(module: nn.Module) -> None:
    shapes = TreeIndex.of(module).shapes
    assert list(dict.fromkeys(shapes.shape)) == list(range(len(shapes.ids)))
    assert len(set(shapes.ids)) == len(shapes.ids)
    assert all(len(shape_id) == 16 and int(shape_id, 16) >= 0 for shape_id in shapes.ids)


def with_buffers(*names: str, size: int = 1) -> nn.Module:
    module = Holder()
    for name in names:
        module.register_buffer(name, torch.zeros(size))
    return module


def test_modules_with_many_tensors_are_told_apart_by_any_of_them() -> None:
    names = [f"buffer{number}" for number in range(9)]
    model = Holder()
    model.same, model.same_again = with_buffers(*names), with_buffers(*names)
    for number in range(9):
        model.add_module(f"renamed{number}", with_buffers(*names[:number], "other", *names[number + 1 :]))
        model.add_module(f"shorter{number}", with_buffers(*names[:number]))
        model.add_module(f"rotated{number + 1}", with_buffers(*names[number + 1 :], *names[: number + 1]))
    model.wider = with_buffers(*names, size=2)
    check(model)
    ids = shape_ids(model)
    assert ids[1] == ids[2]
    assert len(set(ids[2:])) == len(ids) - 3


def test_values_gradients_and_modes_do_not_matter() -> None:
    model, other = LinearModel(), LinearModel()
    other.requires_grad_(False).eval()
    assert shape_ids(model) == shape_ids(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (holding(a=Holder()), holding(b=Holder())),
        (holding(a=Holder(), b=nn.ReLU()), holding(b=nn.ReLU(), a=Holder())),
        (holding(a=Holder()), holding(a=Holder(), b=None)),
        (nn.Linear(2, 3), nn.Linear(3, 2)),
        (nn.Linear(2, 3), nn.Linear(2, 3, bias=False)),
        (nn.Linear(2, 3), nn.Linear(2, 3, dtype=torch.float64)),
        (nn.Dropout(0.1), nn.Dropout(0.2)),
        (nn.ReLU(), Holder()),
    ],
)
def test_what_differs_in_the_description_differs_in_the_id(one: nn.Module, other: nn.Module) -> None:
    assert shape_ids(one)[0] != shape_ids(other)[0]


def test_a_buffer_that_is_persistent_is_another_shape_than_one_that_is_not() -> None:
    kept, fleeting = Holder(), Holder()
    kept.register_buffer("buffer", torch.zeros(1))
    fleeting.register_buffer("buffer", torch.zeros(1), persistent=False)
    assert shape_ids(kept) != shape_ids(fleeting)


def test_a_parameter_is_another_shape_than_a_buffer() -> None:
    module = Holder()
    module.register_parameter("buffer", nn.Parameter(torch.zeros(1)))
    assert shape_ids(module) != shape_ids(with_buffers("buffer"))


def test_a_chain_has_a_shape_a_level() -> None:
    shapes = TreeIndex.of(chain_of(3_000)).shapes
    assert len(shapes.ids) == 3_001


PRINTED = """
from app.trees.index import TreeIndex
from tests.models import ZOO
for make in ZOO.values():
    print(*TreeIndex.of(make()).shapes.ids)
"""


def test_ids_are_the_same_in_every_process() -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "1234"}
    command = [sys.executable, "-c", PRINTED]
    elsewhere = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert elsewhere.stdout.splitlines() == [" ".join(TreeIndex.of(make()).shapes.ids) for make in ZOO.values()]
