"""What gives a cell of the map its height: parameters, bytes or FLOPs, what is shared at its first place only."""

from enum import StrEnum

import numpy as np

from app.trees.index import TreeIndex
from app.trees.tensors import Ints, TensorColumns, repeats
from app.trees.trace import Trace


class Area(StrEnum):
    """What the height of a cell is."""

    PARAMETERS = "parameters"
    BYTES = "bytes"
    FLOPS = "flops"


class Amounts:
    """Sums over ranges of rows: those of children never exceed that of their parent. FLOPs need a trace."""

    def __init__(self, index: TreeIndex, area: Area, trace: Trace | None = None) -> None:
        self.area = area
        self._before = np.concatenate(([0], np.cumsum(_own(index, area, trace))))

    def between(self, first: int, end: int) -> int:
        """Return what the rows from `first` to `end` come to."""
        return int(self._before[end] - self._before[first])

    def of(self, rows: Ints, ends: Ints) -> Ints:
        """Return `between` of many."""
        amounts: Ints = self._before[ends] - self._before[rows]
        return amounts


def _own(index: TreeIndex, area: Area, trace: Trace | None) -> Ints:
    if area == Area.FLOPS:
        return _own_flops(index, trace) if trace is not None else np.zeros(len(index), np.int64)
    return _own_bytes(index) if area == Area.BYTES else _own_elements(index)


def _own_flops(index: TreeIndex, trace: Trace) -> Ints:
    own = np.zeros(len(index), np.int64)
    own[trace.row] = trace.own_flops
    return own


def _own_elements(index: TreeIndex) -> Ints:
    columns = index.parameters
    is_first = columns.first == np.arange(len(columns))
    return _by_row(index, _numbers(columns, "owner")[is_first], _amounts(index, columns, "numel")[is_first])


def _own_bytes(index: TreeIndex) -> Ints:
    # A tensor may be a parameter in one place and a buffer in another: it is there once.
    both = (index.parameters, index.buffers)
    owner = np.concatenate([_numbers(columns, "owner") for columns in both])
    size = np.concatenate([_amounts(index, columns, "num_bytes") for columns in both])
    order = np.argsort(owner, kind="stable")
    previous, _ = repeats(np.concatenate([columns.identity for columns in both])[order])
    is_first = previous < 0
    return _by_row(index, owner[order][is_first], size[order][is_first])


def _by_row(index: TreeIndex, owner: Ints, amount: Ints) -> Ints:
    own = np.zeros(len(index), np.int64)
    np.add.at(own, owner, amount)
    return own


def _amounts(index: TreeIndex, columns: TensorColumns, name: str) -> Ints:
    of_kinds = np.array([getattr(kind, name) for kind in index.kinds.all], np.int64)
    return of_kinds[_numbers(columns, "kind")]


def _numbers(columns: TensorColumns, name: str) -> Ints:
    return np.frombuffer(getattr(columns, name), np.int64)
