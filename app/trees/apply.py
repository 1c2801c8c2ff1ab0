"""`apply`: named functions over every submodule, children first as torch does."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import get_type_hints

import torch
from torch import Tensor, nn

from app.errors import CannotDo, Invalid, Misfit, NameRefused, TooLarge
from app.translation import N_, said
from app.trees.edit import submodule, subtree
from app.trees.values import check_text, tensor_of

Changer = Callable[[nn.Module, Mapping[str, object]], None]

REQUIRED = inspect.Parameter.empty
MAX_NEW_ELEMENTS = 10_000_000


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a named function: its kind in JSON's words, and its default (`REQUIRED` when it has none)."""

    name: str
    kind: str
    default: object

    @property
    def is_required(self) -> bool:
        """Whether the argument has no default."""
        return self.default is REQUIRED


@dataclass(frozen=True, slots=True)
class ApplyFunction:
    """A function that `apply` can be asked for by name, what it does, and its arguments.

    `num_new` says how many elements it makes in a module; `check` raises where `change` would refuse a module.
    """

    name: str
    doc: str
    arguments: tuple[Argument, ...]
    change: Changer
    num_new: Callable[[Mapping[str, object]], int] | None = None
    check: Changer | None = None


def apply(root: nn.Module, target: str, fn: str, arguments: Mapping[str, object]) -> int:
    """Call the named function on every module in the subtree at `target` and return on how many.

    Children come before their parent. Raises `Invalid` for an unknown function or arguments that do not fit and
    `NameRefused` for a new name that torch refuses, before anything is changed; and `CannotDo`, with torch's message,
    where the function fails on a module: some may have been changed by then.
    """
    function = APPLY_FUNCTIONS.get(fn)
    if function is None:
        msg = said("no function %(fn)r; there are %(known)s", fn=fn, known=", ".join(APPLY_FUNCTIONS))
        raise Invalid(said("fn: %(msg)s.", msg=msg), (Misfit(("fn",), msg),))
    filled = _filled(function, arguments)
    top = submodule(root, target)
    _check_cost(function, top, filled)
    if "seed" in filled:
        filled["generator"] = _generator(filled.pop("seed"))
    count = 0
    try:
        if function.check is not None:
            for module in subtree(top):
                function.check(module, filled)
        for module in children_first(top):
            function.change(module, filled)
            count += 1
    except KeyError as error:
        raise NameRefused(str(error.args[0]), target) from error
    except (RuntimeError, ValueError, TypeError, ArithmeticError) as error:
        raise CannotDo(
            said("%(fn)s on a %(class_name)s: %(error)s", fn=fn, class_name=type(module).__name__, error=str(error))
        ) from error
    return count


def _generator(seed: object) -> torch.Generator | None:
    return torch.Generator().manual_seed(seed) if isinstance(seed, int) else None


def _check_cost(function: ApplyFunction, top: nn.Module, filled: Mapping[str, object]) -> None:
    if function.num_new is None:
        return
    count = sum(1 for _ in subtree(top))
    if function.num_new(filled) * count > MAX_NEW_ELEMENTS:
        raise TooLarge(
            said(
                "%(name)s on %(count)s modules would make more than %(most)s elements.",
                name=function.name,
                count=f"{count:,}",
                most=f"{MAX_NEW_ELEMENTS:,}",
            ),
            MAX_NEW_ELEMENTS,
        )


def children_first(top: nn.Module) -> Iterator[nn.Module]:
    """Yield every module below and then the top, in the order in which `nn.Module.apply` calls its function."""
    todo: list[tuple[nn.Module, bool]] = [(top, False)]
    while todo:
        module, is_open = todo.pop()
        if is_open or not module._modules:
            yield module
            continue
        todo.append((module, True))
        siblings = {id(child): child for child in module._modules.values() if child is not None}
        todo.extend((child, False) for child in reversed(siblings.values()))


def _filled(function: ApplyFunction, given: Mapping[str, object]) -> dict[str, object]:
    known = {argument.name: argument for argument in function.arguments}
    misfits = [
        Misfit(
            ("args", name),
            said(
                "%(name)s has no argument %(argument)r; it has %(known)s",
                name=function.name,
                argument=name,
                known=", ".join(known) or "none",
            ),
        )
        for name in given
        if name not in known
    ]
    filled: dict[str, object] = {}
    for name, argument in known.items():
        if name not in given and argument.is_required:
            misfits.append(Misfit(("args", name), said("missing")))
            continue
        value = given.get(name, argument.default)
        if name in given and not _FITS[argument.kind](value):
            misfits.append(
                Misfit(("args", name), said("expected %(kind)s, got %(value)r", kind=said(argument.kind), value=value))
            )
        filled[name] = value
    if misfits:
        raise Invalid("; ".join(f"{misfit.loc[-1]}: {misfit.msg}" for misfit in misfits) + ".", tuple(misfits))
    return filled


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_FITS: dict[str, Callable[[object], bool]] = {
    N_("a number"): _is_number,
    N_("a whole number"): _is_whole,
    N_("a whole number or null"): lambda value: (
        value is None or (_is_whole(value) and -(2**63) <= int(str(value)) < 2**64)
    ),
    N_("a string"): lambda value: isinstance(value, str),
    N_("a string or null"): lambda value: value is None or isinstance(value, str),
    N_("true or false"): lambda value: isinstance(value, bool),
    N_("nested numbers"): lambda value: _is_number(value) or isinstance(value, list),
}


def _check_new_weight(module: nn.Module, arguments: Mapping[str, object]) -> None:
    name = str(arguments["name"])
    check_text(name, ("args", "name"))
    if hasattr(module, name) and name not in module._parameters:
        module.register_parameter(name, None)  # raises, in torch's words


def _make_new_weight(module: nn.Module, arguments: Mapping[str, object]) -> None:
    value = tensor_of(arguments["value"], ("args", "value"))
    module.register_parameter(str(arguments["name"]), nn.Parameter(value.to(torch.float32)))


def _num_new_weight(arguments: Mapping[str, object]) -> int:
    return tensor_of(arguments["value"], ("args", "value")).numel()


def _requires_grad(module: nn.Module, arguments: Mapping[str, object]) -> None:
    for parameter in _own_parameters(module):
        if parameter.is_floating_point():
            parameter.requires_grad_(bool(arguments["requires_grad"]))


def _zero(module: nn.Module, arguments: Mapping[str, object]) -> None:
    with torch.no_grad():
        for parameter in _own_parameters(module):
            parameter.zero_()


def _own_parameters(module: nn.Module) -> Iterator[Tensor]:
    return (parameter for parameter in module._parameters.values() if parameter is not None)


def _initialiser(function: Callable[..., Tensor]) -> ApplyFunction:
    arguments = [
        Argument(name, _KINDS[kind], parameter.default)
        for name, parameter, kind in _signature(function)
        if name not in ("tensor", "generator")
    ]
    doc = inspect.cleandoc(function.__doc__ or "").split("\n\n")[0].replace("\n", " ")
    doc = re.sub(r":math:`\\text\{(\w+)\}`", r"`\1`", doc)

    def change(module: nn.Module, filled: Mapping[str, object]) -> None:
        wanted = filled["parameter"]
        keywords = {name: value for name, value in filled.items() if name != "parameter"}
        for name, parameter in module._parameters.items():
            if parameter is not None and wanted in (None, name):
                function(parameter, **keywords)

    arguments.append(Argument("parameter", N_("a string or null"), None))
    if "generator" in inspect.signature(function).parameters:
        arguments.append(Argument("seed", N_("a whole number or null"), None))
    return ApplyFunction(function.__name__, doc, tuple(arguments), change)


def _signature(function: Callable[..., Tensor]) -> Iterator[tuple[str, inspect.Parameter, object]]:
    hints = get_type_hints(function)
    for name, parameter in inspect.signature(function).parameters.items():
        yield name, parameter, hints.get(name, float)


class _Kinds(dict[object, str]):
    def __missing__(self, key: object) -> str:
        return "a string"


_KINDS = _Kinds({float: N_("a number"), int: N_("a whole number"), str: N_("a string"), bool: N_("true or false")})


_INITIALISERS: tuple[Callable[..., Tensor], ...] = (
    nn.init.uniform_,
    nn.init.normal_,
    nn.init.trunc_normal_,
    nn.init.constant_,
    nn.init.ones_,
    nn.init.zeros_,
    nn.init.eye_,
    nn.init.dirac_,
    nn.init.xavier_uniform_,
    nn.init.xavier_normal_,
    nn.init.kaiming_uniform_,
    nn.init.kaiming_normal_,
    nn.init.orthogonal_,
    nn.init.sparse_,
)

APPLY_FUNCTIONS: dict[str, ApplyFunction] = {
    function.name: function
    for function in (
        ApplyFunction(
            "make_new_weight",
            N_("Gives each module a new parameter."),
            (Argument("name", "a string", "weight2"), Argument("value", N_("nested numbers"), [2.0])),
            _make_new_weight,
            _num_new_weight,
            _check_new_weight,
        ),
        ApplyFunction(
            "requires_grad_",
            N_("Freezes each module's own parameters, or unfreezes them."),
            (Argument("requires_grad", N_("true or false"), True),),
            _requires_grad,
        ),
        ApplyFunction("zero_", N_("Sets each module's own parameters to zero."), (), _zero),
        *[_initialiser(function) for function in _INITIALISERS],
    )
}
