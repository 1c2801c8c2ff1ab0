"""A tree by column, as a source gives it: enough for every view, with no live module behind it."""

from collections.abc import Iterable

import msgspec


class ModuleClass(msgspec.Struct, frozen=True):
    """The class of a module and the Python module it comes from; "" where it is not known.

    `inferred` says that it was concluded from names and shapes, not read.
    """

    name: str
    module: str
    inferred: bool = False

    @property
    def shown(self) -> str:
        """The name as a text shows it: "?" for a class that is not known."""
        return self.name or "?"

    @property
    def status(self) -> str | None:
        """How sure the class is: "inferred", "unknown", or None for one that was read."""
        return "inferred" if self.inferred else None if self.name else "unknown"


class Kind(msgspec.Struct, frozen=True):
    """What many tensors have in common; shape is None for one that has none yet."""

    shape: tuple[int, ...] | None
    dtype: str
    device: str = "cpu"
    layout: str = "strided"


class TensorTable(msgspec.Struct):
    """Tensors at their places in pre-order; `same` numbers are equal for the very same tensor.

    `flag` is `requires_grad` of a parameter, `persistent` of a buffer.
    """

    owner: list[int]
    name: list[str]
    kind: list[int]
    flag: bytes
    same: list[int]


class Description(msgspec.Struct):
    """A tree's places in pre-order; `same` numbers are equal for the very same module, expanded at each place.

    `none_children` are the names of children that are None, by row: they are printed, and are no places. `none_places`
    say of each how many children that are not None stand before it; where that is not known, they come last.
    """

    parent: list[int]
    name: list[str]
    same: list[int]
    class_id: list[int]
    classes: list[ModuleClass]
    extra_repr: dict[int, str]
    training: bytes
    none_children: dict[int, list[str]]
    kinds: list[Kind]
    parameters: TensorTable
    buffers: TensorTable
    none_places: dict[int, list[int]] = {}


def places_of_none(children: Iterable[object]) -> list[int]:
    """Return of each child that is None how many before it are not."""
    places, count = [], 0
    for child in children:
        if child is None:
            places.append(count)
        else:
            count += 1
    return places
