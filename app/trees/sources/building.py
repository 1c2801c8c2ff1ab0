"""How foreign code is let build a module: on which device, how much of it, and what is said when it fails."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec
import torch
from torch import nn
from torch.nn.modules.module import register_module_module_registration_hook

from app.errors import Invalid, Misfit, ModuletreeError, TooLarge
from app.translation import said
from app.trees.foreign import MAX_NOTE, Raised, attempt, cut, notes_of

MIB = 1024 * 1024


class Device(StrEnum):
    """Where a module is built; on meta its tensors have shapes and no values."""

    META = "meta"
    CPU = "cpu"


class BuildLimits(msgspec.Struct, frozen=True):
    """How large a build may become; `max_memory` is in bytes beyond what the process has at its start."""

    max_modules: int = 250_000
    max_depth: int = 20_000
    max_cpu_elements: int = 500_000_000
    max_memory: int = 4096 * MIB
    max_cpu_s: int = 30
    max_wall_s: int = 60


@dataclass(frozen=True, slots=True)
class Built:
    """A module as it was built, and what was warned of meanwhile."""

    module: nn.Module
    notes: list[str]


def build(what: str, device: Device, make: Callable[[], object], limits: BuildLimits) -> Built:
    """Return the module that `make` returns on `device`; `what` names it in errors.

    Raises `TooLarge` past the limits (on the CPU, after a try on meta that costs no memory), `Invalid` for what the
    constructor raised, with its class and message, and for a module that cannot be built on meta.
    """
    if device is Device.CPU:
        _check_size(what, attempt(lambda: _made(Device.META, make, limits)), limits)
    made = attempt(lambda: _made(device, make, limits))
    if isinstance(made, Raised):
        raise error_of(what, made, device, limits) from made.error
    value, notes = made
    if not isinstance(value, nn.Module):
        raise _invalid(
            "target",
            said(
                "%(what)s returned %(class_name)s, expected a torch.nn.Module.",
                what=what,
                class_name=type(value).__name__,
            ),
        )
    return Built(value, notes)


def error_of(what: str, raised: Raised, device: Device, limits: BuildLimits) -> ModuletreeError:
    """Return our error for what a constructor raised."""
    where = said(", in %(place)s", place=raised.where) if raised.where else ""
    if is_out_of_memory(raised):
        return too_much_memory(limits)
    if device is Device.META and raised.asks_for_values:
        return _invalid(
            "device",
            said(
                "%(what)s cannot be built on the meta device: it needs the values of a tensor while it is built "
                '(%(raised)s%(where)s). It may be built with "device": "cpu".',
                what=what,
                raised=cut(str(raised), MAX_NOTE),
                where=where,
            ),
        )
    return _invalid("kwargs", said("%(what)s raised %(raised)s%(where)s.", what=what, raised=str(raised), where=where))


def too_much_memory(limits: BuildLimits) -> TooLarge:
    """Return the error of a build that wanted more memory than it may have."""
    mib = limits.max_memory // MIB
    return TooLarge(
        said(
            "Building takes more than %(mib)s MiB of memory, which is the limit here; on meta, tensors take none.",
            mib=f"{mib:,}",
        ),
        limits.max_memory,
    )


def is_out_of_memory(raised: Raised) -> bool:
    """Whether an exception says that there was no memory left."""
    text = raised.message.lower()
    return isinstance(raised.error, MemoryError) or "can't allocate memory" in text or "cannot allocate memory" in text


def _made(device: Device, make: Callable[[], object], limits: BuildLimits) -> tuple[object, list[str]]:
    with (
        warnings.catch_warnings(record=True) as caught,
        torch.device(device.value),
        _at_most(limits.max_modules),
    ):
        warnings.simplefilter("always")
        value = make()
    return value, notes_of(caught)


@contextmanager
def _at_most(max_modules: int) -> Iterator[None]:
    # Counted as they come, so that a number of layers in the billions is stopped long before it fills the memory: by
    # registration, and by what deepcopy calls (torch clones the layers of its Transformer in one list first).
    left = max_modules
    set_state = nn.Module.__setstate__

    def count(_module: nn.Module, _name: str, _child: nn.Module | None) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise TooLarge(
                said(
                    "Building makes more than %(max_modules)s modules, which is the limit here.",
                    max_modules=f"{max_modules:,}",
                ),
                max_modules,
            )

    def copy(module: nn.Module, state: Any) -> None:
        count(module, "", None)
        set_state(module, state)  # type: ignore[no-untyped-call]

    handle = register_module_module_registration_hook(count)
    nn.Module.__setstate__ = copy  # type: ignore[method-assign]
    try:
        yield
    finally:
        nn.Module.__setstate__ = set_state  # type: ignore[method-assign]
        handle.remove()


def _check_size(what: str, made: tuple[object, list[str]] | Raised, limits: BuildLimits) -> None:
    if isinstance(made, Raised) or not isinstance(made[0], nn.Module):
        return
    tensors = {id(tensor): tensor for module in _distinct(made[0]) for tensor in _own(module)}
    elements = sum(tensor.numel() for tensor in tensors.values())
    if elements > limits.max_cpu_elements:
        raise TooLarge(
            said(
                "%(what)s has %(elements)s elements; on the CPU the limit here is %(max_cpu_elements)s. With "
                '"device": "meta" it takes no memory.',
                what=what,
                elements=f"{elements:,}",
                max_cpu_elements=f"{limits.max_cpu_elements:,}",
            ),
            limits.max_cpu_elements,
        )


def _distinct(root: nn.Module) -> Iterator[nn.Module]:
    seen, todo = {id(root)}, [root]
    while todo:
        module = todo.pop()
        yield module
        for child in module._modules.values():
            if child is not None and id(child) not in seen:
                seen.add(id(child))
                todo.append(child)


def _own(module: nn.Module) -> Iterator[torch.Tensor]:
    for tensor in (*module._parameters.values(), *module._buffers.values()):
        if tensor is not None and not nn.parameter.is_lazy(tensor):
            yield tensor


def _invalid(key: str, detail: str) -> Invalid:
    return Invalid(detail, (Misfit(("source", key), detail),))


def device_of(source: Mapping[str, object]) -> Device:
    """Return the device that a source names, meta where it names none; raises `Invalid` for another."""
    named = source.get("device", Device.META.value)
    if not isinstance(named, str) or named not in set(Device):
        raise _invalid(
            "device",
            said(
                "source.device: expected one of %(names)s, got %(named)s.",
                names=", ".join(Device),
                named=cut(repr(named), 60),
            ),
        )
    return Device(named)
