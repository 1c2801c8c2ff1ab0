"""The line of a tree is the function that the tree is."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from app.training.fit import MAX_LIVE_MODULES, Fit
from app.trees.linear import LinearModel
from tests.training.tutorial_run import BIAS, WEIGHT, chain, linear_model

numbers = st.floats(-2, 2, width=32)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6))
def test_slope_and_intercept_are_those_of_the_function(modules: list[tuple[float, float]]) -> None:
    model = chain(modules).double()
    slope, intercept = Fit(model).read()
    with torch.no_grad():
        y0, y1 = model(torch.tensor([[0.0], [1.0]], dtype=torch.float64)).flatten().tolist()
    assert intercept == pytest.approx(y0, abs=1e-9)
    assert slope == pytest.approx(y1 - y0, abs=1e-9)


def test_children_of_an_own_forward_do_not_count() -> None:
    model = linear_model()
    model.chain = False
    model.sub1 = linear_model(5.0, 5.0)
    assert Fit(model).read() == (WEIGHT, BIAS)


def test_the_order_is_that_of_the_calls() -> None:
    model = chain([(2.0, 1.0)])
    model.first, model.second = chain([(3.0, 0.0), (1.0, 5.0)]), chain([(10.0, 0.0)])
    slope, intercept = Fit(model).read()
    with torch.no_grad():
        assert [intercept, slope + intercept] == model(torch.tensor([[0.0], [1.0]])).flatten().tolist()


def test_it_follows_the_parameters_as_they_are_trained() -> None:
    model = linear_model()
    fit = Fit(model)
    with torch.no_grad():
        model.weight.add_(1.0)
    assert fit.read() == (model.weight.item(), BIAS)


@pytest.mark.parametrize("size", [MAX_LIVE_MODULES, MAX_LIVE_MODULES + 1])
def test_a_long_chain_is_not_read_at_every_epoch(size: int) -> None:
    fit = Fit(chain([(1.0, 1.0)] * size))
    assert fit.is_live == (size <= MAX_LIVE_MODULES)
    assert fit.read() == (1.0, float(size))


def odd_models() -> dict[str, nn.Module]:
    """Trees that are no line, and why."""
    wide = linear_model()
    wide.weight = nn.Parameter(torch.ones(2))
    nested = chain([(1.0, 1.0)])
    nested.head = nn.Linear(1, 1)
    bare = LinearModel()
    del bare.bias
    brain = linear_model().bfloat16()
    return {"two weights": wide, "another class inside": nested, "no bias": bare, "numpy lacks the dtype": brain}


@pytest.mark.parametrize("why", odd_models())
def test_what_is_no_line_has_none(why: str) -> None:
    fit = Fit(odd_models()[why])
    assert not fit.is_live
    assert all(map(math.isnan, fit.read()))


def test_a_deep_chain_is_read_without_recursion() -> None:
    assert Fit(chain([(1.0, 1.0)] * 3000)).read() == (1.0, 3000.0)
