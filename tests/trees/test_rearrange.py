"""Moving, duplicating and editing in place, with torch's own dictionaries and `copy.deepcopy` to compare with."""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from app.errors import CannotDo, Invalid, ModuletreeError, NameRefused, TargetNotFound, TooLarge
from app.trees import rearrange
from app.trees.index import TreeIndex
from app.trees.limits import Limits
from app.trees.linear import LinearModel
from app.trees.sources import open_source
from app.trees.values import DTYPES
from tests.models import ODD_NAMES, nested_linear_models
from tests.trees.comparing import told
from tests.trees.strategies import linear_trees

LIMITS = Limits(max_modules=1_000, max_depth=100)
duplicate = partial(rearrange.duplicate, limits=LIMITS)


@pytest.fixture
def model() -> LinearModel:
    return nested_linear_models()


def spread(names: str = "abc") -> LinearModel:
    """A root with children of one letter each, the first of which has one called "in"."""
    children: dict[str, Any] = {name: {} for name in names}
    children[names[0]] = {"children": {"in": {}}}
    return open_source({"kind": "linear", "root": {"children": children}}, Limits())


def names_of(root: nn.Module, target: str = "") -> list[str]:
    return [name for name, _ in root.get_submodule(target).named_children()]


def refused(model: nn.Module, call: Callable[[], object], kind: type[ModuletreeError], match: str = ".") -> Any:
    before = told(model)
    with pytest.raises(kind, match=match) as refusal:
        call()
    assert told(model) == before
    return refusal.value


# Moving


def test_another_name_keeps_the_module_and_its_place() -> None:
    model = spread()
    module = model.get_submodule("b")
    rearrange.move(model, "b", "other")
    assert names_of(model) == ["a", "other", "c"]
    assert model.get_submodule("other") is module


@pytest.mark.parametrize(
    ("position", "order"), [(0, ["b", "a", "c"]), (1, ["a", "b", "c"]), (2, ["a", "c", "b"]), (None, ["a", "b", "c"])]
)
def test_a_position_is_a_place_among_the_siblings(position: int | None, order: list[str]) -> None:
    model = spread()
    rearrange.move(model, "b", "b", position)
    assert names_of(model) == order


def test_under_another_parent_it_comes_last_or_where_it_is_put() -> None:
    model = spread()
    rearrange.move(model, "c", "a.c")
    assert names_of(model, "a") == ["in", "c"]
    rearrange.move(model, "b", "a.first", 0)
    assert names_of(model, "a") == ["first", "in", "c"]
    rearrange.move(model, "a.in", "in", 0)
    assert names_of(model) == ["in", "a"]


def test_what_is_moved_is_the_same_tensors_in_the_same_modes(model: LinearModel) -> None:
    moved = model.get_submodule("sub1")
    moved.requires_grad_(False).eval()
    model(torch.ones(1)).backward()
    before = [*moved.parameters()], moved.training
    rearrange.move(model, "sub1.sub2_1", "sub2")
    rearrange.move(model, "sub1", "sub2.below")
    assert model.get_submodule("sub2.below") is moved
    assert [id(each) for each in moved.parameters()] == [id(each) for each in before[0][:2]]
    assert moved.training is before[1] is False
    assert [name for name, parameter in model.named_parameters() if parameter.grad is not None] == ["weight", "bias"]


def test_of_a_shared_module_only_the_place_that_is_named_moves() -> None:
    model = spread()
    model.add_module("again", model.get_submodule("b"))
    rearrange.move(model, "again", "c.again")
    assert names_of(model) == ["a", "b", "c"]
    assert model.get_submodule("c.again") is model.get_submodule("b")


@pytest.mark.parametrize("name", ["", "weight", "forward", "training", "_modules", "T_destination"])
def test_a_name_is_refused_in_torchs_words(model: LinearModel, name: str) -> None:
    with pytest.raises(KeyError) as torchs:
        LinearModel().add_module(name, None)
    for call in (rearrange.move, duplicate):
        error = refused(model, partial(call, model, "sub1", name), NameRefused)
        assert error.detail == torchs.value.args[0]


def test_a_name_that_is_taken_is_refused_though_torch_would_replace() -> None:
    model = spread()
    for call in (rearrange.move, duplicate):
        assert refused(model, partial(call, model, "b", "a"), NameRefused).detail == "attribute 'a' already exists"
    assert refused(model, partial(rearrange.move, model, "b", "a.in"), NameRefused).target == "a.in"
    refused(model, partial(duplicate, model, "b", "b"), NameRefused)


def test_the_root_and_the_inside_of_a_module_itself_are_no_places(model: LinearModel) -> None:
    refused(model, partial(rearrange.move, model, "", "new"), CannotDo, "The root has no place")
    refused(model, partial(duplicate, model, ""), CannotDo, "The root cannot be duplicated")
    for to in ("sub1.new", "sub1.sub2_1.new"):
        refused(model, partial(rearrange.move, model, "sub1", to), CannotDo, "cannot contain itself")
    assert duplicate(model, "sub1", "sub1.sub2_1.copy") == "sub1.sub2_1.copy"


@pytest.mark.parametrize("target", ["missing", "sub1.missing", "weight", "sub1."])
def test_a_target_or_a_parent_that_is_missing_is_refused_in_torchs_words(model: LinearModel, target: str) -> None:
    with pytest.raises(AttributeError) as torchs:
        model.get_submodule(target)
    calls = (
        partial(rearrange.move, model, target, "new"),
        partial(duplicate, model, target),
        partial(rearrange.move, model, "sub1", f"{target}.new"),
        partial(duplicate, model, "sub1", f"{target}.new"),
    )
    for call in calls:
        assert refused(model, call, TargetNotFound).detail == str(torchs.value)


@pytest.mark.parametrize("position", [-1, 3, 10**30])
def test_a_position_past_the_siblings_says_how_many_there_are(position: int) -> None:
    model = spread()
    error = refused(model, partial(rearrange.move, model, "b", "b", position), Invalid, "expected 0 to 2")
    assert error.errors[0].loc == ("position",)


# Duplicating


@settings(max_examples=60)
@given(linear_trees(), st.data())
def test_a_duplicate_is_torchs_deepcopy(model: LinearModel, data: st.DataObject) -> None:
    paths = [path for path, _ in model.named_modules() if path]
    if not paths:
        return
    target = data.draw(st.sampled_from(paths))
    original = model.get_submodule(target)
    expected = copy.deepcopy(original)
    path = duplicate(model, target)
    made = model.get_submodule(path)
    assert told(made) == told(expected) == told(original)
    shared = {id(each) for each in (*original.modules(), *original.parameters(), *original.buffers())}
    assert not shared & {id(each) for each in (*made.modules(), *made.parameters(), *made.buffers())}
    owner, _, name = target.rpartition(".")
    siblings = names_of(model, owner)
    assert siblings[siblings.index(name) + 1] == path.rpartition(".")[2]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("sub1", "sub2"), ("sub2_1", "sub2_2"), ("sub9", "sub10"), ("block", "block2"), ("7", "8"), ("sub01", "sub02")],
)
def test_a_name_counts_up(name: str, expected: str) -> None:
    model = LinearModel()
    model.add_module(name, LinearModel())
    assert duplicate(model, name) == expected


def test_a_name_counts_on_to_the_first_that_is_free() -> None:
    model = LinearModel()
    for name in ("sub1", "sub2", "sub4"):
        model.add_module(name, LinearModel())
    model.register_buffer("sub3", torch.ones(1))
    assert duplicate(model, "sub1") == "sub5"
    assert names_of(model) == ["sub1", "sub5", "sub2", "sub4"]


def test_what_is_shared_inside_stays_shared_inside_and_with_nothing_outside() -> None:
    model = spread("ab")
    inner, outer = model.get_submodule("a.in"), model.get_submodule("b")
    inner.weight = model.get_submodule("a").weight
    model.get_submodule("a").add_module("again", inner)
    model.get_submodule("a").bias = outer.bias
    made = model.get_submodule(duplicate(model, "a"))
    assert made.get_submodule("in") is made.get_submodule("again")
    assert made.get_parameter("in.weight") is made.get_parameter("weight")
    assert made.get_parameter("bias") is not outer.bias
    assert torch.equal(made.get_parameter("bias"), outer.get_parameter("bias"))


def test_a_chain_deeper_than_pythons_recursion_is_moved_and_duplicated() -> None:
    source = {"kind": "grid", "branching": 1, "depth": 5_000}
    model = open_source(source, Limits())
    duplicate(model, "sub1", "copy", limits=Limits())
    rearrange.move(model, "copy", "sub1.moved")
    assert len(TreeIndex.of(model)) == 1 + 2 * 5_000
    assert sum(1 for _ in model.get_submodule("sub1.moved")._modules) == 1


def test_a_copy_over_the_limit_is_refused_before_it_is_made(model: LinearModel) -> None:
    small = partial(rearrange.duplicate, limits=Limits(max_modules=4))
    refused(model, partial(small, model, "sub1"), TooLarge, "more than 4 modules")
    assert small(model, "sub1.sub2_1") == "sub1.sub2_2"


def test_other_modules_than_linear_models_are_not_duplicated(model: LinearModel) -> None:
    model.add_module("act", nn.ReLU())
    refused(model, partial(duplicate, model, "act"), CannotDo, "in there is a ReLU")


# Values in place


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [[0, 1], [True, False], [0.5, -1.5]])
def test_a_value_is_torchs_copy_or_refused_where_torch_would_round(dtype: str, value: list[object]) -> None:
    model = LinearModel()
    model.register_buffer("buf", torch.zeros(2, dtype=DTYPES[dtype]))
    buffer = model.get_buffer("buf")
    given = torch.tensor(value)
    if not torch.can_cast(given.dtype, buffer.dtype) or (buffer.dtype is torch.bool) > (given.dtype is torch.bool):
        refused(model, partial(rearrange.copy_, model, "buf", value), Invalid, f"expected values of {dtype}, got ")
        return
    rearrange.copy_(model, "buf", value)
    assert model.get_buffer("buf") is buffer
    assert torch.equal(buffer, torch.zeros_like(buffer).copy_(given))


def test_a_parameter_keeps_what_it_is(model: LinearModel) -> None:
    weight = model.get_parameter("sub1.weight").requires_grad_(False)
    model.bias.requires_grad_(True)
    for target, value in (("sub1.weight", [0.1]), ("bias", [-3])):
        rearrange.copy_(model, target, value)
    assert model.get_parameter("sub1.weight") is weight
    assert (weight.item(), weight.requires_grad) == (torch.tensor(0.1).item(), False)
    assert (model.bias.item(), model.bias.requires_grad, model.bias.grad_fn) == (-3, True, None)


def test_every_misfit_is_told_at_once_and_names_both_shapes(model: LinearModel) -> None:
    model.register_buffer("count", torch.tensor([1, 2]))
    error = refused(model, partial(rearrange.copy_, model, "count", [[0.5]]), Invalid)
    assert [misfit.msg for misfit in error.errors] == [
        "expected the shape [2], got [1, 1]",
        "expected values of int64, got float32",
    ]
    assert {misfit.loc for misfit in error.errors} == {("value",)}


@pytest.mark.parametrize("target", ["", "sub1", "missing", "sub1.missing", "missing.weight"])
def test_what_is_no_tensor_has_no_value(model: LinearModel, target: str) -> None:
    refused(model, partial(rearrange.copy_, model, target, [1.0]), TargetNotFound)


def test_a_value_of_a_tied_parameter_shows_at_every_place(model: LinearModel) -> None:
    model.get_submodule("sub1").weight = model.weight
    rearrange.copy_(model, "sub1.weight", [5.0])
    assert model.weight.item() == 5


# All of them, one after another


def steps(model: nn.Module, data: st.DataObject) -> tuple[str, str, int | None]:
    """A target, a path for it to be at, and a position, any of which may be refused."""
    paths = [path for path, _ in model.named_modules()]
    name = data.draw(st.sampled_from(["a", "b", "sub1", "sub7", "weight", "in", *ODD_NAMES]))
    above = data.draw(st.sampled_from(paths))
    return (
        data.draw(st.sampled_from(paths)),
        f"{above}.{name}" if above else name,
        data.draw(st.none() | st.integers(0, 3)),
    )


def by_hand(root: nn.Module, target: str, to: str, position: int | None, *, is_copy: bool) -> None:
    """The same in torch: the child is taken from its parent's list, and put into another."""
    owner, parent = (root.get_submodule(path.rpartition(".")[0]) for path in (target, to))
    name, new = (path.rpartition(".")[2] for path in (target, to))
    children = list(owner.named_children())
    at = [each for each, _ in children].index(name)
    child = copy.deepcopy(children[at][1]) if is_copy else children[at][1]
    if not is_copy:
        delattr(owner, name)
    after = at if not is_copy else at + 1
    others = list(parent.named_children())
    for each, _ in others:
        delattr(parent, each)
    place = position if position is not None else after if parent is owner else len(others)
    others.insert(place, (new, child))
    for each, module in others:
        parent.add_module(each, module)


@settings(max_examples=60)
@given(linear_trees(), st.data())
def test_random_changes_leave_what_the_same_in_torch_leaves(model: LinearModel, data: st.DataObject) -> None:
    expected = copy.deepcopy(model)
    for _ in range(data.draw(st.integers(1, 6))):
        is_copy = data.draw(st.booleans())
        target, to, position = steps(model, data)
        before = told(model)
        try:
            if is_copy:
                duplicate(model, target, to, position)
            else:
                rearrange.move(model, target, to, position)
        except (CannotDo, NameRefused, Invalid):
            assert told(model) == before
            continue
        by_hand(expected, target, to, position, is_copy=is_copy)
        assert told(model) == told(expected)
        assert [name for name, _ in model.named_parameters()] == [name for name, _ in expected.named_parameters()]
    made, fresh = TreeIndex.of(model), TreeIndex.of(expected)
    assert made.shapes.ids == fresh.shapes.ids
    assert [made.path(row) for row in range(len(made))] == [path for path, _ in expected.named_modules()]
