"""The values that a pickle is read into, besides None, numbers, strings, bytes, tuples and lists."""

from typing import Any

import msgspec

from app.translation import said
from app.trees.sources.checkpoint.refusal import Refusal


class Branch(msgspec.Struct, eq=False):
    """A dict or what is read as one: keys and values in turn, a key that is there again counting as the last.

    A list and no dict: keys come from a stranger, and are never hashed or compared. `state` is what its pickle sets as
    its state.
    """

    items: list[Any] | None = None
    state: Any = None

    @classmethod
    def of(cls, items: list[object]) -> "Branch":
        """Return the branch of keys and values in turn."""
        branch = cls()
        branch.add(items)
        return branch

    def add(self, items: list[object]) -> None:
        """Add keys and values in turn."""
        if len(items) % 2:
            raise Refusal(said("its pickle has a key without a value"))
        if self.items is None:
            self.items = items
        else:
            self.items.extend(items)

    def keys_and_values(self) -> tuple[list[object], list[object]]:
        """Return the keys, and the value after each."""
        items = self.items or []
        return items[::2], items[1::2]


class Global(msgspec.Struct, frozen=True, gc=False):
    """The name of a global that a state dict may need."""

    path: str


class Opaque(msgspec.Struct, frozen=True, gc=False):
    """In place of what cannot be read; a file that holds one is refused in the end."""


class Plain(msgspec.Struct, frozen=True, gc=False):
    """A small value of which only the text is kept."""

    text: str


class Storage(msgspec.Struct, frozen=True, gc=False):
    """The bytes of one or more tensors: their name in the archive, their number, their dtype or "" for none."""

    key: str
    num_bytes: int
    dtype: str


class Tensor(msgspec.Struct, frozen=True, gc=False):
    """A strided view of a storage; without one (None) it is on the meta device.

    `offset` and `strides` count elements; `requires_grad` is None for what is not a parameter.
    """

    storage: str | None
    dtype: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    requires_grad: bool | None = None
