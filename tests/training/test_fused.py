"""The fused step is autograd's, bit by bit: the same losses, parameters, gradients, statistics and optimizer state."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from app.training.checkpoint import Checkpoint
from app.training.config import RunConfig
from app.training.fused import MAX_ELEMENTS, misfit
from app.trees import snapshot
from app.trees.index import TreeIndex
from app.trees.linear import LinearModel
from tests.training.loops import Trained, loop_of, trained
from tests.training.tutorial_run import bits, chain, linear_model

numbers = st.floats(-3, 3, width=32)
lrs = st.sampled_from([1e-30, 1e-5, 1e-3, 0.01, 0.1, 10.0])
ARGS = st.fixed_dictionaries(
    {},
    optional={
        "momentum": st.sampled_from([0.0, 0.5, 0.9]),
        "weight_decay": st.sampled_from([0.0, 0.01, 0.3]),
        "dampening": st.sampled_from([0.0, 0.25]),
        "maximize": st.booleans(),
        "foreach": st.sampled_from([None, False]),
    },
)


@st.composite
def trees(draw: st.DrawFn) -> LinearModel:
    """A LinearModel in which some are chains, some carry a buffer or a parameter more, and some are not trained."""
    modules = [LinearModel()]
    for number in range(1, draw(st.integers(1, 7))):
        parent = modules[draw(st.integers(0, number - 1))]
        modules.append(LinearModel())
        parent.add_module(f"m{number}", modules[-1])
    for module in modules:
        module.chain = draw(st.booleans())
        for name in ("weight", "bias"):
            with torch.no_grad():
                module.get_parameter(name).fill_(draw(numbers))
        if draw(st.integers(0, 4)) == 0:
            module.register_parameter("more", nn.Parameter(torch.ones(2)))
        if draw(st.integers(0, 4)) == 0:
            module._parameters["weight"] = module._parameters.pop("weight")
        module.get_parameter(draw(st.sampled_from(["weight", "bias"]))).requires_grad_(draw(st.integers(0, 3)) > 0)
    if draw(st.booleans()):
        # As a worker has them: values behind each other in one tensor.
        taken = snapshot.take(TreeIndex.of(modules[0]))
        return snapshot.load(taken.structure, taken.tensors)
    return modules[0]


@st.composite
def tables(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    shape = draw(st.sampled_from([(1, 1), (2, 1), (7, 1), (10, 1), (33, 1), (64, 1), (9, 3), (1000, 1), (517, 2)]))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    scale = draw(st.sampled_from([1e-20, 1.0, 1e3, 1e18]))
    x, y = (torch.randn(shape, generator=generator) * scale for _ in range(2))
    return x, y


def both(model: LinearModel, points: tuple[Tensor, Tensor], **asked: Any) -> list[tuple[LinearModel, Trained]]:
    found = []
    for step in ("autograd", "fused"):
        taken = snapshot.take(TreeIndex.of(model))
        copy = snapshot.load(taken.structure, {name: tensor.clone() for name, tensor in taken.tensors.items()})
        found.append((copy, trained(copy, RunConfig(step=step, **asked), points)))
    return found


def same(one: object, other: object) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return torch.equal(one.nan_to_num(7.5), other.nan_to_num(7.5))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return one == other


@settings(max_examples=40)
@given(trees(), tables(), lrs, ARGS, st.integers(1, 12), st.sampled_from([None, 1, 3, 8, 64]), st.booleans())
@example(linear_model(), (torch.arange(10.0).view(-1, 1), torch.arange(10.0).view(-1, 1)), 0.01, {}, 50, None, False)
def test_whatever_the_tree_and_the_data_the_bits_are_autograds(
    model: LinearModel,
    points: tuple[Tensor, Tensor],
    lr: float,
    args: dict[str, Any],
    epochs: int,
    batch_size: int | None,
    is_nesterov: bool,
) -> None:
    if is_nesterov and args.get("momentum") and not args.get("dampening"):
        args = {**args, "nesterov": True}
    x, y = points
    batch_size = min(batch_size, len(x)) if batch_size and len(x) <= 64 else None
    asked: dict[str, Any] = {
        "lr": lr,
        "optimizer_args": args,
        "epochs": epochs,
        "batch_size": batch_size,
        "module_stats_every": 1,
    }
    if (message := misfit(RunConfig(**asked), model, x.shape, y.shape)) is not None:
        assert "requires a gradient" in message
        return
    (ours, fused), (theirs, autograd) = reversed(both(model, points, **asked))
    assert fused.epochs == autograd.epochs
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert same(one.detach(), other.detach())
        assert (one.grad is None) == (other.grad is None)
        assert one.grad is None or other.grad is None or same(one.grad, other.grad)
    for figures, expected in zip(fused.figures, autograd.figures, strict=True):
        assert np.array_equal(figures, expected, equal_nan=True)
    assert fused.loop is not None
    assert autograd.loop is not None
    assert same(fused.loop.optimizer.state_dict()["state"], autograd.loop.optimizer.state_dict()["state"])
    assert (fused.loop.step, autograd.loop.step) == ("fused", "autograd")


@pytest.mark.parametrize("args", [{}, {"momentum": 0.9}])
def test_either_step_goes_on_from_the_others_checkpoint(args: dict[str, object]) -> None:
    points = torch.arange(10.0).view(-1, 1), 2 * torch.arange(10.0).view(-1, 1) + 1
    config = RunConfig(
        epochs=6, lr=1e-4, optimizer_args=args, lr_scheduler="ExponentialLR", lr_scheduler_args={"gamma": 0.9}
    )
    whole = chain([(1.0, 0.5), (0.5, 0.25)])
    expected = trained(whole, config, points).epochs
    for first, then in (("autograd", "fused"), ("fused", "autograd")):
        model = chain([(1.0, 0.5), (0.5, 0.25)])
        before = RunConfig(**{**_asked(config), "epochs": 3, "step": first})
        half = trained(model, before, points)
        assert half.loop is not None
        state = half.loop.optimizer.state_dict()
        checkpoint = Checkpoint(3, {}, state, torch.get_rng_state(), half.loop.state())
        after = RunConfig(**{**_asked(config), "step": then})
        rest = trained(model, after, points, loop_of(model, after, points, checkpoint), first=3)
        assert half.epochs + rest.epochs == expected
        assert bits(model) == bits(whole)


def _asked(config: RunConfig) -> dict[str, Any]:
    return {name: getattr(config, name) for name in config.__struct_fields__}


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"optimizer": "Adam"}, "that of SGD"),
        ({"optimizer_args": {"fused": True}}, "that of SGD"),
        ({"loss": "L1Loss"}, "that of MSELoss"),
        ({"loss_args": {"reduction": "sum"}}, "that of MSELoss"),
    ],
)
def test_another_optimizer_or_loss_is_refused(asked: dict[str, Any], why: str) -> None:
    assert why in (misfit(RunConfig(**asked), linear_model(), (10, 1), (10, 1)) or "")


def test_a_tree_or_data_of_another_shape_is_refused() -> None:
    config, wide, mixed = RunConfig(), linear_model(), linear_model()
    wide.weight = nn.Parameter(torch.ones(2))
    mixed.chain = True
    mixed.sub = nn.Linear(1, 1)
    for model in (wide, mixed, nn.Linear(1, 1), linear_model().double()):
        assert "LinearModels whose weight" in (misfit(config, model, (10, 1), (10, 1)) or "")
    assert "y in the shape of x, (10, 2); got (10, 1)" in (misfit(config, linear_model(), (10, 2), (10, 1)) or "")
    assert "up to" in (misfit(config, linear_model(), (MAX_ELEMENTS, 2), (MAX_ELEMENTS, 2)) or "")
    frozen = linear_model().requires_grad_(False)
    assert "requires a gradient" in (misfit(config, frozen, (10, 1), (10, 1)) or "")
    assert misfit(config, linear_model(), (10, 1), (10, 1)) is None
