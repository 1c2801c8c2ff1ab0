"""Which colour a cell of the map takes, and the word for it: by class, by dtype, or by whether it is trainable."""

from collections.abc import Iterator
from enum import StrEnum

import numpy as np

from app.pages.hues import CONTAINERS, hues
from app.translation import gettext as _
from app.trees.index import TreeIndex
from app.trees.tensors import Ints, TensorColumns

BOX = "cell-box"
TRAINABLE, FROZEN = "h10", "h16"


class Colour(StrEnum):
    """What the colour of a cell says."""

    CLASS = "class"
    DTYPE = "dtype"
    TRAINABLE = "trainable"


class Paints:
    """Colours as names of CSS classes, and their words."""

    def __init__(self, index: TreeIndex, colour: Colour) -> None:
        self.index = index
        self.colour = colour
        self.slots = hues(cls.name for cls in index.classes)
        self.dtypes = hues(dtypes_of(index))
        self._before = {name: _num_before(index, name) for name in self.dtypes} if colour == Colour.DTYPE else {}

    def of(self, row: int, *, is_own: bool) -> tuple[str, str]:
        """Return the CSS classes of a module's cell, and what its colour says."""
        hold = "" if is_own else " cell-hold"
        if self.colour == Colour.DTYPE:
            return self._of_dtype(row, hold)
        if self.colour == Colour.TRAINABLE:
            return self._of_trainable(row, hold)
        name = self.index.classes[self.index.class_id[row]].name
        return (BOX if not name or name in CONTAINERS else f"h{self.slots[name]}{hold}"), name

    def _of_dtype(self, row: int, hold: str) -> tuple[str, str]:
        end = self.index.end[row]
        found = [name for name, before in self._before.items() if before[end] > before[row]]
        if len(found) == 1:
            return f"h{self.dtypes[found[0]]}{hold}", found[0]
        return BOX, _("mixed dtypes") if found else _("no tensors")

    def _of_trainable(self, row: int, hold: str) -> tuple[str, str]:
        totals = self.index.totals
        num, trainable = int(totals.num_parameters[row]), int(totals.num_trainable[row])
        if not num:
            return BOX, _("no parameters")
        if 0 < trainable < num:
            return BOX, _("some frozen")
        return (TRAINABLE + hold, _("trainable")) if trainable else (FROZEN + hold, _("frozen"))


def dtypes_of(index: TreeIndex) -> list[str]:
    """Return the dtypes of a tree in the order in which its distinct shapes have them."""
    first: dict[int, int] = {}
    for row, shape in enumerate(index.shapes.shape):
        if shape not in first:
            first[shape] = row
            if len(first) == len(index.shapes.ids):
                break
    return list(dict.fromkeys(name for row in first.values() for name in _own_dtypes(index, row)))


def _own_dtypes(index: TreeIndex, row: int) -> Iterator[str]:
    for columns in (index.parameters, index.buffers):
        for entry in index.own(columns, row):
            yield index.kinds.all[columns.kind[entry]].dtype_name


def _num_before(index: TreeIndex, dtype_name: str) -> Ints:
    """Return by row how many tensors of a dtype the rows before it have."""
    is_of = np.array([kind.dtype_name == dtype_name for kind in index.kinds.all], np.bool_)
    before: Ints = _of_columns(index.parameters, is_of) + _of_columns(index.buffers, is_of)
    return before


def _of_columns(columns: TensorColumns, is_of: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> Ints:
    kinds = np.frombuffer(columns.kind, np.int64)
    found: Ints = np.concatenate(([0], np.cumsum(is_of[kinds])))[np.frombuffer(columns.start, np.int64)]
    return found
