"""`named_modules`, `named_parameters` and the rest of nn.Module's views, as pages of slices of a `TreeIndex`.

Order, duplicates and messages are torch's: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html
Of each list, `q` leaves what a search finds among its items.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from msgspec import UNSET

from app.collector import collector_paused
from app.trees.index import TreeIndex
from app.trees.rows import BufferRow, ModuleRow, ParameterRow
from app.trees.search import Searcher
from app.trees.tensor_values import nonfinite_of
from app.trees.tensors import STRIDED, Ints, TensorColumns

Row = TypeVar("Row", bound=ModuleRow | ParameterRow | BufferRow)
Made = TypeVar("Made", ParameterRow, BufferRow)

DEFAULT_LIMIT = 1_000
MAX_LIMIT = 100_000
MAX_STATS = 1_000
# A page of a deep chain's paths is quadratic: it ends early, once they come to this many characters.
MAX_PAGE_CHARS = 16_000_000


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """A stretch of a list, how many items the whole list has, and where the next page starts (None at the end)."""

    items: list[Row]
    total: int
    next: int | None


def named_modules(
    index: TreeIndex,
    target: str = "",
    *,
    remove_duplicate: bool = True,
    q: str = "",
    start: int = 0,
    limit: int = DEFAULT_LIMIT,
) -> Page[ModuleRow]:
    """Return a page of the module at `target` and all below it, in pre-order."""
    top = index.row(target)
    rows = index.listed(top, remove_duplicate=remove_duplicate)
    return _module_page(index, top, Searcher(index).among_modules(rows, q), start, limit)


def named_children(
    index: TreeIndex, target: str = "", *, q: str = "", start: int = 0, limit: int = DEFAULT_LIMIT
) -> Page[ModuleRow]:
    """Return a page of the direct children of the module at `target`; a shared sibling is listed once."""
    top = index.row(target)
    rows = Searcher(index).among_modules(index.distinct_children(top), q)
    return _module_page(index, top, rows, start, limit)


def named_parameters(
    index: TreeIndex,
    target: str = "",
    *,
    recurse: bool = True,
    remove_duplicate: bool = True,
    stats: bool = False,
    q: str = "",
    start: int = 0,
    limit: int = DEFAULT_LIMIT,
) -> Page[ParameterRow]:
    """Return a page of the parameters in the subtree at `target`, or of its own only without `recurse`."""
    top = index.row(target)
    entries = _entries(index, index.parameters, top, recurse, remove_duplicate, q)
    chosen = _page(index, index.parameters, top, entries, start, limit, stats)
    return _tensor_page(parameter_rows(index, chosen.entries, top, stats=stats), len(entries), chosen.next)


def named_buffers(
    index: TreeIndex,
    target: str = "",
    *,
    recurse: bool = True,
    remove_duplicate: bool = True,
    stats: bool = False,
    q: str = "",
    start: int = 0,
    limit: int = DEFAULT_LIMIT,
) -> Page[BufferRow]:
    """Return a page of the buffers in the subtree at `target`, or of its own only without `recurse`."""
    top = index.row(target)
    entries = _entries(index, index.buffers, top, recurse, remove_duplicate, q)
    chosen = _page(index, index.buffers, top, entries, start, limit, stats)
    return _tensor_page(buffer_rows(index, chosen.entries, top, stats=stats), len(entries), chosen.next)


def get_submodule(index: TreeIndex, target: str) -> ModuleRow:
    """Return the module at `target`, named relative to the root; raises `TargetNotFound` with torch's message."""
    row = index.row(target)
    return next(module_rows(index, [row], 0))


def get_parameter(index: TreeIndex, target: str, *, stats: bool = False) -> ParameterRow:
    """Return the parameter at `target`; raises `TargetNotFound` with torch's message."""
    return next(parameter_rows(index, [index.parameter(target)], 0, stats=stats))


def get_buffer(index: TreeIndex, target: str, *, stats: bool = False) -> BufferRow:
    """Return the buffer at `target`; raises `TargetNotFound` with torch's message."""
    return next(buffer_rows(index, [index.buffer(target)], 0, stats=stats))


def module_rows(index: TreeIndex, rows: Sequence[int], top: int) -> Iterator[ModuleRow]:
    """Yield the modules of ascending rows in the subtree of `top`, named relative to it."""
    totals = index.totals
    columns = (
        totals.num_children[rows].tolist(),
        totals.num_modules[rows].tolist(),
        totals.num_parameters[rows].tolist(),
        totals.num_trainable[rows].tolist(),
        totals.num_buffers[rows].tolist(),
        totals.num_bytes[rows].tolist(),
    )
    above = index.path(top)
    shape, ids, extra = index.shapes.shape, index.shapes.ids, index.extra_repr
    for row, name, children, modules, parameters, trainable, buffers, size in zip(
        rows, index.paths(rows, top), *columns, strict=True
    ):
        cls = index.classes[index.class_id[row]]
        first = int(index.first[row])
        yield ModuleRow(
            _join(above, name),
            cls.name,
            cls.module,
            extra.get(row, ""),
            bool(index.training[row]),
            index.depth[row],
            children,
            modules,
            parameters,
            trainable,
            buffers,
            size,
            None if first == row else index.path(first),
            ids[shape[row]],
            name,
            UNSET if cls.status is None else cls.status,
        )


def parameter_rows(
    index: TreeIndex, entries: Sequence[int], top: int, *, stats: bool = False
) -> Iterator[ParameterRow]:
    """Yield the parameters of ascending entries in the subtree of `top`, named relative to it."""
    return _tensor_rows(index, index.parameters, entries, top, stats, ParameterRow, "requires_grad")


def buffer_rows(index: TreeIndex, entries: Sequence[int], top: int, *, stats: bool = False) -> Iterator[BufferRow]:
    """Yield the buffers of ascending entries in the subtree of `top`, named relative to it."""
    return _tensor_rows(index, index.buffers, entries, top, stats, BufferRow, "persistent")


def _tensor_rows(
    index: TreeIndex,
    columns: TensorColumns,
    entries: Sequence[int],
    top: int,
    stats: bool,
    make: Callable[..., Made],
    flag: str,
) -> Iterator[Made]:
    above = index.path(top)
    named = zip(entries, _names(index, columns, entries, top), index.data.values(columns, entries), strict=True)
    for entry, name, values in named:
        kind = index.kinds.all[columns.kind[entry]]
        nonfinite = nonfinite_of(values)
        yield make(
            name=name,
            path=_join(above, name),
            shape=None if kind.shape is None else list(kind.shape),
            dtype=kind.dtype_name,
            device=columns.device(entry, kind),
            numel=kind.numel,
            num_bytes=kind.num_bytes,
            shared_with=_shared_with(index, columns, entry),
            values=values,
            nonfinite=UNSET if nonfinite is None else nonfinite,
            stats=index.data.stats(columns, entry) if stats else None,
            layout=UNSET if (layout := columns.layout(entry, kind)) == STRIDED else layout,
            **{flag: bool(columns.flag[entry])},
        )


def _tensor_page(rows: Iterator[Made], total: int, following: int | None) -> Page[Made]:
    with collector_paused():
        return Page(list(rows), total, following)


def _module_page(index: TreeIndex, top: int, rows: Ints, start: int, limit: int) -> Page[ModuleRow]:
    chosen = rows[start : start + limit]
    chosen = _fitting(chosen, _path_chars(index, chosen, index.first[chosen]))
    return Page(list(module_rows(index, chosen.tolist(), top)), len(rows), _next(start, len(chosen), len(rows)))


@dataclass(frozen=True, slots=True)
class _Chosen:
    entries: list[int]
    next: int | None


def _page(
    index: TreeIndex, columns: TensorColumns, top: int, entries: Ints, start: int, limit: int, stats: bool
) -> _Chosen:
    chosen = entries[start : start + (min(limit, MAX_STATS) if stats else limit)]
    owner = np.frombuffer(columns.owner, np.int64)
    name_chars = np.array([len(columns.name[entry]) for entry in chosen.tolist()], np.int64)
    chars = name_chars + _path_chars(index, owner[chosen], owner[columns.first[chosen]])
    chosen = _fitting(chosen, chars)
    return _Chosen(chosen.tolist(), _next(start, len(chosen), len(entries)))


def _path_chars(index: TreeIndex, rows: Ints, first: Ints) -> Ints:
    # What is shared also says where it is first.
    chars: Ints = index.path_chars[rows] + np.where(first == rows, 0, index.path_chars[first])
    return chars


def _fitting(chosen: Ints, chars: Ints) -> Ints:
    # As many of the chosen as fit on a page, one at least.
    num_fitting = int(np.searchsorted(np.cumsum(chars), MAX_PAGE_CHARS, side="right"))
    return chosen[: max(num_fitting, 1)]


def _next(start: int, taken: int, total: int) -> int | None:
    return start + taken if start + taken < total else None


def _entries(index: TreeIndex, columns: TensorColumns, top: int, recurse: bool, remove_duplicate: bool, q: str) -> Ints:
    below = index.end[top] if recurse else top + 1
    entries = columns.listed(columns.start[top], columns.start[below], remove_duplicate=remove_duplicate)
    return Searcher(index).among_tensors(columns, entries, q)


def _names(index: TreeIndex, columns: TensorColumns, entries: Sequence[int], top: int) -> Iterator[str]:
    owners = [columns.owner[entry] for entry in entries]
    for entry, path in zip(entries, index.paths(owners, top), strict=True):
        yield _join(path, columns.name[entry])


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name


def _shared_with(index: TreeIndex, columns: TensorColumns, entry: int) -> str | None:
    first = int(columns.first[entry])
    if first == entry:
        return None
    return _join(index.path(columns.owner[first]), columns.name[first])
