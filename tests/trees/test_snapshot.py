"""What is kept of a revision: taken and loaded, it is the same tree."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from torch import nn

from app.errors import CannotDo
from app.trees.index import TreeIndex
from app.trees.limits import Limits
from app.trees.linear import LinearModel
from app.trees.snapshot import Snapshot, load, pack, take
from app.trees.sources import open_source
from app.trees.values import DTYPES
from tests.models import nested_linear_models
from tests.trees.comparing import told
from tests.trees.strategies import linear_trees


def taken_from(module: nn.Module) -> Snapshot:
    return take(TreeIndex.of(module))


def again(module: nn.Module) -> LinearModel:
    snapshot = taken_from(module)
    return load(snapshot.structure, snapshot.tensors)


@settings(max_examples=100)
@given(linear_trees())
def test_a_tree_that_was_kept_is_the_same_when_loaded(module: LinearModel) -> None:
    loaded = again(module)
    assert told(loaded) == told(module)
    assert TreeIndex.of(loaded).shapes == TreeIndex.of(module).shapes


def test_every_dtype_that_can_be_registered_is_kept() -> None:
    module = nested_linear_models()
    for word, dtype in DTYPES.items():
        module.register_buffer("b_" + word, torch.tensor([[0, 1], [1, 1]]).to(dtype), persistent=word != "bool")
        module.register_parameter("p_" + word, nn.Parameter(torch.tensor(1).to(dtype), requires_grad=False))
    assert told(again(module)) == told(module)


def test_modes_gradients_and_forward_are_kept_module_by_module() -> None:
    module = open_source({"kind": "grid", "branching": 2, "depth": 2, "forward": "chain"}, Limits())
    module.get_submodule("sub1").eval()
    module.get_submodule("sub2").requires_grad_(False)
    module.add_module("own", LinearModel())
    assert told(again(module)) == told(module)


def test_what_was_loaded_learns() -> None:
    module = again(nested_linear_models())
    assert {type(parameter) for parameter in module.parameters()} == {nn.Parameter}
    assert all(parameter.is_leaf for parameter in module.parameters())
    module(torch.ones(1)).sum().backward()
    assert module.weight.grad is not None


def test_a_snapshot_does_not_move_with_the_tree() -> None:
    module = nested_linear_models()
    before, snapshot = told(module), taken_from(module)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
    assert told(load(snapshot.structure, snapshot.tensors)) == before


def test_values_packed_alone_fit_the_structure() -> None:
    module = nested_linear_models()
    module.register_buffer("buffer", torch.tensor([[1, 2]]))
    structure = taken_from(module).structure
    with torch.no_grad():
        module.weight.fill_(3)
    assert told(load(structure, pack(TreeIndex.of(module)))) == told(module)


def test_one_tensor_a_dtype_is_kept() -> None:
    module = nested_linear_models()
    module.register_buffer("buffer", torch.tensor([[1, 2]]))
    tensors = taken_from(module).tensors
    assert {name: tensor.shape for name, tensor in tensors.items()} == {"float32": (6,), "int64": (2,)}


def test_the_structure_of_a_large_grid_is_small() -> None:
    module = open_source({"kind": "grid", "branching": 10, "depth": 4, "seed": 0}, Limits())
    assert len(taken_from(module).structure) < 40_000


def other_class() -> nn.Module:
    return nn.Sequential(LinearModel())


def shared_module() -> nn.Module:
    module, shared = LinearModel(), LinearModel()
    module.add_module("a", shared)
    module.add_module("b", shared)
    return module


def tied_parameter() -> nn.Module:
    module = nested_linear_models()
    module.get_submodule("sub1").register_parameter("bias", module.get_parameter("bias"))
    return module


def parameter_as_buffer() -> nn.Module:
    module = nested_linear_models()
    module.get_submodule("sub1").register_buffer("buffer", module.bias)
    return module


def complex_buffer() -> nn.Module:
    module = LinearModel()
    module.register_buffer("buffer", torch.ones(1, dtype=torch.complex64))
    return module


def none_child() -> nn.Module:
    module = LinearModel()
    module.add_module("none", None)
    return module


@pytest.mark.parametrize(
    "make", [other_class, shared_module, tied_parameter, parameter_as_buffer, complex_buffer, none_child]
)
def test_what_a_snapshot_could_not_give_back_is_refused(make: Callable[[], nn.Module]) -> None:
    with pytest.raises(CannotDo, match="kept"):
        taken_from(make())
