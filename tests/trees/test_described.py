"""An index from a description against the one from the live module: every view but the values."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from torch import nn

from app.errors import CannotDo, TargetNotFound, TooLarge
from app.trees import views
from app.trees.code import python_of
from app.trees.describe import describe
from app.trees.description import Description, Kind, ModuleClass, TensorTable
from app.trees.index import TreeIndex
from app.trees.receipts import receipt
from app.trees.rows import BufferRow, ParameterRow
from app.trees.skeleton import skeleton
from app.trees.snapshot import take
from app.trees.state_dict import state_dict, to_safetensors
from app.trees.summary import SummaryFormat, summarise, write
from app.trees.texts import repr_of
from tests.models import ZOO, Holder, chain_of, holding
from tests.trees.strategies import modules

in_the_zoo = pytest.mark.parametrize("make", ZOO.values(), ids=ZOO)


def described(module: nn.Module) -> TreeIndex:
    return TreeIndex.from_description(describe(module, max_modules=10_000, max_depth=10_000))


def check(module: nn.Module) -> None:
    """Every view of both indexes is the same at every row."""
    live, known = TreeIndex.of(module), described(module)
    assert not known.is_live
    assert with_class_names(skeleton(known, 1)) == with_class_names(skeleton(live, 1))
    assert known.depth == live.depth
    for row in range(len(live)):
        target = live.path(row)
        assert known.row(target) == row
        for list_of in (views.named_modules, views.named_children):
            assert msgspec.json.encode(list_of(known, target).items) == msgspec.json.encode(list_of(live, target).items)
        for known_tensors, live_tensors in (
            (views.named_parameters(known, target).items, views.named_parameters(live, target).items),
            (views.named_buffers(known, target).items, views.named_buffers(live, target).items),
        ):
            assert list(map(without_values, known_tensors)) == list(map(without_values, live_tensors))
        assert receipt(known, row) == receipt(live, row)
        assert [(one.name, one.kind.shape) for one in state_dict(known, row)] == [
            (one.name, one.kind.shape) for one in state_dict(live, row)
        ]
        for form in SummaryFormat:
            assert write(summarise(known, row), form) == write(summarise(live, row), form)


def with_class_names(skeleton: bytes) -> dict[str, object]:
    # Two classes of one name in one Python module are one for a description.
    columns = msgspec.json.decode(skeleton)
    names = columns.pop("classes")
    return {**columns, "class": [names[number] for number in columns["class"]]}


def without_values(row: ParameterRow | BufferRow) -> dict[str, object]:
    fields = msgspec.structs.asdict(row)
    return {key: value for key, value in fields.items() if key not in ("values", "nonfinite")}


@in_the_zoo
def test_every_view_of_an_odd_module_is_the_same_without_it(make: Callable[[], nn.Module]) -> None:
    module = make()
    if any(type(one).__repr__ is not nn.Module.__repr__ for one in module.modules()):
        # What prints itself in its own way says there what a described one says in `extra_repr`, and so in the shape.
        assert len(described(module)) == len(TreeIndex.of(module))
    else:
        check(module)


@given(modules())
def test_every_view_of_any_tree_is_the_same_without_it(module: nn.Module) -> None:
    check(module)


@in_the_zoo
def test_a_described_module_prints_as_torch_does(make: Callable[[], nn.Module]) -> None:
    module = make()
    is_own = any(type(one).__repr__ is not nn.Module.__repr__ for one in module.modules())
    if is_own:
        assert repr_of(described(module)).startswith(type(module).__name__)
    else:
        assert repr_of(described(module)) == repr(module)


def test_children_that_are_none_are_printed_last_where_it_is_not_known_where_they_stand() -> None:
    description = describe(holding(first=None, linear=nn.ReLU(), last=None), max_modules=9, max_depth=9)
    description.none_places.clear()
    index = TreeIndex.from_description(description)
    assert repr_of(index) == "Holder(\n  (linear): ReLU()\n  (first): None\n  (last): None\n)"


def test_a_chain_too_deep_for_torch_prints() -> None:
    assert repr_of(described(chain_of(2_000))) == repr_of(TreeIndex.of(chain_of(2_000)))


def test_a_missing_target_has_the_message_of_torch() -> None:
    module = nn.Sequential(nn.Linear(2, 2))
    known = described(module)
    for target in ("1", "0.weight", "0.nothing", "0.weight.deeper"):
        with pytest.raises(AttributeError) as torchs:
            module.get_submodule(target)
        with pytest.raises(TargetNotFound) as ours:
            known.row(target)
        assert ours.value.detail == str(torchs.value)
    with pytest.raises(TargetNotFound, match=r"`0` is not an nn\.Parameter"):
        known.parameter("0")


def test_what_needs_values_or_modules_says_so() -> None:
    known = described(nn.Linear(2, 2))
    with pytest.raises(CannotDo, match="Only a tree of LinearModels"):
        python_of(known)
    with pytest.raises(CannotDo, match="structure only"):
        to_safetensors(known)
    with pytest.raises(CannotDo, match="structure"):
        take(known)


def tree_of(num_tensors: int, shape: tuple[int, ...], dtype: str = "float32") -> Description:
    entries = list(range(num_tensors))
    return Description(
        parent=[-1],
        name=[""],
        same=[0],
        class_id=[0],
        classes=[ModuleClass("", "")],
        extra_repr={},
        training=b"\1",
        none_children={},
        kinds=[Kind(shape, dtype, "file")],
        parameters=TensorTable(
            [0] * num_tensors, [f"p{n}" for n in entries], [0] * num_tensors, b"\1" * num_tensors, entries
        ),
        buffers=TensorTable([], [], [], b"", []),
    )


def test_totals_beyond_64_bits_are_refused_and_not_wrong() -> None:
    assert TreeIndex.from_description(tree_of(4, (2**56,))).totals.num_parameters[0] == 2**58
    with pytest.raises(TooLarge, match="elements") as error:
        TreeIndex.from_description(tree_of(3, (2**61,)))
    assert error.value.limit == 2**62
    with pytest.raises(TooLarge, match="bytes"):
        TreeIndex.from_description(tree_of(1, (2**61,)))


def test_an_unknown_class_is_said_to_be_unknown() -> None:
    known = TreeIndex.from_description(tree_of(1, (2, 2)))
    row = views.get_submodule(known, "")
    assert (row.class_name, row.class_status) == ("", "unknown")
    assert repr_of(known) == "?()"
    live = views.get_submodule(TreeIndex.of(Holder()), "")
    assert b"class_status" not in msgspec.json.encode(live)


def test_half_a_byte_an_element_rounds_up() -> None:
    assert TreeIndex.from_description(tree_of(1, (3,), "float4_e2m1fn")).totals.num_bytes[0] == 2
