"""Which of many epochs a picture needs: what a column of its pixels would show of all of them."""

import numpy as np
from numpy.typing import NDArray

from app.training.log import Floats

Places = NDArray[np.intp]


def kept_places(column: Floats, columns: int) -> Places:
    """Return the places, in order, of what a picture of so many pixel columns shows: all where they are few.

    Of each of the pixels these are the lowest and the highest number and, for a log axis, the lowest over zero and the
    first that is not; and the first and the last that are not finite: no spike and no gap is lost. So are the ends.
    """
    count = len(column)
    if count <= 2 * columns:
        return np.arange(count)
    size = -(-count // columns)
    padded = np.full(-(-count // size) * size, column[-1], "<f8")
    padded[:count] = column
    first = np.arange(0, padded.size, size)
    seen = _seen(padded.reshape(-1, size))
    found = [np.array([0, count - 1]), *(first[rows] + places[rows] for rows, places in seen)]
    return np.unique(np.minimum(np.concatenate(found), count - 1))


def _seen(table: Floats) -> list[tuple[Places, Places]]:
    """The rows in which there is something to see, and where in each row of the table it is."""
    is_finite, all_rows = np.isfinite(table), np.arange(len(table))
    if not is_finite.all():
        finite = table.copy()
        finite[~is_finite] = np.inf
        seen = [(all_rows, finite.argmin(1)), *_ends(~is_finite)]
        finite[~is_finite] = -np.inf
        seen.append((all_rows, finite.argmax(1)))
    else:
        seen = [(all_rows, table.argmin(1)), (all_rows, table.argmax(1))]
    low = np.flatnonzero((is_finite & (table <= 0)).any(1))
    if len(low):
        part = table[low]
        is_low = np.isfinite(part) & (part <= 0)
        places = np.zeros(len(table), np.intp)
        over = places.copy()
        places[low] = is_low.argmax(1)
        over[low] = np.where(part > 0, part, np.inf).argmin(1)
        seen += [(low, places), (low, over)]
    return seen


def _ends(is_gap: NDArray[np.bool_]) -> list[tuple[Places, Places]]:
    rows = np.flatnonzero(is_gap.any(1))
    return [(rows, is_gap.argmax(1)), (rows, is_gap.shape[1] - 1 - is_gap[:, ::-1].argmax(1))]
