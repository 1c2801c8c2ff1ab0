"""What a search found, a page at a time: rows in tree order, and above each the ones that lead to it."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

from app.trees.index import TreeIndex
from app.trees.search_columns import search_columns_of
from app.trees.search_marks import Marks, Span
from app.trees.tensors import Ints, Mask

DEFAULT_LIMIT = 200
MAX_LIMIT = 1_000
# Of a longer way down, the nearest levels are listed, and the root.
MOST_LEVELS = 24
# A page of a deep chain's paths is quadratic: it ends early, once they come to this many characters.
MAX_PAGE_CHARS = 4_000_000


class FoundTensor(msgspec.Struct, gc=False):
    """A parameter or buffer that was found, under its name in its module; `shape` is None where it has none yet."""

    name: str
    is_buffer: bool
    shape: list[int] | None
    dtype: str
    numel: int
    marks: list[Span] | UnsetType = UNSET


class FoundRow(msgspec.Struct, gc=False):
    """A module that was found, or, where `is_found` is False, that leads to one or owns `tensors` that were found.

    `row` is its place in pre-order, `depth` how many modules it is in. `class_status` is as in `ModuleRow`. `marks` are
    the parts of the name that were asked for, `class_marks` those of the class.
    """

    row: int
    depth: int
    name: str
    path: str
    class_name: str
    num_parameters: int
    is_found: bool
    tensors: list[FoundTensor]
    class_status: str | UnsetType = UNSET
    marks: list[Span] | UnsetType = UNSET
    class_marks: list[Span] | UnsetType = UNSET


class FoundPage(msgspec.Struct):
    """A stretch of what was found; `num_modules` and `num_tensors` count all of it.

    `next` is the module or tensor that the next page starts with, or None at the end.
    """

    num_modules: int
    num_tensors: int
    next: int | None
    rows: list[FoundRow]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some of what was found, from `start` on, in the order of `owner`: each module before the tensors it owns.

    `owner` is the row of each thing, `entry` the number of a tensor among parameters and then buffers, -1 for a module.
    """

    num_modules: int
    num_tensors: int
    start: int
    owner: Ints
    entry: Ints

    @classmethod
    def of(cls, index: TreeIndex, modules: Mask, tensors: Mask, start: int, limit: int) -> "Stretch":
        """Return up to `limit` of what was found, from `start` on."""
        entries = np.flatnonzero(tensors)
        owners = search_columns_of(index).tensors.owner[entries]
        ends = np.cumsum(modules + np.bincount(owners, minlength=len(index)))
        total = int(ends[-1])
        # Only the rows that the stretch lies in are put in order.
        first, last = np.searchsorted(ends, (start, min(start + limit, total) - 1), "right").tolist()
        rows = np.flatnonzero(modules[first : last + 1]) + first
        inside = np.flatnonzero((owners >= first) & (owners <= last))
        owner = np.concatenate((rows, owners[inside]))
        entry = np.concatenate((np.full(len(rows), -1), entries[inside]))
        order = np.argsort(owner, kind="stable")
        skipped = start - (int(ends[first - 1]) if first else 0)
        order = order[skipped : skipped + limit]
        return cls(int(np.count_nonzero(modules)), len(entries), start, owner[order], entry[order])

    @property
    def total(self) -> int:
        """How many modules and tensors were found."""
        return self.num_modules + self.num_tensors


def mark(page: FoundPage, marks: Marks) -> None:
    """Say in the rows of a page which parts of their names and classes were asked for."""
    for row in page.rows:
        row.marks = (row.row and marks.in_name(row.name)) or UNSET
        row.class_marks = marks.in_class(row.class_name) or UNSET
        for tensor in row.tensors:
            tensor.marks = marks.in_name(tensor.name) or UNSET


def found_page(index: TreeIndex, stretch: Stretch) -> FoundPage:
    """Return the page of a stretch, or of its beginning where the paths on it become too long."""
    listed, num_taken = _listed(index, stretch)
    owner, entry = stretch.owner[:num_taken], stretch.entry[:num_taken]
    end = stretch.start + num_taken
    return FoundPage(
        num_modules=stretch.num_modules,
        num_tensors=stretch.num_tensors,
        next=end if end < stretch.total else None,
        rows=list(_rows(index, listed, owner, entry)),
    )


def _listed(index: TreeIndex, stretch: Stretch) -> tuple[list[int], int]:
    # The rows to list, and how many things of the stretch they hold.
    listed: set[int] = set()
    num_chars = 0
    for row in np.unique(stretch.owner).tolist():
        way = list(_way(index, row, listed))
        num_chars += int(index.path_chars[way].sum())
        if num_chars > MAX_PAGE_CHARS and listed:
            return sorted(listed), int(np.searchsorted(stretch.owner, row))
        listed.update(way)
    return sorted(listed), len(stretch.owner)


def _way(index: TreeIndex, row: int, listed: set[int]) -> Iterator[int]:
    for _ in range(MOST_LEVELS + 1):
        if row < 0 or row in listed:
            return
        yield row
        row = index.parent[row]
    yield 0


def _rows(index: TreeIndex, listed: list[int], owner: Ints, entry: Ints) -> Iterator[FoundRow]:
    starts, stops = np.searchsorted(owner, listed, "left").tolist(), np.searchsorted(owner, listed, "right").tolist()
    entries, num_parameters = entry.tolist(), index.totals.num_parameters[listed].tolist()
    for row, path, start, stop, count in zip(listed, index.paths(listed), starts, stops, num_parameters, strict=True):
        cls, own = index.classes[index.class_id[row]], entries[start:stop]
        is_found = own[:1] == [-1]
        yield FoundRow(
            row=row,
            depth=index.depth[row],
            name=index.name[row],
            path=path,
            class_name=cls.name,
            num_parameters=count,
            is_found=is_found,
            tensors=[_tensor(index, each) for each in own[is_found:]],
            class_status=UNSET if cls.status is None else cls.status,
        )


def _tensor(index: TreeIndex, entry: int) -> FoundTensor:
    num_parameters = len(index.parameters)
    is_buffer = entry >= num_parameters
    columns, at = (index.buffers, entry - num_parameters) if is_buffer else (index.parameters, entry)
    kind = index.kinds.all[columns.kind[at]]
    shape = None if kind.shape is None else list(kind.shape)
    return FoundTensor(columns.name[at], is_buffer, shape, kind.dtype_name, kind.numel)
