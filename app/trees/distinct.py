"""The distinct tensors in a range of rows, such as a subtree or a run of siblings."""

import numpy as np

from app.trees.index import TreeIndex
from app.trees.tensors import Ints, Mask, TensorColumns


def distinct_entries(columns: TensorColumns, row: int, end: int) -> Ints:
    """Return the entries of the rows from `row` to `end`, each tensor at the first of its places in there."""
    return columns.listed(columns.start[row], columns.start[end], remove_duplicate=True)


def kinds_of(columns: TensorColumns, entries: Ints) -> Ints:
    """Return the numbers of the kinds of some entries."""
    return np.frombuffer(columns.kind, np.int64)[entries]


def distinct_kinds(index: TreeIndex, row: int, end: int) -> list[tuple[int, int]]:
    """Return the number of each kind in the rows from `row` to `end`, and how many distinct tensors are of it."""
    parameters = distinct_entries(index.parameters, row, end)
    buffers = distinct_entries(index.buffers, row, end)
    # A tensor may be a parameter in one place and a buffer in another: it is there once.
    buffers = buffers[~_are_parameters(index, parameters, buffers)]
    kinds = np.concatenate((kinds_of(index.parameters, parameters), kinds_of(index.buffers, buffers)))
    counts = np.bincount(kinds)
    return [(kind, int(counts[kind])) for kind in np.flatnonzero(counts).tolist()]


def has_repeats(index: TreeIndex, row: int, end: int) -> bool:
    """Whether any tensor stands at two places in the rows from `row` to `end`."""
    parameters, buffers = (_entries(columns, row, end) for columns in (index.parameters, index.buffers))
    for columns, entries in ((index.parameters, parameters), (index.buffers, buffers)):
        if np.any(columns.previous[entries] >= columns.start[row]):
            return True
    return bool(np.any(_are_parameters(index, parameters, buffers)))


def _entries(columns: TensorColumns, row: int, end: int) -> Ints:
    return columns.listed(columns.start[row], columns.start[end], remove_duplicate=False)


def _are_parameters(index: TreeIndex, parameters: Ints, buffers: Ints) -> Mask:
    """Return for each of the distinct buffers whether it is one of the distinct parameters."""
    if not len(buffers):
        return np.zeros(0, np.bool_)
    return np.isin(index.buffers.identity[buffers], index.parameters.identity[parameters], assume_unique=True)
