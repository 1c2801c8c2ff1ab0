"""The program that rebuilds a tree, run."""

import contextlib

import pytest
import torch
from hypothesis import given, settings
from torch import nn

from app.errors import CannotDo, TooLarge
from app.trees import code
from app.trees.code import program_of, python_of
from app.trees.index import TreeIndex
from app.trees.linear import LinearModel
from tests.models import ODD_NAMES, nested_linear_models
from tests.trees.comparing import told
from tests.trees.strategies import linear_trees


def rebuilt(module: nn.Module) -> nn.Module:
    names: dict[str, object] = {}
    exec(compile(python_of(TreeIndex.of(module)), "model.py", "exec"), names)
    model = names["model"]
    assert isinstance(model, nn.Module)
    return model


def without_forward(module: nn.Module) -> list[tuple[object, ...]]:
    # Which forward the program's own class has shows in what it returns.
    return [(path, name, mode, *tensors) for path, name, mode, _, *tensors in told(module)]


@settings(max_examples=80)
@given(linear_trees())
def test_the_program_leaves_the_same_tree_in_model(module: LinearModel) -> None:
    model = rebuilt(module)
    assert without_forward(model) == without_forward(module)
    assert list(model.state_dict()) == list(module.state_dict())
    x = torch.tensor([[1.0], [-2.5]])
    with contextlib.suppress(AttributeError, RuntimeError):  # no weight, or one that x does not go through
        expected = module(x)
        assert torch.equal(model(x).nan_to_num(7), expected.nan_to_num(7))


@pytest.mark.parametrize("name", [*ODD_NAMES, "lambda", "None", "é", "__debug__", "self", "model", "level1"])
def test_a_name_of_any_kind_comes_back(name: str) -> None:
    module = LinearModel()
    child = LinearModel()
    module.add_module(name, child)
    child.add_module(name, LinearModel())
    child.register_buffer("buffer", torch.tensor([1.5]))
    child.register_parameter(name + "2", nn.Parameter(torch.tensor([[2.0]])))
    assert without_forward(rebuilt(module)) == without_forward(module)


def test_the_tutorials_tree_reads_as_a_person_would_write_it() -> None:
    module = nested_linear_models()
    with torch.no_grad():
        for number, parameter in enumerate(module.parameters()):
            parameter.fill_(number / 4)
    program = python_of(TreeIndex.of(module))
    assert program.startswith("import torch\nfrom torch import nn\n\n\nclass LinearModel(nn.Module):\n")
    assert program.endswith(
        "model = LinearModel(weight=0.0, bias=0.25)\n"
        "level1 = LinearModel(weight=0.5, bias=0.75)\n"
        "model.sub1 = level1\n"
        "level2 = LinearModel(weight=1.0, bias=1.25)\n"
        "level1.sub2_1 = level2\n"
    )


def test_each_statement_knows_the_row_that_it_is_about() -> None:
    index = TreeIndex.of(nested_linear_models())
    head, statements = program_of(index, {(0, "weight"), (2, "bias")})
    lines = list(statements)
    assert [row for row, _ in lines] == [0, 1, 1, 2, 2]
    assert lines[0][1].startswith("model = LinearModel(bias=")
    assert "bias" not in lines[3][1]
    assert python_of(index, {(0, "weight"), (2, "bias")}) == head + "\n".join(text for _, text in lines) + "\n"


def test_empty_tensors_keep_their_shape() -> None:
    module = LinearModel()
    for number, shape in enumerate([(0,), (0, 3), (2, 0), (2, 0, 3)]):
        module.register_buffer(f"buffer{number}", torch.empty(shape, dtype=torch.int64))
    assert without_forward(rebuilt(module)) == without_forward(module)


def test_other_modules_have_no_such_program() -> None:
    with pytest.raises(CannotDo, match="Only a tree of LinearModels"):
        python_of(TreeIndex.of(nn.Sequential(LinearModel())))


def test_a_program_that_would_not_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code, "MAX_STATEMENTS", 2)
    with pytest.raises(TooLarge, match="3 modules one by one") as refused:
        python_of(TreeIndex.of(nested_linear_models()))
    assert refused.value.limit == 2
