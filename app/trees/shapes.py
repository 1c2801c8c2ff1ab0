"""Shape ids: equal for two subtrees exactly when class, extra_repr, own tensors and children are equal."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from app.trees.numbering import Numbering
from app.trees.tensors import Ints, TensorColumns

if TYPE_CHECKING:
    from app.trees.index import TreeIndex

# The number of what a module is by itself, the names of its children, and the numbers of their shapes.
Key: TypeAlias = tuple[int, tuple[str, ...], tuple[int, ...]]

DIGEST_BYTES = 8
SHORT_RUN = 4


@dataclass(slots=True)
class Shapes:
    """Which places of a tree have the same shape: `shape[row]` numbers it, `ids[shape]` names it the same everywhere.

    Numbers are given in pre-order of first appearance. An id is 16 hexadecimal digits over the class, its `extra_repr`,
    the module's own tensors (name, shape, dtype; a buffer's persistence) and its children (name, id).
    """

    shape: list[int]
    ids: list[str]

    @classmethod
    def of(cls, index: "TreeIndex") -> "Shapes":
        """Return the shapes of an index whose columns are complete."""
        own, example = _own_facts(index)
        shapes = _Shapes(index, example)
        # As if all were leaves, for most are; then those that are not, children before parents.
        leaf = np.array([shapes[number, (), ()] for number in range(len(example))])
        shape = leaf[own].tolist()
        for row, names, children in _inner(index, shape):
            shape[row] = shapes[int(own[row]), names, children]
        renumbered: Numbering[int] = Numbering()
        return cls(list(map(renumbered.__getitem__, shape)), [shapes.ids[number] for number in renumbered])


def _inner(index: "TreeIndex", shape: list[int]) -> Iterator[tuple[int, tuple[str, ...], tuple[int, ...]]]:
    # Yields each row that has children, from the last to the first, with their names and the shapes they have by then.
    num_children = np.bincount(np.frombuffer(index.parent, np.int64)[1:], minlength=len(index))
    rows = np.flatnonzero(num_children)[::-1]
    names = index.name
    for row, count in zip(rows.tolist(), num_children[rows].tolist(), strict=True):
        end = index.end[row]
        if end - row - 1 == count:
            yield row, tuple(names[row + 1 : end]), tuple(shape[row + 1 : end])
        else:
            children = list(index.children(row))
            yield row, tuple([names[child] for child in children]), tuple([shape[child] for child in children])


def _own_facts(index: "TreeIndex") -> tuple[Ints, list[int]]:
    # Numbers what the modules are by themselves, and gives an example of a row for each number.
    columns = [np.array(index.class_id, np.int64), *_runs(index.parameters), *_runs(index.buffers)]
    extra, none = index.extra_repr, index.none_children
    if extra or none:
        said: Numbering[tuple[str, tuple[str, ...]]] = Numbering()
        rows = range(len(index))
        columns.append(np.array([said[extra.get(row, ""), tuple(none.get(row, ()))] for row in rows], np.int64))
    number, example = _numbered(columns[0])
    for column in columns[1:]:
        if column.any():
            number, example = _numbered(number * (int(column.max()) + 1) + column)
    return number, example.tolist()


def _numbered(keys: Ints) -> tuple[Ints, Ints]:
    # A number for each distinct key, and where it is first. A tree of one class is quick to see; sorting is not.
    if keys.min() == keys.max():
        return np.zeros(len(keys), np.int64), np.zeros(1, np.int64)
    _, example, number = np.unique(keys, return_index=True, return_inverse=True)
    return number, example


def _runs(columns: TensorColumns) -> Iterator[Ints]:
    # Two columns that are equal for two modules exactly when their words are, in order: how many, and a number for
    # all runs of that length. It grows by a word at a time, for all modules at once; long runs are rare.
    start, word = np.frombuffer(columns.start, np.int64), columns.word
    count = np.diff(start)
    number = np.zeros(len(count), np.int64)
    rows = np.arange(len(count))
    for place in range(SHORT_RUN):
        rows = rows[count[rows] > place]
        if len(rows):
            number[rows], _ = _numbered(number[rows] * len(columns.words) + word[start[rows] + place])
    rest: Numbering[tuple[int, ...]] = Numbering()
    for row in rows[count[rows] > SHORT_RUN].tolist():
        number[row] = rest[(number[row].item(), *word[start[row] + SHORT_RUN : start[row + 1]].tolist())]
    yield count
    yield number


class _Shapes(dict[Key, int]):
    """The number of each shape by its key, made as it is asked for; `ids` are by number.

    Keys of one id have one number, as those of two classes do that have one name in one Python module.
    """

    def __init__(self, index: "TreeIndex", example: list[int]) -> None:
        super().__init__()
        self.ids: list[str] = []
        self._index = index
        self._example = example
        self._numbers: Numbering[str] = Numbering()

    def __missing__(self, key: Key) -> int:
        own, names, shapes = key
        children = list(zip(names, [self.ids[shape] for shape in shapes], strict=True))
        text = repr((*_words(self._index, self._example[own]), children))
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).hexdigest()
        number = self[key] = self._numbers[digest]
        if number == len(self.ids):
            self.ids.append(digest)
        return number


def _words(index: "TreeIndex", row: int) -> Iterator[object]:
    # A child that is None has no row, and is yet printed by torch: two modules that differ in it differ in shape.
    cls = index.classes[index.class_id[row]]
    yield from (cls.module, cls.name, index.extra_repr.get(row, ""), index.none_children.get(row, []))
    for columns in (index.parameters, index.buffers):
        words = [columns.words[columns.word[entry]] for entry in index.own(columns, row)]
        kinds = [index.kinds.all[word.kind] for word in words]
        yield [
            (word.name, kind.shape, kind.dtype_name, word.persistent) for word, kind in zip(words, kinds, strict=True)
        ]
