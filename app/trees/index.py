"""`TreeIndex`: a tree of modules described once, into columns; everything that is shown is a function of it."""

from array import array
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from torch import nn

from app.collector import collector_paused
from app.errors import TargetNotFound
from app.translation import N_
from app.trees.columns import Columns
from app.trees.described import columns_of
from app.trees.description import Description
from app.trees.shapes import Shapes
from app.trees.tensor_data import LiveData, NoData, TensorData
from app.trees.tensors import Ints, TensorColumns, column, repeats
from app.trees.totals import Totals, totals_of
from app.trees.walk import walk


class TreeIndex:
    """All places of a tree in pre-order: row 0 is the root, and a subtree is the slice `row:end[row]`.

    A place is a module under a name. A shared module has several places, each with a row and a whole subtree of its
    own; `first[row]` is the module's first place and `previous[row]` the last one before, or -1. A child that is None
    has no row. Totals (`totals`) are exact in every subtree: a tensor that is shared within it counts once.

    A live tree's `modules` and tensors are kept alive, and the index holds as long as they are not changed. One that is
    known by its structure only has no `modules`; `data` says what is known of its values.
    """

    def __init__(self, columns: Columns) -> None:
        self.parent, self.name, self.end = columns.parent, columns.name, columns.end
        self.class_id, self.classes, self.extra_repr = columns.class_id, columns.classes, columns.extra_repr
        self.training = columns.training
        self.none_children, self.none_places = columns.none_children, columns.none_places
        self.kinds, self.parameters, self.buffers = columns.kinds, columns.parameters, columns.buffers
        self.identity, self.modules = columns.identity, columns.modules
        self.data: TensorData = LiveData() if columns.modules else NoData()
        with collector_paused():
            self.depth: array[int] = _depths(self.end)
            self.previous, self.first = repeats(self.identity)
            self.shapes = Shapes.of(self)
        self.totals: Totals = totals_of(self)
        self._names_of: dict[int, dict[str, int]] = {}

    @classmethod
    def of(cls, root: nn.Module, *, max_modules: int = 1_000_000, max_depth: int = 100_000) -> "TreeIndex":
        """Return the index of a live module in one iterative pass.

        Raises `TooLarge` when there are more places than `max_modules` or more levels than `max_depth`, and `CannotDo`
        when a module contains itself.
        """
        with collector_paused():
            columns = walk(root, max_modules=max_modules, max_depth=max_depth)
        return cls(columns)

    @classmethod
    def from_description(cls, description: Description) -> "TreeIndex":
        """Return the index of a tree that is known by its structure only; raises `TooLarge` past 64-bit totals."""
        with collector_paused():
            columns = columns_of(description)
        return cls(columns)

    @property
    def is_live(self) -> bool:
        """Whether the modules are there, and not only what they look like."""
        return bool(self.modules)

    def __len__(self) -> int:
        return len(self.parent)

    def children(self, row: int) -> Iterator[int]:
        """Yield the rows of the module's children in order, a shared sibling at each of its places."""
        child, end = row + 1, self.end[row]
        while child < end:
            yield child
            child = self.end[child]

    def printed_children(self, row: int) -> Iterator[tuple[str, int | None]]:
        """Yield name and row of the children in the order that torch prints them in, one that is None without a row."""
        none, places = self.none_children.get(row, []), self.none_places.get(row, [])
        at = 0
        for position, child in enumerate(self.children(row)):
            while at < len(none) and at < len(places) and places[at] <= position:
                yield none[at], None
                at += 1
            yield self.name[child], child
        yield from ((name, None) for name in none[at:])

    def listed(self, row: int, *, remove_duplicate: bool = True) -> Ints:
        """Return the rows of `named_modules` called on a module: its subtree, or the first places within it."""
        end = self.end[row]
        if not remove_duplicate:
            return np.arange(row, end, dtype=np.int64)
        return np.flatnonzero(self.previous[row:end] < row) + row

    def distinct_children(self, row: int) -> list[int]:
        """Return the rows of `named_children`: a sibling that is the same module as one before it is left out."""
        rows = list(self.children(row))
        if len(set(self.first[rows].tolist())) == len(rows):
            return rows
        seen: dict[int, int] = {}
        for child in rows:
            seen.setdefault(int(self.first[child]), child)
        return list(seen.values())

    def row(self, target: str) -> int:
        """Return the row that a dotted path leads to, the root for "".

        Raises `TargetNotFound` with the message of torch's `get_submodule` when there is none.
        """
        row = 0
        for name in target.split(".") if target else ():
            child = self._child(row, name)
            if child is None:
                raise TargetNotFound(self._why_not(row, name, N_("an nn.Module")), target)
            row = child
        return row

    def parameter(self, target: str) -> int:
        """Return the entry of a parameter in `parameters`; raises `TargetNotFound` as `get_parameter` would."""
        return self._tensor(self.parameters, target, N_("an nn.Parameter"))

    def buffer(self, target: str) -> int:
        """Return the entry of a buffer in `buffers`; raises `TargetNotFound` as `get_buffer` would."""
        return self._tensor(self.buffers, target, "a buffer")

    def own(self, columns: TensorColumns, row: int) -> range:
        """Return the entries of the module's own tensors."""
        return range(columns.start[row], columns.start[row + 1])

    def path(self, row: int) -> str:
        """Return the dotted path from the root, "" for the root itself."""
        names = []
        while row:
            names.append(self.name[row])
            row = self.parent[row]
        return ".".join(reversed(names))

    def paths(self, rows: Sequence[int], top: int = 0) -> Iterator[str]:
        """Yield the dotted path from `top` of each of the rows, which lie in its subtree in ascending order.

        Paths are not kept: those of a deep chain would be quadratic in its length.
        """
        trail = [(top, "")]
        for row in rows:
            while self.end[trail[-1][0]] <= row:
                trail.pop()
            above, path = trail[-1]
            if row != above:
                parent = self.parent[row]
                if parent != above:
                    path = self._join(parent, above, path)
                    trail.append((parent, path))
                path = f"{path}.{self.name[row]}" if parent != top else self.name[row]
                if self.end[row] > row + 1:
                    trail.append((row, path))
            yield path

    @cached_property
    def path_chars(self) -> Ints:
        """By row, how many characters its path has: what a list of paths will cost, before it is made."""
        step = np.array([len(name) + 1 for name in self.name], np.int64)
        step[0] = 0
        ended = np.bincount(self.end, weights=step, minlength=len(self) + 1)[: len(self)].astype(np.int64)
        chars: Ints = np.maximum(np.cumsum(step - ended) - 1, 0)
        return chars

    def _join(self, row: int, above: int, path: str) -> str:
        names = []
        while row != above:
            names.append(self.name[row])
            row = self.parent[row]
        if path:
            names.append(path)
        return ".".join(reversed(names))

    def _child(self, row: int, name: str) -> int | None:
        names = self._names_of.get(row)
        if names is None:
            names = {self.name[child]: child for child in self.children(row)}
            self._names_of[row] = names
        return names.get(name)

    def _why_not(self, row: int, name: str, what: str) -> str:
        if self.modules:
            has_it, shown = hasattr(self.modules[row], name), printed_class(self.modules[row])
        else:
            has_it, shown = name in self._registered(row), self.classes[self.class_id[row]].shown
        return f"`{name}` is not {what}" if has_it else f"{shown} has no attribute `{name}`"

    def _registered(self, row: int) -> set[str]:
        own = {columns.name[entry] for columns in (self.parameters, self.buffers) for entry in self.own(columns, row)}
        return own.union(self.none_children.get(row, ()), (self.name[child] for child in self.children(row)))

    def _tensor(self, columns: TensorColumns, target: str, what: str) -> int:
        path, _, name = target.rpartition(".")
        try:
            row = self.row(path)
        except TargetNotFound as error:
            raise TargetNotFound(error.detail, target) from error
        for entry in self.own(columns, row):
            if columns.name[entry] == name:
                return entry
        raise TargetNotFound(self._why_not(row, name, what), target)


def _depths(end: "array[int]") -> "array[int]":
    # Of the rows before one, those whose subtree has not ended yet are its ancestors.
    count = len(end)
    num_ended = np.cumsum(np.bincount(end, minlength=count + 1)[:count])
    return column(np.arange(count) - num_ended)


def printed_class(module: nn.Module) -> str:
    """Return what torch prints for the module's class, which a class may choose for itself."""
    name: str = module._get_name()  # type: ignore[no-untyped-call]
    return name
