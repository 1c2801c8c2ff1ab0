"""Trees written as LinearSpecs and read again by the parser that takes them from anybody."""

import json
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from app.errors import CannotDo, TooLarge
from app.trees.index import TreeIndex
from app.trees.limits import Limits
from app.trees.linear import LinearModel
from app.trees.sources import open_source
from app.trees.spec import build, parse_spec
from app.trees.spec_text import Lost, lost, number_text, spec_text, tensor_text
from tests.models import nested_linear_models
from tests.trees.comparing import told
from tests.trees.strategies import linear_trees, specs


def opened(spec: object) -> LinearModel:
    return open_source({"kind": "linear", "root": spec, "seed": 0}, Limits())


def written(module: nn.Module) -> Any:
    return json.loads(spec_text(TreeIndex.of(module)))


@settings(max_examples=80)
@given(specs())
def test_what_a_spec_made_is_written_and_read_as_the_same_tree(spec: dict[str, Any]) -> None:
    model = opened(spec)
    assert told(opened(written(model))) == told(model)
    assert not lost(TreeIndex.of(model))


@settings(max_examples=60)
@given(linear_trees())
def test_of_any_tree_the_structure_comes_back_and_what_does_not_is_counted(module: LinearModel) -> None:
    index = TreeIndex.of(module)
    again = opened(written(module))
    assert [path for path, _ in again.named_modules()] == [path for path, _ in module.named_modules()]
    same = [(path, *rest) for path, _, _, _, *rest in told(again)] == [
        (path, *rest) for path, _, _, _, *rest in told(module)
    ]
    is_all = same and all(each.training for each in module.modules())
    assert is_all is not bool(lost(index))


def test_what_has_the_name_of_a_number_is_left_out_and_counted() -> None:
    model = LinearModel()
    model.weight.data.fill_(2)
    del model.bias
    model.register_buffer("bias", torch.ones(1))
    child = LinearModel()
    model.add_module("a", child)
    del child.weight
    child.add_module("weight", nested_linear_models())
    child.add_module("b", LinearModel())
    assert lost(TreeIndex.of(model)) == {Lost.NAME: 2, Lost.MISSING: 2}
    assert [path for path, _ in opened(written(model)).named_modules()] == ["", "a", "a.b"]


@settings(max_examples=200)
@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_number_is_short_and_is_read_as_the_same_float32(value: float) -> None:
    read = float(json.loads(number_text(value)))
    assert torch.tensor([read]).item() == value
    assert math.copysign(1, read) == math.copysign(1, value)
    assert len(number_text(value)) <= len(str(np.float32(value))) or abs(value) == torch.finfo(torch.float32).max


def test_the_tutorials_tree_reads_as_a_person_would_write_it() -> None:
    model = nested_linear_models()
    with torch.no_grad():
        for number, parameter in enumerate(model.parameters()):
            parameter.fill_(0.1 * number)
    model.register_buffer("buf", torch.tensor([4]))
    assert spec_text(TreeIndex.of(model)) == (
        '{"weight":0,"bias":0.1,"buffers":{"buf":[4]},"children":{"sub1":{"weight":0.2,"bias":0.3,'
        '"children":{"sub2_1":{"weight":0.4,"bias":0.5}}}}}'
    )
    assert spec_text(TreeIndex.of(model), 2) == '{"weight":0.4,"bias":0.5}'


def test_what_it_cannot_hold_is_counted_by_kind() -> None:
    model = nested_linear_models()
    model.get_submodule("sub1").requires_grad_(False).eval()
    model.register_parameter("weight2", nn.Parameter(torch.tensor([2.0])))
    model.register_buffer("fleeting", torch.ones(1), persistent=False)
    model.register_buffer("halved", torch.ones(2, dtype=torch.float16))
    model.register_buffer("none", torch.empty(0, 3))
    del model.get_submodule("sub1.sub2_1").bias
    model.register_parameter("weight", model._parameters.pop("weight"))
    with torch.no_grad():
        model.bias.fill_(math.nan)
    assert lost(TreeIndex.of(model)) == {
        Lost.FROZEN: 3,
        Lost.EVAL: 2,
        Lost.PARAMETER: 1,
        Lost.FLEETING: 1,
        Lost.DTYPE: 2,
        Lost.MISSING: 1,
        Lost.NONFINITE: 1,
        Lost.ORDER: 1,
    }
    assert "bias" not in written(model)
    assert written(model)["buffers"]["halved"] == [1.0, 1.0]


def test_a_chain_of_thousands_is_written_without_recursion() -> None:
    model = open_source({"kind": "grid", "branching": 1, "depth": 5_000}, Limits())
    assert spec_text(TreeIndex.of(model)).endswith("}" * 10_001)


def test_one_that_grows_too_long_is_given_up_early() -> None:
    with pytest.raises(TooLarge) as refused:
        spec_text(TreeIndex.of(nested_linear_models()), most=20)
    assert refused.value.limit == 20
    with pytest.raises(CannotDo):
        spec_text(TreeIndex.of(nn.Sequential(nn.ReLU())))


@pytest.mark.parametrize(
    ("tensor", "text"),
    [
        (torch.tensor([0.1]), "0.1"),
        (torch.tensor([2]), "2"),
        (torch.tensor(2.0), "2.0"),
        (torch.tensor([[1.0, 0.1]]), "[[1.0,0.1]]"),
        (torch.tensor([0.1], dtype=torch.float64), "0.1"),
        (torch.tensor([True]), "true"),
        (torch.tensor([math.nan]), "nan"),
    ],
)
def test_a_value_is_text_that_can_be_typed_again(tensor: torch.Tensor, text: str) -> None:
    assert tensor_text(tensor) == text


def test_what_is_drawn_is_left_out_of_nothing() -> None:
    model = build(parse_spec({}, max_modules=1, max_depth=0), seed=3)
    assert set(written(model)) == {"weight", "bias"}
