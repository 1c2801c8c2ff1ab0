"""The optimizers that a run may name, the arguments they take, and what is wrong with the ones given."""

import contextlib
import inspect
import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn, optim

from app.errors import Misfit
from app.training import arguments
from app.training.arguments import Argument, arguments_of
from app.translation import said

# SparseAdam takes sparse gradients only, Muon matrices only: neither can train a LinearModel.
_UNFIT = frozenset({"SparseAdam", "Muon"})
# Up to here every optimizer takes any lr with its own defaults (a test holds that), so that nothing has to be tried:
# the first optimizer that a process makes imports torch's compiler, which takes more than a second.
SOUND_LR = 1e30
MAX_EVALUATIONS = 20
_GIVEN_APART = frozenset({"self", "params", "lr"})


def _optimizer_classes() -> Mapping[str, type[optim.Optimizer]]:
    found = {
        name: kind
        for name, kind in sorted(vars(optim).items())
        if inspect.isclass(kind) and issubclass(kind, optim.Optimizer) and kind is not optim.Optimizer
    }
    return MappingProxyType({name: kind for name, kind in found.items() if name not in _UNFIT})


OPTIMIZERS: Mapping[str, type[optim.Optimizer]] = _optimizer_classes()
ARGUMENTS: Mapping[str, tuple[Argument, ...]] = {
    name: arguments_of(kind, _GIVEN_APART) for name, kind in OPTIMIZERS.items()
}


def build_optimizer(name: str, params: Iterable[Tensor], lr: float, args: Mapping[str, object]) -> optim.Optimizer:
    """Return the optimizer over `params`; raises what torch raises where it refuses an argument."""
    given: dict[str, Any] = arguments.taken(args)
    if not given.get("fused") and any(argument.name == "foreach" for argument in ARGUMENTS[name]):
        # What torch comes to by itself on the CPU; said aloud it is not asked again at every step (7 % of an epoch).
        given.setdefault("foreach", False)
    return OPTIMIZERS[name](params, **{"lr": lr, **given})


def needs_closure(optimizer: optim.Optimizer) -> bool:
    """Return whether `step` evaluates the loss itself, several times, as LBFGS does."""
    closure = inspect.signature(type(optimizer).step).parameters["closure"]
    return closure.default is closure.empty


def misfits_of(name: str, lr: float, args: Mapping[str, object]) -> list[Misfit]:
    """Return what torch would refuse: unknown names, values of another kind, and what one tiny step finds out."""
    if name not in OPTIMIZERS:
        return [
            Misfit(
                ("optimizer",), said("expected one of %(known)s; got %(name)r", known=", ".join(OPTIMIZERS), name=name)
            )
        ]
    misfits = (
        []
        if math.isfinite(lr) and lr >= 0
        else [Misfit(("lr",), said("expected a finite number, 0 or more; got %(lr)s", lr=lr))]
    )
    misfits += arguments.misfits_of(name, "optimizer_args", ARGUMENTS[name], args)
    if misfits or (not args and lr <= SOUND_LR):
        return misfits
    return arguments.refused("optimizer_args", args, lambda some: _one_step(name, lr, some), blame="lr")


class _Enough(Exception):
    """The step evaluates the loss as often as it was told to, which may be for ever: it is accepted."""


def _one_step(name: str, lr: float, args: Mapping[str, object]) -> str | None:
    """Take one step on one number and return torch's message where it refuses, else None."""
    parameter = nn.Parameter(torch.ones(1))
    evaluations = iter(range(MAX_EVALUATIONS))

    def closure() -> float:
        if next(evaluations, None) is None:
            raise _Enough
        parameter.grad = torch.ones(1)
        return 1.0

    def step() -> None:
        with contextlib.suppress(_Enough):
            build_optimizer(name, [parameter], lr, args).step(closure)

    closure()
    return arguments.refusal_of(step)
