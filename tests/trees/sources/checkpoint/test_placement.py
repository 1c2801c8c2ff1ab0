"""Tensors on the tree of an architecture, where names, shapes and ties do not agree."""

import time
from array import array
from collections.abc import Sequence

import pytest
import torch
from torch import nn

from app.trees.describe import describe
from app.trees.description import Description, Kind
from app.trees.limits import Limits
from app.trees.sources.checkpoint.contents import Contents
from app.trees.sources.checkpoint.keys import tree_of
from app.trees.sources.checkpoint.placement import MAX_MISSING, Placement, place
from app.trees.sources.checkpoint.places import Misplaced
from tests.trees.sources.checkpoint.test_keys import contents_of, tensor_paths


class Net(nn.Module):
    """A body below "base", and a head."""

    def __init__(self, body: nn.Module, head: nn.Module | None = None) -> None:
        super().__init__()
        self.base = body
        self.head = head


class Scales(nn.Module):
    """Tensors of the shape that `contents_of` gives each, by name."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        for name in names:
            self.register_parameter(name, nn.Parameter(torch.zeros(2, 3)))


def architecture(model: nn.Module) -> Description:
    return describe(model.to("meta"), max_modules=1_000, max_depth=100)


def placed(keys: Sequence[str], model: nn.Module, **columns: object) -> Placement:
    return place(contents_of(keys, **columns), architecture(model))


def why(keys: Sequence[str], model: nn.Module, **columns: object) -> str:
    with pytest.raises(Misplaced) as error:
        placed(keys, model, **columns)
    return error.value.reason


def test_order_and_modes_are_the_architecture_s() -> None:
    found = placed(["b.y", "b.x", "a.x"], nn.ModuleDict({"a": Scales("x"), "b": Scales("x", "y")}).eval())
    assert tensor_paths(found.keys) == {"a.x": 2, "b.x": 1, "b.y": 0}
    assert found.keys.description.training == b"\0\0\0"
    assert (found.notes, found.num_missing) == ([], 0)


def test_a_prefix_is_put_before_the_names_that_need_it() -> None:
    found = placed(["0.x", "head.x"], Net(nn.Sequential(Scales("x")), Scales("x")))
    assert tensor_paths(found.keys) == {"base.0.x": 0, "head.x": 1}
    assert found.notes == ["Names in the file leave out the 'base.' that they begin with here."]


def test_one_part_is_left_out_and_another_put_before() -> None:
    found = placed(["module.0.x", "module.1.x"], Net(nn.Sequential(Scales("x"), Scales("x"))))
    assert tensor_paths(found.keys) == {"base.0.x": 0, "base.1.x": 1}


def test_two_tensors_with_one_place_are_refused() -> None:
    model = Net(nn.Sequential(Scales("x")), Scales("x"))
    assert why(["0.x", "base.0.x", "head.x"], model) == "'0.x' and 'base.0.x' have one place in Net"


def test_another_shape_is_refused_and_told() -> None:
    model = nn.Sequential(nn.Linear(3, 4, bias=False))
    assert why(["0.weight"], model) == "'0.weight' is (2, 3) in the file, (4, 3) in Sequential"


@pytest.mark.parametrize("key", ["", "x.", ".x", "a..x", "a", "a.x.x", "'a'.x", "A.x"])
def test_a_name_that_is_not_quite_one_of_the_tree_is_refused(key: str) -> None:
    assert why(["a.x", key], nn.ModuleDict({"a": Scales("x")})) == f"1 tensor is not in ModuleDict: {key!r}"


@pytest.mark.parametrize("shape", [(1, 1, 6, 5), (2, 1, 6, 6), (6,)])
def test_a_bias_that_is_no_mask_is_not_taken_for_a_former_buffer(shape: tuple[int, ...]) -> None:
    kinds = [Kind((2, 3), "float32", "file"), Kind(shape, "float32", "file")]
    reason = why(["a.x", "a.bias"], nn.ModuleDict({"a": Scales("x")}), kinds=kinds, kind=array("q", [0, 1]))
    assert reason == "1 tensor is not in ModuleDict: 'a.bias'"


def test_former_buffers_come_after_those_of_their_module() -> None:
    first, second = Scales("x"), Scales("x")
    first.register_buffer("now", torch.zeros(2, 3))
    second.register_buffer("now", torch.zeros(2, 3))
    kinds = [Kind((2, 3), "float32", "file"), Kind((), "float32", "file")]
    keys = ["0.x", "0.now", "0.masked_bias", "1.x", "1.now", "1.masked_bias"]
    found = placed(keys, nn.Sequential(first, second), kinds=kinds, kind=array("q", [0, 0, 1, 0, 0, 1]))
    assert list(tensor_paths(found.keys)) == ["0.x", "1.x", "0.now", "0.masked_bias", "1.now", "1.masked_bias"]
    assert list(found.keys.buffer_entries) == [1, 2, 4, 5]


def test_a_shared_module_is_one_in_the_file_too() -> None:
    shared = Scales("x")
    model = nn.Sequential(shared, shared)
    once = placed(["1.x"], model).keys
    assert tensor_paths(once) == {"0.x": 0, "1.x": 0}
    assert placed(["0.x", "1.x"], model, same=array("q", [0, 0])).keys.description.parameters.same == [0, 0]
    assert (
        why(["0.x", "1.x"], model) == "'0.x' and '1.x' are one tensor of one module in Sequential, and two in the file"
    )


def test_names_that_the_file_ties_are_tied() -> None:
    model = nn.Sequential(Scales("x"), Scales("x"))
    assert placed(["0.x", "1.x"], model, same=array("q", [0, 0])).keys.description.parameters.same == [0, 0]


def test_some_parameters_may_be_missing_and_not_many() -> None:
    def keys(count: int) -> list[str]:
        return [f"x{number}" for number in range(count)]

    model = Scales(*keys(100))
    found = placed(keys(100 - MAX_MISSING), model)
    assert found.num_missing == MAX_MISSING
    same = found.keys.description.parameters.same
    assert len(set(same)) == 100
    assert why(keys(99 - MAX_MISSING), model).startswith("17 parameters are in Scales and not in the file: 'x83', ")
    assert why(keys(3), Scales(*keys(4))) == "1 parameter is in Scales and not in the file: 'x3'"
    assert why([], model).startswith("100 parameters are in Scales")


def test_hundred_thousand_tensors_are_placed_in_no_time() -> None:
    contents: Contents = contents_of([f"model.layers.{i // 300}.experts.{i % 300}.proj.weight" for i in range(100_000)])
    tree = tree_of(contents, Limits()).description
    began = time.perf_counter()
    found = place(contents, tree)
    assert time.perf_counter() - began < 3
    assert list(found.keys.parameter_entries) == list(range(100_000))
    bare = contents_of([name.removeprefix("model.") for name in contents.name])
    assert list(place(bare, tree).keys.parameter_entries) == list(range(100_000))
