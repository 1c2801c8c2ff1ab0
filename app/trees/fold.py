"""The tree with runs of same-shaped siblings folded: `(0-11): 12 x GPT2Block`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from app.errors import TooLarge
from app.translation import said
from app.trees.distinct import distinct_entries, distinct_kinds, has_repeats, kinds_of
from app.trees.index import TreeIndex
from app.trees.likeness import Likeness
from app.trees.runs_of_names import Numbered, numbered
from app.trees.tensors import Ints, TensorColumns

MAX_CHARS = 64_000_000


class FoldedRow(msgspec.Struct, gc=False):
    """One module, or a run of `count` siblings of which `row` is the first: what is below is that one's.

    `label` is its name, or that of the first and the last ("0-11", "sub1-sub10"); `num_distinct` is less than `count`
    where siblings are the same module. What begins with `num_` is of one; what begins with `total_` is of all of the
    run, a shared tensor once.
    """

    depth: int
    row: int
    label: str
    class_name: str
    extra_repr: str
    count: int
    num_distinct: int
    num_children: int
    num_parameters: int
    num_trainable: int
    num_buffers: int
    num_bytes: int
    total_parameters: int
    total_trainable: int
    total_buffers: int
    total_bytes: int
    shape_id: str


class Folded(msgspec.Struct):
    """The rows in pre-order, each under the nearest one before it with a smaller depth; `num_places` are in all."""

    num_places: int
    rows: list[FoldedRow]


@dataclass(frozen=True, slots=True)
class Run:
    """Siblings that look the same and whose names count up; a lone child is a run of one."""

    rows: Sequence[int]
    label: str


@dataclass(frozen=True, slots=True)
class RunTotals:
    """What all of a run comes to, each shared tensor once."""

    num_parameters: int
    num_trainable: int
    num_buffers: int
    num_bytes: int


def fold(index: TreeIndex, row: int = 0, *, max_depth: int | None = None) -> Folded:
    """Return the module at a row and what is below, to `max_depth` levels, with runs folded.

    Siblings are folded when their names count up and they are alike: the same shape, and inside them the same is
    frozen, in eval mode, or shared. What is hidden so is no different from what is shown.
    """
    rows = [_row(index, run, depth) for run, depth in runs_below(index, row, max_depth)]
    return Folded(index.end[row] - row, rows)


def folded_text(index: TreeIndex, row: int = 0, *, max_depth: int | None = None) -> str:
    """Return what `print(module)` would show if every container folded its children as a ModuleList does.

    What is below `max_depth` levels is "...". Raises `TooLarge` past 64 million characters.
    """
    parts: list[str] = []
    chars = 0
    for part in _text_parts(index, row, max_depth):
        parts.append(part)
        chars += len(part)
        if chars > MAX_CHARS:
            raise TooLarge(
                said(
                    "The text of %(path)r has more than %(max_chars)s characters: ask for a target further down.",
                    path=index.path(row)[:80],
                    max_chars=f"{MAX_CHARS:,}",
                ),
                MAX_CHARS,
            )
    return "".join(parts)


def runs(index: TreeIndex, row: int, likeness: Likeness | None = None) -> Iterator[Run]:
    """Yield the children of the module at a row in order, folded; `likeness` is kept from one row to the next."""
    likeness = likeness or Likeness(index)
    run: list[int] = []
    last: Numbered | None = None
    for child in index.children(row):
        name = index.name[child]
        # Compared with the name that would go on with the run: that is cheaper than to read the number in each.
        if last is not None and name == last.following and likeness.are_alike(run[-1], child):
            run.append(child)
            last = Numbered(last.prefix, last.number + 1)
            continue
        if run:
            yield run_of(index, run)
        run, last = [child], numbered(name)
    if run:
        yield run_of(index, run)


def run_totals(index: TreeIndex, run: Run) -> RunTotals:
    """Return the totals of a run."""
    row, end, totals = run.rows[0], index.end[run.rows[-1]], index.totals
    if len(run.rows) > 1 and has_repeats(index, row, end):
        return _shared_totals(index, row, end)
    columns = (totals.num_parameters, totals.num_trainable, totals.num_buffers, totals.num_bytes)
    return RunTotals(*(len(run.rows) * int(column[row]) for column in columns))


def _shared_totals(index: TreeIndex, row: int, end: int) -> RunTotals:
    parameters, buffers = distinct_entries(index.parameters, row, end), distinct_entries(index.buffers, row, end)
    trainable = parameters[np.frombuffer(index.parameters.flag, np.bool_)[parameters]]
    num_bytes = ((index.kinds.all[kind].num_bytes, count) for kind, count in distinct_kinds(index, row, end))
    return RunTotals(
        num_parameters=_num_elements(index, index.parameters, parameters),
        num_trainable=_num_elements(index, index.parameters, trainable),
        num_buffers=_num_elements(index, index.buffers, buffers),
        num_bytes=sum(size * count for size, count in num_bytes),
    )


def _num_elements(index: TreeIndex, columns: TensorColumns, entries: Ints) -> int:
    counts = Counter(kinds_of(columns, entries).tolist())
    return sum(index.kinds.all[kind].numel * count for kind, count in counts.items())


def runs_below(index: TreeIndex, top: int, max_depth: int | None) -> Iterator[tuple[Run, int]]:
    """Yield the module at a row and all below it to `max_depth` levels as runs, each with its depth, in pre-order."""
    likeness = Likeness(index)
    todo = [(Run([top], index.name[top] if top else ""), 0)]
    while todo:
        run, depth = todo.pop()
        yield run, depth
        if max_depth is None or depth < max_depth:
            todo.extend((child, depth + 1) for child in reversed(list(runs(index, run.rows[0], likeness))))


def run_of(index: TreeIndex, rows: Sequence[int]) -> Run:
    """Return siblings, each with a name that counts on from the one before, as a run."""
    first, last = index.name[rows[0]], index.name[rows[-1]]
    return Run(rows, f"{first}-{last}" if len(rows) > 1 else first)


def _row(index: TreeIndex, run: Run, depth: int) -> FoldedRow:
    row, totals, of_all = run.rows[0], index.totals, run_totals(index, run)
    return FoldedRow(
        depth=depth,
        row=row,
        label=run.label,
        class_name=index.classes[index.class_id[row]].name,
        extra_repr=index.extra_repr.get(row, ""),
        count=len(run.rows),
        num_distinct=len({int(index.first[one]) for one in run.rows}),
        num_children=int(totals.num_children[row]),
        num_parameters=int(totals.num_parameters[row]),
        num_trainable=int(totals.num_trainable[row]),
        num_buffers=int(totals.num_buffers[row]),
        num_bytes=int(totals.num_bytes[row]),
        total_parameters=of_all.num_parameters,
        total_trainable=of_all.num_trainable,
        total_buffers=of_all.num_buffers,
        total_bytes=of_all.num_bytes,
        shape_id=index.shapes.ids[index.shapes.shape[row]],
    )


def _text_parts(index: TreeIndex, top: int, max_depth: int | None) -> Iterator[str]:
    likeness = Likeness(index)
    todo: list[str | tuple[int, int]] = [(top, 0)]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            yield item
            continue
        row, depth = item
        yield index.classes[index.class_id[row]].shown + "("
        inner = "\n" + "  " * (depth + 1)
        extra = index.extra_repr.get(row, "")
        lines = extra.split("\n") if extra else []
        folded = _printed(index, row, likeness)
        if depth == max_depth and folded:
            lines, folded = [*lines, "..."], []
        if len(lines) == 1 and not folded:
            yield lines[0] + ")"
        elif lines or folded:
            yield from (inner + line for line in lines)
            todo.append("\n" + "  " * depth + ")")
            for run in reversed(folded):
                if isinstance(run, str):
                    todo.append(f"{inner}({run}): None")
                    continue
                many = f"{len(run.rows)} x " if len(run.rows) > 1 else ""
                todo.append((run.rows[0], depth + 1))
                todo.append(f"{inner}({run.label}): {many}")
        else:
            yield ")"


def _printed(index: TreeIndex, row: int, likeness: Likeness) -> list[Run | str]:
    """Return the children as they are printed: runs, and the names of those that are None."""
    folded = list(runs(index, row, likeness))
    if row not in index.none_children:
        return [*folded]
    of_row = {run.rows[0]: run for run in folded}
    found = [name if child is None else of_row.get(child) for name, child in index.printed_children(row)]
    return [item for item in found if item is not None]
