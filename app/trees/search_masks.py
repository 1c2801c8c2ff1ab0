"""Which modules and tensors a term finds: a bit for each, over the whole tree at once."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable

import numpy as np

from app.trees import search_terms as terms
from app.trees.gradient import unreached
from app.trees.index import TreeIndex
from app.trees.name_tests import NameTest, name_test, part_tests
from app.trees.search_columns import at, is_repeated, search_columns_of
from app.trees.search_terms import OF_TENSORS, Flag, Key, Term
from app.trees.tensors import Ints, Mask


class Level(ABC):
    """Evaluates a query for all modules, or all tensors, at once."""

    def __init__(self, index: TreeIndex) -> None:
        self.index = index
        self.columns = search_columns_of(index)

    def mask(self, term: Term) -> Mask:
        """Return for each thing whether the term finds it."""
        match term:
            case terms.All(parts):
                return all_of([self.mask(part) for part in parts], self.count)
            case terms.Any(parts):
                return any_of([self.mask(part) for part in parts], self.count)
            case terms.Not(inner):
                return ~self.mask(inner)
            case terms.Word():
                return self.along_path(term)
            case terms.Text(Key.PATH, text):
                return self.along_path(terms.Word(text))
            case terms.Text(Key.NAME, text, is_exact):
                return self.named(name_test(text, is_exact=is_exact))
            case _:
                return self.has(term)

    @property
    @abstractmethod
    def count(self) -> int:
        """How many things there are."""

    @abstractmethod
    def named(self, test: NameTest) -> Mask:
        """Return for each thing whether the test holds of its own name."""

    @abstractmethod
    def own(self, word: terms.Word) -> Mask:
        """Return for each thing whether the word ends in its own name."""

    @abstractmethod
    def along_path(self, word: terms.Word) -> Mask:
        """Return for each thing whether the word ends in its own name or in that of a module it is in."""

    @abstractmethod
    def has(self, term: Term) -> Mask:
        """Return for each thing whether it has what a term without parts asks for."""


class OfModules(Level):
    @property
    def count(self) -> int:
        return len(self.index)

    def named(self, test: NameTest) -> Mask:
        return self.columns.names.where(test)

    def own(self, word: terms.Word) -> Mask:
        *above, last = part_tests(word)
        found = self.named(last)
        return found & at(self.inside(above), self.columns.parent) & (self.columns.parent >= 0) if above else found

    def inside(self, tests: list[NameTest]) -> Mask:
        """Return for each module whether its name and those above it fit the tests, the last for its own name."""
        parent = self.columns.parent
        found: Mask | None = None
        for test in tests:
            named = self.named(test)
            found = named if found is None else named & at(found, parent) & (parent >= 0)
        assert found is not None
        return found

    def along_path(self, word: terms.Word) -> Mask:
        return self.below(self.own(word))

    def below(self, found: Mask) -> Mask:
        """Return the modules that were found and all that is in them."""
        rows = np.flatnonzero(found)
        edges = np.zeros(self.count + 1, np.int64)
        edges[rows] = 1
        np.subtract.at(edges, self.columns.end[rows], 1)
        return np.cumsum(edges[:-1]) > 0

    def _in(self, spans: Iterable[tuple[int, int]]) -> Mask:
        found = np.zeros(self.count, np.bool_)
        for first, count in spans:
            found[first : first + count] = True
        return found

    def _is_training(self) -> Mask:
        is_training: Mask = np.frombuffer(self.index.training, np.uint8) != 0
        return is_training

    def has(self, term: Term) -> Mask:
        index, totals, count = self.index, self.index.totals, self.count
        match term:
            case terms.Text(Key.CLASS, text, is_exact):
                test = name_test(text, is_exact=is_exact)
                fits = [test(cls.name.casefold()) for cls in index.classes]
                return at(np.array(fits, np.bool_), self.columns.class_id)
            case terms.Has(Flag.SHARED):
                return is_repeated(index.first)
            case terms.Has(Flag.EVAL):
                return ~self._is_training()
            case terms.Has(Flag.TRAIN):
                return self._is_training()
            case terms.Has(Flag.INFERRED):
                return at(np.array([cls.inferred for cls in index.classes], np.bool_), self.columns.class_id)
            case terms.Has(Flag.NO_GRAD):
                return self._in(unreached(index, 0, count))
            case terms.Has(Flag.LEAF):
                return at(self.columns.end == np.arange(1, count + 1), slice(None))
            case terms.Number(Key.PARAMS):
                return _compared(totals.num_parameters, term)
            case terms.Number(Key.MODULES):
                return _compared(totals.num_modules, term)
            case terms.Number(Key.CHILDREN):
                return _compared(totals.num_children, term)
            case terms.Number(Key.DEPTH):
                return _compared(np.asarray(index.depth, np.int64), term)
        raise AssertionError(term)


class OfTensors(Level):
    def __init__(self, index: TreeIndex) -> None:
        super().__init__(index)
        self.tensors = self.columns.tensors
        self.modules = OfModules(index)

    @property
    def count(self) -> int:
        return len(self.tensors)

    def named(self, test: NameTest) -> Mask:
        return self.tensors.names.where(test)

    def own(self, word: terms.Word) -> Mask:
        *above, last = part_tests(word)
        found = self.named(last)
        return found & at(self.modules.inside(above), self.tensors.owner) if above else found

    def along_path(self, word: terms.Word) -> Mask:
        return self.own(word) | at(self.modules.along_path(word), self.tensors.owner)

    def has(self, term: Term) -> Mask:
        tensors, kinds = self.tensors, self.index.kinds.all
        if terms.topic(term) not in OF_TENSORS:
            return at(self.modules.has(term), tensors.owner)
        match term:
            case terms.Has(flag):
                return self._flagged(flag)
            case terms.Text(Key.DTYPE, text, is_exact):
                test = name_test(text, is_exact=is_exact, starts=True)
                return self._of_kinds([test(kind.dtype_name) for kind in kinds])
            case terms.Shape(sizes):
                return self._of_kinds([_fits(kind.shape, sizes) for kind in kinds])
            case terms.Number(Key.DIMS):
                return _compared(self._of([len(kind.shape or ()) for kind in kinds]), term)
            case terms.Number(Key.NUMEL):
                return _compared(self._of([kind.numel for kind in kinds]), term)
            case terms.Number(Key.BYTES):
                return _compared(self._of([kind.num_bytes for kind in kinds]), term)
        raise AssertionError(term)

    def _flagged(self, flag: Flag) -> Mask:
        buffer, flagged = self.tensors.is_buffer, self.tensors.flag
        masks: dict[Flag, Callable[[], Mask]] = {
            Flag.PARAMETER: lambda: ~buffer,
            Flag.BUFFER: lambda: buffer,
            Flag.FROZEN: lambda: ~buffer & ~flagged,
            Flag.TRAINABLE: lambda: ~buffer & flagged,
            Flag.PERSISTENT: lambda: buffer & flagged,
            Flag.NONPERSISTENT: lambda: buffer & ~flagged,
            Flag.TIED: lambda: self.tensors.is_tied,
            Flag.LAZY: lambda: self._of_kinds([kind.shape is None for kind in self.index.kinds.all]),
        }
        return masks[flag]()

    def _of_kinds(self, values: list[bool]) -> Mask:
        return at(np.array([*values, False], np.bool_), self.tensors.kind)

    def _of(self, values: list[int]) -> Ints:
        found: Ints = np.array([*values, 0], np.int64)[self.tensors.kind]
        return found


def _compared(values: Ints, term: terms.Number) -> Mask:
    return _OPERATORS[term.operator](values, term.value)


_OPERATORS: dict[str, Callable[[Ints, float], Mask]] = {
    "=": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def _fits(shape: tuple[int, ...] | None, sizes: tuple[int | None, ...]) -> bool:
    return (
        shape is not None
        and len(shape) == len(sizes)
        and all(wanted in {None, size} for size, wanted in zip(shape, sizes, strict=True))
    )


def any_of(masks: list[Mask], count: int) -> Mask:
    """Return what any of the masks has."""
    found = np.zeros(count, np.bool_)
    for mask in masks:
        found |= mask
    return found


def all_of(masks: list[Mask], count: int) -> Mask:
    """Return what every one of the masks has."""
    found = np.ones(count, np.bool_)
    for mask in masks:
        found &= mask
    return found
