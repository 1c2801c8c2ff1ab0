"""The trace of LinearModels, against that of modules which do call their children."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from app.errors import Invalid, TooLarge
from app.trees.edit import add_module, delete, register_buffer, register_parameter
from app.trees.index import TreeIndex
from app.trees.limits import Limits
from app.trees.linear import LinearModel
from app.trees.linear_trace import trace_linear
from app.trees.sources import open_source
from app.trees.trace import Trace, trace
from app.trees.trace_inputs import parse_inputs

NESTED: dict[str, Any] = {"children": {"a": {"children": {"a1": {}, "a2": {}}}, "b": {"children": {"b1": {}}}}}


class Calling(nn.Module):
    """A chain as torch would have it: each child is called."""

    weight: Tensor
    bias: Tensor

    def __init__(self, of: nn.Module) -> None:
        super().__init__()
        for tensors in ("_parameters", "_buffers"):
            vars(self)[tensors].update(vars(of)[tensors])
        for name, child in of.named_children():
            self.add_module(name, Calling(child))

    def forward(self, x: Tensor) -> Tensor:
        x = x * self.weight + self.bias
        for child in self.children():
            x = child(x)
        return x


def linear(root: object = NESTED, forward: str = "chain") -> LinearModel:
    return open_source({"kind": "linear", "root": root, "seed": 0, "forward": forward}, Limits())


def traced(module: nn.Module, *inputs: str) -> Trace:
    return trace_linear(TreeIndex.of(module), parse_inputs(inputs))


def check(model: LinearModel, *inputs: str) -> Trace:
    """The trace, which has to be that of the modules that call their children."""
    found = traced(model, *inputs)
    expected = trace(Calling(model), parse_inputs(inputs), max_modules=1_000, max_depth=100)
    for column in ("given", "row", "path", "order", "calls", "varies", "is_done", "inputs", "outputs", "flops", "macs"):
        assert getattr(found, column) == getattr(expected, column), column
    assert (found.num_uncalled, found.uncalled) == (expected.num_uncalled, expected.uncalled)
    assert found.total_flops == expected.total_flops == 0
    return found


@pytest.mark.parametrize("inputs", [["10,1"], ["3"], ["()"], ["2,3:int64"], ["0,4:float64"], ["2:bool"]])
def test_every_module_of_a_chain_is_told_in_the_order_of_the_forward(inputs: list[str]) -> None:
    found = check(linear(), *inputs)
    assert found.path == ["", "a", "a.a1", "a.a2", "b", "b.b1"]
    assert found.stopped is None


def test_shapes_that_grow_on_the_way_are_those_of_a_forward() -> None:
    model = linear()
    delete(model, "a.a1.weight")
    register_parameter(model, "a.a1", "weight", [[1.0], [2.0]])
    delete(model, "b.bias")
    register_buffer(model, "b", "bias", [1.0, 2.0, 3.0], dtype="float64")
    found = check(model, "1")
    assert [value.shape for (value,) in found.outputs] == [[2, 3], [2, 1], [2, 1], [2, 1], [2, 3], [2, 3]]
    assert model(torch.zeros(1)).shape == (2, 3)
    assert found.outputs[0][0].dtype == str(model(torch.zeros(1)).dtype).removeprefix("torch.")


def test_only_the_root_of_an_own_forward_is_called() -> None:
    found = traced(linear(forward="own"), "10,1")
    assert (found.path, found.num_uncalled, found.uncalled) == ([""], 5, [1, 2, 3, 4, 5])


def test_where_a_chain_stops_is_shown_with_how_far_it_came() -> None:
    model = linear()
    delete(model, "b.weight")
    register_parameter(model, "b", "weight", [1.0, 2.0])
    found = check(model, "5,3")
    assert found.stopped is not None
    assert (found.stopped.row, found.stopped.path, found.stopped.class_name) == (4, "b", "LinearModel")
    assert [value.shape for value in found.stopped.inputs] == [[5, 3]]
    assert found.stopped.error.startswith("RuntimeError: ")
    assert dict(zip(found.path, found.is_done, strict=True)) == {
        "": False, "a": True, "a.a1": True, "a.a2": True, "b": False
    }  # fmt: skip


@pytest.mark.parametrize("name", ["weight", "bias"])
def test_a_parameter_that_was_deleted_is_what_torch_says(name: str) -> None:
    model = linear()
    delete(model, f"a.{name}")
    found = check(model, "2")
    assert found.stopped is not None
    assert found.stopped.error == f"AttributeError: 'LinearModel' object has no attribute '{name}'"


def test_a_module_in_a_parameters_place_is_an_error_of_the_forward() -> None:
    model = linear()
    delete(model, "a.weight")
    add_module(model, "a", "weight", {}, Limits())
    assert "TypeError" in str(traced(model, "2").stopped)


@pytest.mark.parametrize(("inputs", "says"), [(["1;1"], "TypeError"), (["y=1"], "TypeError"), (["x=2,1"], "")])
def test_what_is_given_is_given_to_the_root(inputs: list[str], says: str) -> None:
    stopped = check(linear(), *inputs).stopped
    assert (stopped.error.partition(":")[0] if stopped else "") == says
    assert stopped is None or stopped.path == ""


def test_no_input_is_refused() -> None:
    with pytest.raises(Invalid, match="expected the sizes of at least one input"):
        traced(linear())


def test_a_large_tree_lines_up_with_its_index_and_is_left_alone() -> None:
    model = open_source({"kind": "grid", "branching": 10, "depth": 4, "seed": 0, "forward": "chain"}, Limits())
    index = TreeIndex.of(model)
    tensors = [id(parameter) for parameter in model.parameters()]
    found = trace_linear(index, parse_inputs(["7"]))
    assert found.row == list(range(11_111))
    assert found.path == list(index.paths(found.row))
    assert [id(parameter) for parameter in model.parameters()] == tensors
    assert model.weight.device.type == "cpu"


def test_a_chain_deeper_than_recursion_is_traced_and_one_whose_paths_are_too_long_is_refused() -> None:
    deep = open_source({"kind": "grid", "branching": 1, "depth": 2_000, "seed": 0, "forward": "chain"}, Limits())
    assert len(traced(deep, "1").row) == 2_001
    deeper = open_source({"kind": "grid", "branching": 1, "depth": 8_000, "seed": 0, "forward": "chain"}, Limits())
    with pytest.raises(TooLarge, match="The paths of what is called have"):
        traced(deeper, "1")
