"""`describe` against the index of the same live module, and what is odd about some."""

import msgspec
import pytest
import torch
from hypothesis import given, settings
from torch import nn

from app.errors import CannotDo, TooLarge
from app.trees.describe import describe, kind_of
from app.trees.description import Description, Kind, TensorTable
from app.trees.index import TreeIndex
from tests.models import ZOO, Holder, Maker, chain_of, holding
from tests.trees.strategies import modules

in_the_zoo = pytest.mark.parametrize("make", ZOO.values(), ids=ZOO)


def described(module: nn.Module) -> Description:
    return describe(module, max_modules=1_000, max_depth=1_000)


def check(module: nn.Module) -> None:
    """Every column of the description against the index, what is the same being the same."""
    index, found = TreeIndex.of(module), described(module)
    assert found.parent == list(index.parent)
    assert found.name == index.name
    assert first_of(found.same) == index.first.tolist()
    classes = [found.classes[number] for number in found.class_id]
    assert [(cls.name, cls.module) for cls in classes] == [
        (type(m).__name__, type(m).__module__) for m in index.modules
    ]
    assert not any(cls.inferred for cls in classes)
    assert list(found.training) == [bool(flag) for flag in index.training]
    assert found.none_children == index.none_children
    assert found.none_places == index.none_places
    own = {row for row, m in enumerate(index.modules) if type(m).__repr__ is not nn.Module.__repr__}
    assert {row: text for row, text in found.extra_repr.items() if row not in own} == {
        row: text for row, text in index.extra_repr.items() if row not in own
    }
    for table, columns in ((found.parameters, index.parameters), (found.buffers, index.buffers)):
        assert table.owner == list(columns.owner)
        assert table.name == columns.name
        assert table.flag == bytes(columns.flag)
        assert first_of(table.same) == columns.first.tolist()
        kinds = [index.kinds.all[number] for number in columns.kind]
        assert [(kind.shape, kind.dtype) for kind in kinds_of(found, table)] == [
            (kind.shape, kind.dtype_name) for kind in kinds
        ]


def first_of(same: list[int]) -> list[int]:
    first: dict[int, int] = {}
    return [first.setdefault(number, place) for place, number in enumerate(same)]


def kinds_of(found: Description, table: TensorTable) -> list[Kind]:
    return [found.kinds[number] for number in table.kind]


@in_the_zoo
def test_a_description_says_what_the_index_says(make: Maker) -> None:
    check(make())


@settings(max_examples=60)
@given(modules())
def test_a_random_tree_is_described_as_the_index_has_it(module: nn.Module) -> None:
    check(module)


@in_the_zoo
def test_a_description_travels(make: Maker) -> None:
    found = described(make())
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=Description) == found


def test_tensors_are_shown_as_what_they_are() -> None:
    lazy = nn.LazyLinear(3)
    assert kind_of(lazy.weight) == Kind(None, "float32", "cpu", "strided")
    assert kind_of(torch.eye(3).to_sparse()) == Kind((3, 3), "float32", "cpu", "sparse_coo")
    assert kind_of(torch.empty(2, device="meta", dtype=torch.complex64)) == Kind((2,), "complex64", "meta", "strided")


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_a_quantised_tensor_has_its_own_dtype() -> None:
    quantised = torch.quantize_per_tensor(torch.ones(2, 3), 0.1, 0, torch.qint8)
    assert kind_of(quantised) == Kind((2, 3), "qint8", "cpu", "strided")


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors is in prototype stage")
def test_a_nested_tensor_has_no_shape() -> None:
    nested = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])
    module = Holder()
    module.register_buffer("ragged", nested)
    found = described(module)
    assert kinds_of(found, found.buffers)[0].shape is None


class Broken(nn.Module):
    def extra_repr(self) -> str:
        raise ZeroDivisionError("no text today")


class Talkative(nn.Module):
    def extra_repr(self) -> str:
        return "x" * 1_000_000


class PrintsItself(nn.Module):
    def __repr__(self) -> str:
        return "PrintsItself(nf=3)"


def test_a_broken_extra_repr_is_a_line_of_its_own() -> None:
    found = described(holding(good=nn.Linear(1, 2), bad=Broken(), long=Talkative(), own=PrintsItself()))
    assert found.extra_repr[1] == "in_features=1, out_features=2, bias=True"
    assert found.extra_repr[2] == "(extra_repr raised ZeroDivisionError: no text today)"
    assert len(found.extra_repr[3]) == 10_000
    assert found.extra_repr[4] == "nf=3"


def test_half_a_surrogate_pair_in_a_name_is_spelled_out() -> None:
    found = described(holding(**{"a\ud800": nn.ReLU()}))
    assert found.name[1] == "a\\ud800"
    assert msgspec.msgpack.encode(found)


def test_a_module_that_contains_itself_is_refused_with_its_path() -> None:
    module = holding(a=holding(b=Holder()))
    module.get_submodule("a.b").c = module.get_submodule("a")
    with pytest.raises(CannotDo, match=r"Holder at 'a.b.c' contains itself"):
        describe(module, max_modules=100, max_depth=100)
    with pytest.raises(CannotDo, match="contains itself"):
        describe(module, max_modules=5, max_depth=100)


def test_limits_are_kept_and_named() -> None:
    shared: nn.Module = nn.ReLU()
    for _ in range(40):
        shared = holding(a=shared, b=shared)
    with pytest.raises(TooLarge, match="more than 1,000 modules") as too_many:
        describe(shared, max_modules=1_000, max_depth=1_000)
    assert too_many.value.limit == 1_000
    with pytest.raises(TooLarge, match="more than 10 levels"):
        describe(chain_of(11), max_modules=1_000, max_depth=10)
    assert len(describe(chain_of(10), max_modules=11, max_depth=10).parent) == 11


def test_a_deep_chain_is_described_without_recursion() -> None:
    found = describe(chain_of(20_000), max_modules=30_000, max_depth=30_000)
    assert found.parent == list(range(-1, 20_000))


def test_a_tied_tensor_has_one_number() -> None:
    found = described(ZOO["tied_parameters"]())
    assert found.parameters.same == [0, 0]
    assert isinstance(found.kinds[0].shape, tuple)
