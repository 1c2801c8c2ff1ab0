"""The loss functions that a run may name: the classes of torch.nn that compare a prediction with a real target."""

import inspect
import warnings
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from app.errors import Misfit
from app.training import arguments
from app.training.arguments import Argument, arguments_of
from app.translation import said

# Tensors, which JSON cannot say, and names from before `reduction`.
_GIVEN_APART = frozenset({"weight", "pos_weight", "size_average", "reduce"})
# A step needs a single number; "none" gives one for every point.
REDUCTIONS = ("mean", "sum")


def _compares_two(kind: type[nn.Module]) -> bool:
    made = [p for p in inspect.signature(kind).parameters.values() if p.default is p.empty]
    called = list(inspect.signature(kind.forward).parameters)
    return not made and len(called) == 3


def _takes_real_targets(kind: type[nn.Module]) -> bool:
    # NLLLoss and the margin losses want class numbers as targets; only calling them tells.
    pred = torch.full((2, 1), 0.5, requires_grad=True)
    try:
        loss: Tensor = kind()(pred, torch.full((2, 1), 0.5))
        loss.backward()  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError):
        return False
    return True


def _loss_classes() -> Mapping[str, type[nn.Module]]:
    named: dict[str, Any] = {name: kind for name, kind in sorted(vars(nn).items()) if name.endswith("Loss")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {name: kind for name, kind in named.items() if _compares_two(kind) and _takes_real_targets(kind)}
    return MappingProxyType(found)


def _arguments(kind: type[nn.Module]) -> tuple[Argument, ...]:
    return tuple(
        replace(argument, choices=REDUCTIONS) if argument.name == "reduction" else argument
        for argument in arguments_of(kind, _GIVEN_APART)
    )


LOSSES: Mapping[str, type[nn.Module]] = _loss_classes()
ARGUMENTS: Mapping[str, tuple[Argument, ...]] = {name: _arguments(kind) for name, kind in LOSSES.items()}


def build_loss(name: str, args: Mapping[str, object]) -> nn.Module:
    """Return the loss function; raises what torch raises where it refuses an argument."""
    return LOSSES[name](**arguments.taken(args))


def misfits_of(name: str, args: Mapping[str, object]) -> list[Misfit]:
    """Return what torch would refuse of a loss function and its arguments, found out by calling it on two numbers."""
    if name not in LOSSES:
        known = ", ".join(LOSSES)
        return [Misfit(("loss",), said("expected one of %(known)s; got %(given)r", known=known, given=name))]
    misfits = arguments.misfits_of(name, "loss_args", ARGUMENTS[name], args)
    return misfits or arguments.refused("loss_args", args, lambda some: _one_loss(name, some))


def refusal_of(name: str, args: Mapping[str, object], features: int) -> str | None:
    """Return torch's message where the loss of points with so many features each is refused, else None."""
    points = torch.full((2, features), 0.5)
    return arguments.refusal_of(lambda: build_loss(name, args)(points, points).item())


def _one_loss(name: str, args: Mapping[str, object]) -> str | None:
    return refusal_of(name, args, 1)
