"""What a module takes and returns, as shapes: tensors, and whatever holds them."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from torch import Tensor
from torch.utils import _pytree

from app.trees.foreign import Raised, attempt, cut, plain

MAX_VALUES = 32
MAX_TEXT = 60
MAX_SEEN = 10_000


class Traced(msgspec.Struct, omit_defaults=True):
    """A value that went in or out: `name` is its place ("0", "hidden_states", "past.1.key"), "" for a lone output.

    A tensor has `shape` and `dtype`, anything else its class and a short text.
    """

    name: str
    shape: list[int] | None = None
    dtype: str = ""
    class_name: str = ""
    text: str = ""


def values_of(value: Any) -> list[Traced]:
    """Return the leaves of a value in order, at most 32; then one that says how many more there are."""
    return _leaves([("", value)])


def inputs_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Traced]:
    """Return the leaves of the arguments of a call, named by their place or keyword."""
    return _leaves([(str(at), item) for at, item in enumerate(args)] + list(kwargs.items()))


def _leaves(values: list[tuple[str, Any]]) -> list[Traced]:
    found: list[Traced] = []
    num_more = num_seen = 0
    todo = values[::-1]
    while todo:
        name, item = todo.pop()
        num_seen += 1
        # A list may hold itself.
        inner = _inner(item) if num_seen < MAX_SEEN else None
        if inner is not None:
            todo.extend((f"{name}.{key}" if name else key, part) for key, part in reversed(list(inner)))
        elif len(found) < MAX_VALUES:
            found.append(_leaf(name, item))
        else:
            num_more += 1
    if num_more:
        found.append(Traced("", text=f"{num_more:,} more"))
    return found


def _inner(value: Any) -> Iterator[tuple[str, Any]] | None:
    if isinstance(value, Tensor | str | int | float) or value is None:
        return None
    if isinstance(value, Mapping):
        return ((plain(key), item) for key, item in value.items())
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return iter(zip(value._fields, value, strict=True))
    if isinstance(value, list | tuple):
        return ((str(at), item) for at, item in enumerate(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return ((field.name, getattr(value, field.name, None)) for field in dataclasses.fields(value))
    leaves = attempt(lambda: _pytree.tree_leaves(value))
    if isinstance(leaves, Raised) or (len(leaves) == 1 and leaves[0] is value):
        return None
    return ((str(at), leaf) for at, leaf in enumerate(leaves))


def _leaf(name: str, value: Any) -> Traced:
    if isinstance(value, Tensor):
        shape = attempt(lambda: [int(size) for size in value.shape])
        dtype = str(value.dtype).removeprefix("torch.")
        return Traced(name, None if isinstance(shape, Raised) else shape, dtype)
    is_plain = isinstance(value, str | int | float) or value is None
    return Traced(name, class_name=plain(type(value).__name__), text=cut(repr(value), MAX_TEXT) if is_plain else "")
