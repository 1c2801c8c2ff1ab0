"""Which places of a tree look the same, so that one of them can stand for all."""

import numpy as np

from app.trees.index import TreeIndex
from app.trees.tensors import Ints, TensorColumns


class Likeness:
    """Whether two places have the same shape, and all that a shape does not say is the same in them too."""

    def __init__(self, index: TreeIndex) -> None:
        self._index = index
        self._shape = index.shapes.shape
        # Most trees share nothing and are all of one mode, and then there is nothing more to compare.
        self._mixes_modes = _is_mixed(index.training)
        self._shares_modules = bool(np.any(index.previous >= 0))
        told = [
            (one, _is_mixed(one.flag), bool(np.any(one.previous >= 0))) for one in (index.parameters, index.buffers)
        ]
        self._columns = [(one, mixes, shares) for one, mixes, shares in told if mixes or shares]

    def are_alike(self, left: int, right: int) -> bool:
        """Whether one of the two places tells all of the other."""
        index = self._index
        if self._shape[left] != self._shape[right]:
            return False
        one, other = (left, index.end[left]), (right, index.end[right])
        return (
            not (self._mixes_modes and index.training[slice(*one)] != index.training[slice(*other)])
            and not (self._shares_modules and not _is_shared_alike(index.previous, one, other))
            and all(_are_tensors_alike(columns, one, other, *differ) for columns, *differ in self._columns)
        )


def _is_mixed(flags: bytes | bytearray) -> bool:
    return 0 in flags and 1 in flags


def _are_tensors_alike(
    columns: TensorColumns, left: tuple[int, int], right: tuple[int, int], mixes: bool, shares: bool
) -> bool:
    one = columns.start[left[0]], columns.start[left[1]]
    other = columns.start[right[0]], columns.start[right[1]]
    is_flagged_alike = not mixes or columns.flag[slice(*one)] == columns.flag[slice(*other)]
    return is_flagged_alike and not (shares and not _is_shared_alike(columns.previous, one, other))


def _is_shared_alike(previous: Ints, left: tuple[int, int], right: tuple[int, int]) -> bool:
    # What lies before the place itself counts as not shared: `num_distinct` and the totals tell of that.
    one, other = previous[slice(*left)], previous[slice(*right)]
    return bool(np.array_equal(np.maximum(one - left[0], -1), np.maximum(other - right[0], -1)))
