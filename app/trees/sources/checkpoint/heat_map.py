"""A picture of a matrix of any size: each cell the value of largest magnitude of its block."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from app.trees.heat_map import MAX_COLUMNS, MAX_ROWS, block_of, drawn, whole_index
from app.trees.rows import HeatMap
from app.trees.sources.checkpoint.contents import TensorPlace
from app.trees.sources.checkpoint.decoding import to_float64
from app.trees.sources.checkpoint.ranges import CHUNK_BYTES, TensorReader, open_tensor
from app.trees.sources.checkpoint.statistics import Progress, no_progress

_BUDGET = CHUNK_BYTES // 8

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Slice:
    """A matrix in a tensor: the offset of its first element, and its shape and strides, in elements."""

    first: int
    shape: tuple[int, int]
    strides: tuple[int, int]

    def turned(self) -> "_Slice":
        """Return it with rows for columns."""
        return _Slice(self.first, self.shape[::-1], self.strides[::-1])


def read_heat_map(
    folder: Path,
    place: TensorPlace,
    index: Sequence[int] = (),
    *,
    max_rows: int = MAX_ROWS,
    max_columns: int = MAX_COLUMNS,
    progress: Progress = no_progress,
) -> HeatMap:
    """Return a heat map of the tensor's last two dimensions, at `index` in those before; a vector is one row.

    Dimensions that `index` leaves out are at 0. Raises `Invalid` for an index that the tensor has not.
    """
    whole = whole_index(place.shape, index)
    part = _slice(place, whole)
    block = block_of(part.shape, max_rows, max_columns)
    with open_tensor(folder, place) as tensor:
        # Reading goes along the narrower stride, or each row of a transposed matrix would read all of it.
        if part.strides[0] >= part.strides[1]:
            cells = _cells(tensor, part, block, progress)
        else:
            cells = _cells(tensor, part.turned(), block[::-1], progress).T
    return drawn(whole, part.shape, block, cells)


def _slice(place: TensorPlace, index: tuple[int, ...]) -> _Slice:
    first = sum(at * stride for at, stride in zip(index, place.strides, strict=False))
    rows, columns = (1, 1, *place.shape)[-2:]
    down, right = (0, 0, *place.strides)[-2:]
    return _Slice(first, (rows, columns), (down if rows > 1 else max(down, right), right))


def _cells(tensor: TensorReader, part: _Slice, block: tuple[int, int], progress: Progress) -> Floats:
    rows, columns = part.shape
    cells = np.zeros((-(-rows // block[0]), -(-columns // block[1])))
    if not cells.size:
        return cells
    for number, top in enumerate(range(0, rows, block[0])):
        bottom = min(top + block[0], rows)
        cells[number] = _row_of_cells(tensor, part, (top, bottom), block[1])
        progress(bottom, rows)
    return cells


def _row_of_cells(tensor: TensorReader, part: _Slice, span: tuple[int, int], width: int) -> Floats:
    columns = part.shape[1]
    step = max(1, _BUDGET // width) * width if width <= _BUDGET else _BUDGET
    num_cells = -(-columns // width)
    low, high = np.full(num_cells, np.inf), np.full(num_cells, -np.inf)
    for left in range(0, columns, step):
        right = min(left + step, columns)
        least, most = _extremes(tensor, part, span, (left, right))
        starts = np.unique(np.maximum(np.arange(left // width, -(-right // width)) * width, left)) - left
        here = slice(left // width, left // width + len(starts))
        low[here] = np.minimum(low[here], np.minimum.reduceat(least, starts))
        high[here] = np.maximum(high[here], np.maximum.reduceat(most, starts))
    return np.where(high >= -low, high, low)


def _extremes(
    tensor: TensorReader, part: _Slice, span: tuple[int, int], columns: tuple[int, int]
) -> tuple[Floats, Floats]:
    """The least and the largest value of each column, a NaN both, in some rows and columns."""
    (top, bottom), (left, right) = span, columns
    num_columns = right - left
    down, across = part.strides
    step = max(1, _BUDGET // num_columns)
    low, high = np.full(num_columns, np.inf), np.full(num_columns, -np.inf)
    for row in range(top, bottom, step):
        shape = (min(step, bottom - row), num_columns)
        values = to_float64(tensor.matrix(part.first + row * down + left * across, shape, part.strides))
        low, high = np.minimum(low, values.min(axis=0)), np.maximum(high, values.max(axis=0))
    return low, high
