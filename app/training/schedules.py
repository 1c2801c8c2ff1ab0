"""The learning-rate schedules that a run may name: those of torch.optim.lr_scheduler that need nothing but numbers."""

import inspect
from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import nn, optim
from torch.optim import lr_scheduler
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR, ReduceLROnPlateau

from app.errors import Misfit
from app.training import arguments
from app.training.arguments import Argument, arguments_of
from app.training.optimizers import build_optimizer
from app.translation import said

# `last_epoch` is what a checkpoint restores.
_GIVEN_APART = frozenset({"optimizer", "last_epoch"})
_UNSAYABLE = frozenset({"lr_lambda", "schedulers"})


def _schedule_classes() -> Mapping[str, type[LRScheduler]]:
    found = {
        name: kind
        for name, kind in sorted(vars(lr_scheduler).items())
        if inspect.isclass(kind) and issubclass(kind, LRScheduler) and kind is not LRScheduler
    }
    return MappingProxyType(
        {
            name: kind
            for name, kind in found.items()
            if not name.startswith("_") and not _UNSAYABLE & set(inspect.signature(kind).parameters)
        }
    )


LR_SCHEDULERS: Mapping[str, type[LRScheduler]] = _schedule_classes()
ARGUMENTS: Mapping[str, tuple[Argument, ...]] = {
    name: arguments_of(kind, _GIVEN_APART) for name, kind in LR_SCHEDULERS.items()
}


def build_scheduler(name: str, optimizer: optim.Optimizer, args: Mapping[str, object]) -> LRScheduler:
    """Return the schedule of an optimizer, which steps once an epoch; raises what torch raises of its arguments."""
    return LR_SCHEDULERS[name](optimizer, **arguments.taken(args))


def step_scheduler(scheduler: LRScheduler, loss: float) -> None:
    """Go on by an epoch; `loss` is what ReduceLROnPlateau watches."""
    if isinstance(scheduler, ReduceLROnPlateau):
        scheduler.step(loss)
    else:
        scheduler.step()


def misfits_of(
    name: str | None,
    args: Mapping[str, object],
    optimizer: str,
    lr: float,
    optimizer_args: Mapping[str, object],
    epochs: int,
) -> list[Misfit]:
    """Return what torch would refuse of a schedule over an optimizer that is sound, found out by making it once."""
    if name is None:
        return [Misfit(("lr_scheduler_args",), said("expected none without lr_scheduler"))] if args else []
    if name not in LR_SCHEDULERS:
        known = ", ".join(LR_SCHEDULERS)
        return [
            Misfit(("lr_scheduler",), said("expected null or one of %(known)s; got %(name)r", known=known, name=name))
        ]

    def attempt(some: Mapping[str, object]) -> str | None:
        return arguments.refusal_of(lambda: _two_epochs(name, some, optimizer, lr, optimizer_args, epochs))

    misfits = arguments.misfits_of(name, "lr_scheduler_args", ARGUMENTS[name], args)
    if misfits:
        return misfits
    message = attempt(args)
    if message is None:
        return []
    required = {argument.name for argument in ARGUMENTS[name] if argument.is_required}
    kept = {key: value for key, value in args.items() if key in required}
    blamed = [key for key in args if key not in required and attempt({**kept, key: args[key]}) is not None]
    only = blamed[0] if len(blamed) == 1 else next(iter(args), "") if len(args) == 1 else ""
    return [Misfit(("lr_scheduler_args", only) if only else ("lr_scheduler_args",), message)]


def _two_epochs(
    name: str,
    args: Mapping[str, object],
    optimizer: str,
    lr: float,
    optimizer_args: Mapping[str, object],
    epochs: int,
) -> None:
    parameter = nn.Parameter(torch.ones(1))
    parameter.grad = torch.zeros(1)
    over = build_optimizer(optimizer, [parameter], lr, optimizer_args)
    scheduler = build_scheduler(name, over, args)
    if isinstance(scheduler, OneCycleLR) and scheduler.total_steps < epochs:
        # torch would raise at the step after the last, in the middle of the run.
        raise ValueError(f"Tried to step {epochs} times. The total number of steps is {scheduler.total_steps}")
    over.step(lambda: 1.0)
    for _ in range(min(2, epochs - 1)):
        step_scheduler(scheduler, 1.0)
