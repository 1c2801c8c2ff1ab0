"""The optimizers that a run may name, the arguments they take, and what is wrong with the ones given."""

import contextlib
import inspect
import math
import threading
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn, optim

from app.errors import Misfit
from app.translation import said

# SparseAdam takes sparse gradients only, Muon matrices only: neither can train a LinearModel.
_UNFIT = frozenset({"SparseAdam", "Muon"})
# Up to here every optimizer takes any lr with its own defaults (a test holds that), so that nothing has to be tried:
# the first optimizer that a process makes imports torch's compiler, which takes more than a second.
SOUND_LR = 1e30
MAX_EVALUATIONS = 20
REFUSALS = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
_GIVEN_APART = frozenset({"self", "params", "lr"})


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of an optimizer besides `params` and `lr`, its type in torch's words, and its default."""

    name: str
    type: str
    default: object


def _optimizer_classes() -> Mapping[str, type[optim.Optimizer]]:
    found = {
        name: kind
        for name, kind in sorted(vars(optim).items())
        if inspect.isclass(kind) and issubclass(kind, optim.Optimizer) and kind is not optim.Optimizer
    }
    return MappingProxyType({name: kind for name, kind in found.items() if name not in _UNFIT})


def _arguments(kind: type[optim.Optimizer]) -> tuple[Argument, ...]:
    return tuple(
        Argument(name, getattr(given.annotation, "__name__", str(given.annotation)), given.default)
        for name, given in inspect.signature(kind).parameters.items()
        if name not in _GIVEN_APART
    )


OPTIMIZERS: Mapping[str, type[optim.Optimizer]] = _optimizer_classes()
ARGUMENTS: Mapping[str, tuple[Argument, ...]] = {name: _arguments(kind) for name, kind in OPTIMIZERS.items()}


def build_optimizer(name: str, params: Iterable[Tensor], lr: float, args: Mapping[str, object]) -> optim.Optimizer:
    """Return the optimizer over `params`; raises what torch raises where it refuses an argument."""
    given: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in args.items()}
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
    known = {argument.name: argument for argument in ARGUMENTS[name]}
    misfits = (
        []
        if math.isfinite(lr) and lr >= 0
        else [Misfit(("lr",), said("expected a finite number, 0 or more; got %(lr)s", lr=lr))]
    )
    for key, value in args.items():
        if key not in known:
            expected = f"{name} takes {', '.join(known)}" if known else f"{name} takes no more arguments"
            misfits.append(Misfit(("optimizer_args", key), said("unknown argument; %(expected)s", expected=expected)))
        elif not _is_plain(value) or not _is_like(value, known[key]):
            misfits.append(
                Misfit(
                    ("optimizer_args", key), said("expected %(type)s, got %(value)r", type=known[key].type, value=value)
                )
            )
    if misfits or (not args and lr <= SOUND_LR):
        return misfits
    return _refused(name, lr, args)


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return len(value) <= 8 and all(_is_plain(item) and not isinstance(item, list) for item in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, bool | str | None) or (isinstance(value, int) and abs(value) < 2**63)


def _is_like(value: object, argument: Argument) -> bool:
    default = argument.default
    if isinstance(default, bool):
        return isinstance(value, bool)
    if isinstance(default, tuple):
        return isinstance(value, list) and len(value) == len(default)
    if isinstance(default, int | float):
        return isinstance(value, int if argument.type == "int" else int | float) and not isinstance(value, bool)
    if "bool" in argument.type:
        return value is None or isinstance(value, bool)
    if "str" in argument.type:
        return value is None or isinstance(value, str)
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _refused(name: str, lr: float, args: Mapping[str, object]) -> list[Misfit]:
    message = _one_step(name, lr, args)
    if message is None:
        return []
    alone = {key: said for key in args if (said := _one_step(name, lr, {key: args[key]})) is not None}
    sound = {key: value for key, value in args.items() if key not in alone}
    # An argument may need another one, as nesterov needs momentum: it is refused only if the sound ones do not help.
    refused = {key: said for key in alone if (said := _one_step(name, lr, {**sound, key: args[key]})) is not None}
    if refused:
        return [Misfit(("optimizer_args", key), said) for key, said in refused.items()]
    return [Misfit(("optimizer_args",) if args else ("lr",), message)]


class _Enough(Exception):
    """The step evaluates the loss as often as it was told to, which may be for ever: it is accepted."""


_one_at_a_time = threading.Lock()


def _one_step(name: str, lr: float, args: Mapping[str, object]) -> str | None:
    """Take one step on one number and return torch's message where it refuses, else None."""
    parameter = nn.Parameter(torch.ones(1))
    evaluations = iter(range(MAX_EVALUATIONS))

    def closure() -> float:
        if next(evaluations, None) is None:
            raise _Enough
        parameter.grad = torch.ones(1)
        return 1.0

    closure()
    # Filters of warnings belong to the whole process, so that two threads must not swap them at once.
    with _one_at_a_time, warnings.catch_warnings(), contextlib.suppress(_Enough):
        warnings.simplefilter("ignore")
        try:
            build_optimizer(name, [parameter], lr, args).step(closure)
        except REFUSALS as error:
            return str(error) or type(error).__name__
    return None
