"""The trees in use: in memory at their present revision."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from torch import nn

from app.collector import leave_to_reference_counts
from app.errors import CannotDo
from app.storage.records import TreeRecord
from app.translation import said
from app.trees.index import TreeIndex
from app.trees.origin import NOWHERE, Origin

MAX_OPEN_MODULES = 500_000


@dataclass(frozen=True, slots=True)
class OpenTree:
    """A tree in memory at its present revision; `origin` is what its source said besides the structure."""

    record: TreeRecord
    index: TreeIndex
    origin: Origin = NOWHERE

    @property
    def module(self) -> nn.Module:
        """The live root; raises `CannotDo` for a tree that is known by its structure only."""
        if not self.index.is_live:
            raise structure_only(self.record)
        return self.index.modules[0]


class OpenTrees:
    """Trees by id, up to half a million modules in all: the least recently used make room. Thread-safe."""

    def __init__(self) -> None:
        self._trees: OrderedDict[str, OpenTree] = OrderedDict()
        self._guard = threading.Lock()

    def get(self, tree_id: str) -> OpenTree | None:
        """Return the tree, or None where it is not in memory."""
        return self._trees.get(tree_id)

    def put(self, tree: OpenTree) -> None:
        """Hold the tree as the one used last; it stays, however large."""
        if self._trees.get(tree.record.id) is not tree:
            leave_to_reference_counts(len(tree.index))
        with self._guard:
            self._trees[tree.record.id] = tree
            self._trees.move_to_end(tree.record.id)
            total = sum(len(held.index) for held in self._trees.values())
            while total > MAX_OPEN_MODULES and len(self._trees) > 1:
                total -= len(self._trees.popitem(last=False)[1].index)

    def drop(self, tree_id: str) -> None:
        """Hold the tree no longer, if it is there."""
        with self._guard:
            self._trees.pop(tree_id, None)


def structure_only(record: TreeRecord) -> CannotDo:
    """Return the refusal of what needs the live modules of a tree that is known by its structure only."""
    return CannotDo(
        said(
            "%(name)r was opened from a %(get)s, so only its structure is known: it cannot be changed, called or "
            "trained. Trees of LinearModels can.",
            name=record.name,
            get=record.source.get("kind"),
        )
    )
