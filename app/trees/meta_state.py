"""A live module lent to the meta device: shapes without values for the time of a block, then all as it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from app.trees.foreign import Raised, attempt


@contextmanager
def on_meta(modules: list[nn.Module]) -> Iterator[None]:
    """Give the modules' tensors no values and put them in eval mode, for the block; tied tensors stay tied.

    Afterwards each has its class, its attributes and its registered tensors, children and hooks again, also where
    `forward` replaced them (a lazy module becomes another class when it is first called).
    """
    states = [_State(module) for module in modules]
    try:
        made: dict[int, Tensor] = {}
        for module in modules:
            _move(module, made)
            module.training = False
        yield
    finally:
        for state in states:
            state.restore()


class _State:
    def __init__(self, module: nn.Module) -> None:
        self._module = module
        self._class = type(module)
        self._attributes = dict(module.__dict__)
        self._contents = {
            name: value.copy() for name, value in module.__dict__.items() if isinstance(value, dict | set | list)
        }

    def restore(self) -> None:
        if type(self._module) is not self._class:
            self._module.__class__ = self._class
        attributes = self._module.__dict__
        attributes.clear()
        attributes.update(self._attributes)
        for name, content in self._contents.items():
            held: Any = attributes[name]
            if isinstance(held, list):
                held[:] = content
            else:
                held.clear()
                held.update(content)


def _move(module: nn.Module, made: dict[int, Tensor]) -> None:
    registered: tuple[dict[str, Any], ...] = (module._parameters, module._buffers)
    for tensors in registered:
        for name, tensor in tensors.items():
            if tensor is not None:
                tensors[name] = _meta(tensor, made)
    for name, value in list(module.__dict__.items()):
        # Tensors that are kept without being registered, such as the list of its parameters that an LSTM has.
        if isinstance(value, Tensor):
            module.__dict__[name] = _meta(value, made)
        elif isinstance(value, list) and any(isinstance(item, Tensor) for item in value):
            module.__dict__[name] = [_meta(item, made) if isinstance(item, Tensor) else item for item in value]


def _meta(tensor: Tensor, made: dict[int, Tensor]) -> Tensor:
    found = made.get(id(tensor))
    if found is None:
        found = made[id(tensor)] = _made(tensor)
    return found


def _made(tensor: Tensor) -> Tensor:
    if tensor.is_meta:
        return tensor
    if is_lazy(tensor):
        like = torch.empty(0, dtype=tensor.dtype, device="meta")
        return type(tensor)(requires_grad=tensor.requires_grad, device=like.device, dtype=like.dtype)  # type: ignore[call-arg]
    moved = attempt(lambda: tensor.detach().to("meta"))
    if isinstance(moved, Raised):
        return tensor
    return nn.Parameter(moved, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else moved
