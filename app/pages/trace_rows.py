"""A trace as rows in tree order: what repeats with the same shapes and FLOPs is one row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import msgspec
import numpy as np

from app.pages import filters
from app.pages.hues import hues
from app.pages.links import module_url
from app.pages.marks import Share, share_of, swatch_of
from app.pages.traced_text import Values, common_dtype, values_text
from app.pages.visible import clipped
from app.trees.fold import runs
from app.trees.index import TreeIndex
from app.trees.likeness import Likeness
from app.trees.runs_of_names import numbered
from app.trees.tensors import Ints
from app.trees.trace import Trace

MOST_ROWS = 600
MOST_INDENT = 12
NOT_CALLED = -1


@dataclass(frozen=True, slots=True)
class TraceLine:
    """A module, or a run of `count` like siblings: figures are of one, `total` of all `times` that the row stands for.

    `state` is "stopped" where the forward stopped, "inside" for a module around that, "raised" where an error was
    caught, and "uncalled".
    """

    indent: int
    depth: int
    label: str
    url: str
    count: int
    class_name: str
    swatch: str
    state: str
    inputs: Values
    outputs: Values
    calls: int
    varies: bool
    flops: int
    macs: int
    times: int
    total: Share


@dataclass(frozen=True, slots=True)
class TraceView:
    """The rows of a trace; `dtype` is that of tensors that tell none.

    Of `num_modules` distinct ones `num_called` were called, `num_holding` hold others, `num_left` are left.
    """

    lines: tuple[TraceLine, ...]
    is_cut: bool
    dtype: str
    num_modules: int
    num_called: int
    num_holding: int
    num_left: int
    outputs: Values


@dataclass(frozen=True, slots=True)
class _Item:
    rows: Sequence[int]
    label: str
    depth: int
    times: int


def trace_view(index: TreeIndex, tree_id: str, root_name: str, trace: Trace) -> TraceView:
    """Return a trace of the whole tree, at most 600 rows of it."""
    return _Builder(index, tree_id, root_name, trace).view()


class _Builder:
    def __init__(self, index: TreeIndex, tree_id: str, root_name: str, trace: Trace) -> None:
        self.index = index
        self.tree_id = tree_id
        self.root_name = root_name
        self.trace = trace
        self.at = {row: at for at, row in enumerate(trace.row)}
        self.slots = hues(cls.name for cls in index.classes)
        self.likeness = Likeness(index)
        self.dtype = common_dtype(trace)
        self.called = np.zeros(len(index) + 1, np.int64)
        self.called[np.array(trace.row, np.int64) + 1] = 1
        self.num_called = np.cumsum(self.called)

    def view(self) -> TraceView:
        items = list(islice(self._items(), MOST_ROWS + 1))
        lines = tuple(self._line(item) for item in items[:MOST_ROWS])
        num_holding = self._num_holding()
        return TraceView(
            lines=lines,
            is_cut=len(items) > MOST_ROWS,
            dtype=self.dtype,
            num_modules=len(self.trace.row) + self.trace.num_uncalled,
            num_called=len(self.trace.row),
            num_holding=num_holding,
            num_left=self.trace.num_uncalled - num_holding,
            outputs=values_text(self.trace.outputs[0], self.dtype),
        )

    @cached_property
    def signature(self) -> Ints:
        """By row, equal for what was called in the same way."""
        trace, numbers = self.trace, dict[bytes, int]()
        signature = np.full(len(self.index), NOT_CALLED, np.int64)
        columns = (trace.calls, trace.varies, trace.is_done, trace.inputs, trace.outputs, trace.flops, trace.own_flops)
        for row, *facts in zip(trace.row, *columns, strict=True):
            signature[row] = numbers.setdefault(msgspec.msgpack.encode(facts), len(numbers))
        return signature

    def _num_holding(self) -> int:
        rows = np.arange(len(self.index))
        inside = self.num_called[self.index.end] - self.num_called[rows]
        return int(np.count_nonzero((self.called[1:] == 0) & (self.index.first == rows) & (inside > 0)))

    def _has_called(self, row: int) -> bool:
        return bool(self.num_called[self.index.end[row]] > self.num_called[row])

    def _items(self) -> Iterator[_Item]:
        todo = [_Item([0], self.root_name, 0, 1)]
        while todo:
            item = todo.pop()
            row = item.rows[0]
            if row in self.at or not self._has_called(row):
                yield item
            if self._has_called(row):
                todo.extend(reversed(list(self._below(item))))

    def _below(self, item: _Item) -> Iterator[_Item]:
        row = item.rows[0]
        is_shown = row in self.at
        above = "" if is_shown else f"{item.label}."
        for rows in self._alike(row):
            # The second place of a shared module tells nothing: all its calls are at the first.
            if self.index.first[rows[0]] == rows[0]:
                yield _Item(rows, f"{above}{self._label(rows)}", item.depth + is_shown, item.times * len(rows))

    def _alike(self, row: int) -> Iterator[list[int]]:
        """Yield the children: like siblings that were called alike are together."""
        for run in runs(self.index, row, self.likeness):
            together: list[int] = []
            for child in run.rows:
                if together and not self._are_alike(together[-1], child):
                    yield together
                    together = []
                together.append(child)
            yield together

    def _are_alike(self, left: int, right: int) -> bool:
        end, signature = self.index.end, self.signature
        is_first = self.index.first[left] == left and self.index.first[right] == right
        return bool(is_first) and np.array_equal(signature[left : end[left]], signature[right : end[right]])

    def _label(self, rows: Sequence[int]) -> str:
        first = self.index.name[rows[0]]
        if len(rows) == 1:
            return clipped(first)
        last = numbered(self.index.name[rows[-1]])
        assert last is not None
        return f"{clipped(first)}{filters.DASH}{last.number}"

    def _line(self, item: _Item) -> TraceLine:
        index, row, trace = self.index, item.rows[0], self.trace
        cls, at = index.classes[index.class_id[row]], self.at.get(row)
        is_called = at is not None
        flops = trace.flops[at] if at is not None else 0
        return TraceLine(
            indent=min(item.depth, MOST_INDENT),
            depth=item.depth,
            label=item.label,
            url=module_url(self.tree_id, index.path(row), row),
            count=len(item.rows),
            class_name=cls.shown,
            swatch=swatch_of(cls.name, self.slots, int(index.totals.num_parameters[row])),
            state=self._state(row) if is_called else "uncalled",
            inputs=values_text(trace.inputs[at], self.dtype) if at is not None else Values(),
            outputs=values_text(trace.outputs[at], self.dtype) if at is not None else Values(),
            calls=trace.calls[at] if at is not None else 0,
            varies=at is not None and trace.varies[at],
            flops=flops,
            macs=flops // trace.flops_per_mac,
            times=item.times,
            total=share_of(flops * item.times, trace.total_flops),
        )

    def _state(self, row: int) -> str:
        at, stopped = self.at[row], self.trace.stopped
        if self.trace.is_done[at]:
            return ""
        if stopped is None:
            return "raised"
        if stopped.row == row:
            return "stopped"
        return "inside" if row <= stopped.row < self.index.end[row] else "raised"
