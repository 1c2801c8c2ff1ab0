"""The columns of a tree that are searched, made once for each index and kept as long as it is."""

from collections.abc import Callable
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from app.trees.index import TreeIndex
from app.trees.numbering import Numbering
from app.trees.tensors import Ints, Mask


class Names:
    """Names in folded case, each distinct one once: few are, whatever the tree's size."""

    def __init__(self, names: list[str]) -> None:
        numbers: Numbering[str] = Numbering()
        self._number = np.fromiter((numbers[name] for name in map(str.casefold, names)), np.int32, len(names))
        self._folded = list(numbers)

    def where(self, test: Callable[[str], bool]) -> Mask:
        """Return for each name whether the test holds of it in folded case."""
        return at(np.array([*map(test, self._folded), False], np.bool_), self._number)


class SearchTensors:
    """The parameters and then the buffers of a tree as one list of columns."""

    def __init__(self, index: TreeIndex) -> None:
        both = (index.parameters, index.buffers)
        self.num_parameters = len(index.parameters)
        self.owner: Ints = np.concatenate([np.asarray(columns.owner, np.int64) for columns in both])
        self.kind: Ints = np.concatenate([np.asarray(columns.kind, np.int64) for columns in both])
        self.flag: Mask = np.concatenate([np.frombuffer(columns.flag, np.uint8) != 0 for columns in both])
        self.is_tied: Mask = np.concatenate([is_repeated(columns.first) for columns in both])
        self.is_buffer: Mask = np.arange(len(self.owner)) >= self.num_parameters
        self.names = Names([*index.parameters.name, *index.buffers.name])

    def __len__(self) -> int:
        return len(self.owner)


class SearchColumns:
    """What a search reads, some 20 bytes a tensor and 4 a module beside the index.

    It does not hold the index: the two would keep each other in memory.
    """

    def __init__(self, index: TreeIndex) -> None:
        self.parent: Ints = np.asarray(index.parent, np.int64)
        self.end: Ints = np.asarray(index.end, np.int64)
        self.class_id: Ints = np.asarray(index.class_id, np.int64)
        self.names = Names(index.name)
        self.tensors = SearchTensors(index)

    def __len__(self) -> int:
        return len(self.parent)


_of_indexes: WeakKeyDictionary[TreeIndex, SearchColumns] = WeakKeyDictionary()


def search_columns_of(index: TreeIndex) -> SearchColumns:
    """Return the columns of an index; the first call for it makes them."""
    columns = _of_indexes.get(index)
    if columns is None:
        columns = _of_indexes[index] = SearchColumns(index)
    return columns


def at(mask: Mask, where: NDArray[np.integer] | slice) -> Mask:
    """Return the bits at some places."""
    found: Mask = mask[where]
    return found


def is_repeated(first: Ints) -> Mask:
    """Return for each thing whether it has another place, from the first place of each."""
    return at(np.bincount(first, minlength=len(first)) > 1, first)
