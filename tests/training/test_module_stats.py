"""Statistics of modules are what one tensor after the other gives in float64."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from app.training.config import RunConfig
from app.training.log import Floats
from app.training.module_columns import stat_rows
from app.training.module_stats import ModuleStats
from app.trees.index import TreeIndex
from app.trees.linear import LinearModel
from tests.models import nested_linear_models
from tests.training.loops import figures_of, plain_torch, trained
from tests.training.tutorial_run import chain


def mlp() -> nn.Module:
    """Tensors under and over the size from which each has a norm of its own; one module is never called."""
    model = nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))
    model[1].add_module("idle", nn.Linear(3, 3))
    return model


class Tied(nn.Module):
    """One parameter in three modules, under two names in one of them; one module in two places."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Linear(1, 1), nn.Linear(1, 1)
        self.other.weight = self.one.weight
        self.other.register_parameter("again", self.one._parameters["weight"])
        self.holder = nn.Module()
        self.holder.weight = self.one.weight
        self.place = self.one
        self.nothing = nn.Linear(1, 1, bias=False)
        self.nothing.weight.requires_grad_(False)
        self.empty = nn.Module()
        self.empty.numbers = nn.Parameter(torch.ones(3, dtype=torch.int64), requires_grad=False)
        self.empty.none = nn.Parameter(torch.empty(0))

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.other(self.one(x)) + self.place(x)
        return found


def own_forward() -> nn.Module:
    return nested_linear_models()


def chained() -> nn.Module:
    return chain([(1.0, 0.5), (-0.5, 0.25), (0.75, 0.0)])


def sequence_of_one_class() -> nn.Module:
    return nn.Sequential(*[nn.Linear(1, 1) for _ in range(5)])


@pytest.mark.parametrize("make", [mlp, Tied, own_forward, chained, sequence_of_one_class])
@pytest.mark.parametrize("asked", [{}, {"optimizer": "AdamW", "batch_size": 4}])
def test_figures_are_those_of_plain_torch(make: Callable[[], nn.Module], asked: dict[str, object]) -> None:
    config = RunConfig(epochs=4, lr=1e-3, module_stats_every=2, **asked)  # type: ignore[arg-type]
    torch.manual_seed(0)
    ours = make()
    torch.manual_seed(0)
    theirs = make()
    found, expected = trained(ours, config), plain_torch(theirs, config)
    assert len(found.figures) == 2
    for figures, other in zip(found.figures, expected.figures, strict=True):
        assert figures.shape == (3, len(stat_rows(TreeIndex.of(ours))))
        np.testing.assert_allclose(figures, other, rtol=2e-6)
    assert found.loop is not None
    assert found.loop.module_stats_s > 0


def watched(model: nn.Module, step: Callable[[], None]) -> Floats:
    stats = ModuleStats(TreeIndex.of(model))
    stats.before()
    step()
    with np.errstate(all="ignore"):
        return stats.after()


def with_gradients(model: nn.Module, value: float = 1.0) -> nn.Module:
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, value)
    return model


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.complex64])
@pytest.mark.parametrize("size", [2, 40])
def test_every_dtype_has_norms(dtype: torch.dtype, size: int) -> None:
    model = with_gradients(nn.Linear(size, size, dtype=dtype))
    before = [parameter.detach().clone() for parameter in model.parameters()]
    gradients = [parameter.grad for parameter in model.parameters()]
    figures = watched(model, torch.optim.SGD(model.parameters(), 0.25).step)
    np.testing.assert_allclose(figures, figures_of(model, before, gradients), rtol=1e-3)


@pytest.mark.parametrize("size", [1, 40])
@pytest.mark.parametrize("value", [1e-30, 1e-20, 1e20, 1e30])
def test_a_norm_neither_vanishes_nor_overflows_where_its_squares_would(size: int, value: float) -> None:
    model = with_gradients(nn.Linear(size, size, bias=False), value)
    gradient_norm = watched(model, lambda: None)[1]
    assert gradient_norm.tolist() == pytest.approx([size * value], rel=1e-5)


def test_no_gradient_is_nan_and_one_that_is_not_finite_is_infinite() -> None:
    model = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1), nn.Linear(1, 1))
    with_gradients(model[0], float("nan"))
    with_gradients(model[1], float("inf"))
    gradient_norm = watched(model, lambda: None)[1]
    assert gradient_norm[:2].tolist() == [np.inf, np.inf]
    assert np.isnan(gradient_norm[2])


def test_parameters_of_norm_0_have_no_update_ratio() -> None:
    model = with_gradients(nn.Linear(2, 2))
    nn.init.zeros_(model.weight)  # type: ignore[arg-type]
    nn.init.zeros_(model.bias)  # type: ignore[arg-type]
    assert np.isnan(watched(model, torch.optim.SGD(model.parameters(), 0.1).step)[2]).all()


def test_sparse_gradients_have_norms() -> None:
    model = nn.Embedding(30, 40, sparse=True)
    model(torch.tensor([1, 1, 2])).sum().backward()
    gradient = model.weight.grad
    assert gradient is not None
    assert watched(model, lambda: None)[1].tolist() == pytest.approx([float(gradient.to_dense().norm())])


def test_gradients_that_come_and_go_are_followed() -> None:
    model = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    stats = ModuleStats(TreeIndex.of(model))
    seen = []
    for part in (model[0], model[1], model):
        model.zero_grad()
        with_gradients(part)
        stats.before()
        torch.optim.SGD(model.parameters(), 0.1).step()
        figures = stats.after()
        seen.append((~np.isnan(figures[1])).tolist())
        assert figures[0].tolist() != [0, 0]
        assert (figures[2] > 0).tolist() == seen[-1]
    assert seen == [[True, False], [False, True], [True, True]]


def test_a_shared_module_has_one_row_at_its_first_place() -> None:
    index = TreeIndex.of(Tied())
    assert [index.path(row) for row in stat_rows(index)] == ["one", "other", "holder", "nothing", "empty"]


def test_the_norm_of_the_parameters_is_the_one_before_the_step() -> None:
    model = LinearModel()
    with torch.no_grad():
        model.weight.fill_(3.0)
        model.bias.fill_(4.0)
    with_gradients(model)
    figures = watched(model, torch.optim.SGD(model.parameters(), 1.0).step)
    assert figures[:, 0].tolist() == pytest.approx([5.0, 2**0.5, 2**0.5 / 5])
