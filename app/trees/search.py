"""Search: which modules, and which of their tensors, a query finds; evaluated by column over the whole tree at once.

query -> terms (`search_query`) -> a bit for each module and tensor (`search_masks`) -> a page of rows (`found_page`)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.trees.found_page import DEFAULT_LIMIT, FoundPage, Stretch, found_page
from app.trees.index import TreeIndex
from app.trees.search_masks import OfModules, OfTensors, any_of
from app.trees.search_query import parse_query
from app.trees.search_terms import OF_TENSORS, Key, Term, Word, asked, leaves, topic
from app.trees.tensors import Ints, Mask, TensorColumns


@dataclass(frozen=True, slots=True)
class Found:
    """All that a query found: `modules` has a bit a row, `tensors` one for each parameter and then each buffer."""

    index: TreeIndex
    term: Term
    modules: Mask
    tensors: Mask

    def page(self, start: int = 0, limit: int = DEFAULT_LIMIT) -> FoundPage:
        """Return up to `limit` modules and tensors from `start` on, with those that lead to them, in tree order."""
        return found_page(self.index, Stretch.of(self.index, self.modules, self.tensors, start, limit))


class Searcher:
    """Searches one tree. What it reads is made once for an index: a searcher costs nothing, and is made as needed."""

    def __init__(self, index: TreeIndex) -> None:
        self.index = index

    @cached_property
    def _of_modules(self) -> OfModules:
        return OfModules(self.index)

    @cached_property
    def _of_tensors(self) -> OfTensors:
        return OfTensors(self.index)

    def search(self, text: str) -> Found:
        """Return what a query finds; raises `Invalid` that names the character where it cannot be read.

        A query that says something of tensors finds tensors, any other modules. One of names only finds both, and of
        its words, which may stand anywhere in the path, one must be in the thing's own name: `attn` finds each attn,
        and not all that is in it.
        """
        term = parse_query(text)
        is_of_names = _is_of_names(term)
        words = [part for part in asked(term) if isinstance(part, Word)]
        of_modules, of_tensors = self._of_modules, self._of_tensors
        modules, tensors = np.zeros(of_modules.count, np.bool_), np.zeros(of_tensors.count, np.bool_)
        if not _is_of_tensors(term):
            modules = of_modules.mask(term)
        if _is_of_tensors(term) or (is_of_names and list(asked(term))):
            tensors = of_tensors.mask(term)
        if is_of_names and words:
            modules = modules & any_of([of_modules.own(word) for word in words], of_modules.count)
            tensors = tensors & any_of([of_tensors.own(word) for word in words], of_tensors.count)
        return Found(self.index, term, modules, tensors)

    def among_modules(self, rows: Sequence[int] | Ints, text: str) -> Ints:
        """Return those of the rows that a query finds; one that says something of tensors, those that own such."""
        if not text.strip():
            return np.asarray(rows, np.int64)
        found = self.search(text)
        modules = found.modules
        if _is_of_tensors(found.term):
            modules = np.zeros_like(modules)
            modules[self._of_tensors.tensors.owner[found.tensors]] = True
        listed = np.asarray(rows, np.int64)
        return listed[modules[listed]]

    def among_tensors(self, columns: TensorColumns, entries: Ints, text: str) -> Ints:
        """Return those of the entries of parameters, or of buffers, that a query holds of.

        What it says of modules it says of the one that owns the tensor, and words may stand anywhere in the path:
        `attn class:Linear` leaves what the Linear in each attn owns.
        """
        if not text.strip():
            return entries
        mask = self._of_tensors.mask(parse_query(text))
        before = 0 if columns is self.index.parameters else len(self.index.parameters)
        return entries[mask[entries + before]]


def _is_of_tensors(term: Term) -> bool:
    return any(topic(part) in OF_TENSORS for part in leaves(term))


def _is_of_names(term: Term) -> bool:
    topics = {topic(part) for part in leaves(term)}
    return topics <= {None, Key.NAME, Key.PATH} and topics != {Key.PATH} and bool(topics)
