"""The heat map of a tensor in memory: a picture of a matrix of any size, in at most 128 by 512 cells."""

import math
from collections.abc import Sequence

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray
from torch import Tensor

from app.errors import Invalid, Misfit
from app.translation import said
from app.trees.rows import HeatMap
from app.trees.tensor_values import as_doubles, nonfinite_word

MAX_ROWS, MAX_COLUMNS = 128, 512


def heat_map_of(tensor: Tensor, index: Sequence[int] = ()) -> HeatMap:
    """Return the heat map of the tensor's last two dimensions, at `index` in those before; a vector is one row.

    Dimensions that `index` leaves out are at 0. Raises `Invalid` for an index that the tensor has not.
    """
    whole = whole_index(tensor.shape, index)
    matrix = tensor.detach()[whole]
    matrix = matrix.reshape((1, 1, *matrix.shape)[-2:])
    values = as_doubles(matrix).numpy()
    shape = (matrix.shape[0], matrix.shape[1])
    block = block_of(shape, MAX_ROWS, MAX_COLUMNS)
    return drawn(whole, shape, block, _cells(values, block))


def whole_index(shape: Sequence[int], index: Sequence[int]) -> tuple[int, ...]:
    """Return an index of all dimensions before the last two; raises `Invalid` for one that the tensor has not."""
    leading = list(shape[:-2])
    whole = (*index, *(0 for _ in leading[len(index) :]))
    if len(whole) != len(leading) or any(not 0 <= at < size for at, size in zip(whole, leading, strict=True)):
        msg = said(
            "expected %(num)s numbers below %(leading)s, got %(whole)s",
            num=len(leading),
            leading=leading,
            whole=list(whole),
        )
        raise Invalid(said("index: %(msg)s.", msg=msg), (Misfit(("index",), msg),))
    return whole


def block_of(shape: tuple[int, int], max_rows: int, max_columns: int) -> tuple[int, int]:
    """Return how many rows and columns of a matrix one cell stands for."""
    return -(-shape[0] // max_rows) or 1, -(-shape[1] // max_columns) or 1


def drawn(index: Sequence[int], shape: tuple[int, int], block: tuple[int, int], cells: NDArray[np.float64]) -> HeatMap:
    """Return the heat map of cells, with the words for those that are not finite."""
    words = UNSET if np.isfinite(cells).all() else [_words(row) for row in cells]
    return HeatMap(list(index), shape, block, cells.tolist(), words)


def _words(row: NDArray[np.float64]) -> list[str | None] | None:
    if np.isfinite(row).all():
        return None
    return [None if math.isfinite(cell) else nonfinite_word(cell) for cell in row.tolist()]


def _cells(values: NDArray[np.float64], block: tuple[int, int]) -> NDArray[np.float64]:
    if not values.size:
        return np.zeros([-(-size // step) for size, step in zip(values.shape, block, strict=True)])
    down, right = (np.arange(0, size, step) for size, step in zip(values.shape, block, strict=True))
    low = np.minimum.reduceat(np.minimum.reduceat(values, down, axis=0), right, axis=1)
    high = np.maximum.reduceat(np.maximum.reduceat(values, down, axis=0), right, axis=1)
    return np.where(high >= -low, high, low)
