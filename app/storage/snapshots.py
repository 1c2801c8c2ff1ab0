"""What is kept of trees: made of what a source or a change gave, and made into trees again.

A live tree is kept by its modules and a file of its tensors; one that is known by its structure only, by its
description with its origin.
"""

from torch import nn

from app.storage.open_trees import OpenTree
from app.storage.records import StoredSnapshot, TreeRecord
from app.storage.tensor_files import TensorFiles
from app.storage.uploads import Uploads
from app.trees import snapshot
from app.trees.index import TreeIndex
from app.trees.origin import is_description, pack, unpack
from app.trees.sources.opening import Opened, Sources


class Snapshots:
    """Writes snapshots and reads them."""

    def __init__(self, files: TensorFiles, uploads: Uploads, sources: Sources) -> None:
        self._files = files
        self._uploads = uploads
        self._sources = sources

    def first(self, opened: Opened) -> tuple[TreeIndex, StoredSnapshot]:
        """Return the index of what a source gave, and its snapshot as the first revision."""
        if opened.description is None:
            assert opened.module is not None
            index = self.index(opened.module)
            return index, self.take(index, 1)
        index = self._sources.index(opened.description, opened.origin)
        return index, StoredSnapshot(1, pack(opened.description, opened.origin), "")

    def index(self, module: nn.Module) -> TreeIndex:
        """Return the index of a live module; raises `TooLarge` over the server's limits."""
        limits = self._sources.limits
        return TreeIndex.of(module, max_modules=limits.max_modules, max_depth=limits.max_depth)

    def take(self, index: TreeIndex, revision: int = 0) -> StoredSnapshot:
        """Return the snapshot of a live tree, its tensors on the disk; 0 is a revision that has no number yet."""
        taken = snapshot.take(index)
        return StoredSnapshot(revision, taken.structure, self._files.save(taken.tensors))

    def load(self, record: TreeRecord, kept: StoredSnapshot) -> OpenTree:
        """Return a tree from the snapshot of its present revision."""
        if kept.tensors and not is_description(kept.structure):
            module = snapshot.load(kept.structure, self._files.load(kept.tensors))
            return OpenTree(record, self.index(module))
        description, origin = unpack(kept.structure)
        if kept.tensors:
            # The values that a run has left, under the names of the state dict.
            path = self._files.path(kept.tensors)
            return OpenTree(record, self._sources.trained_index(description, path), origin)
        if isinstance(upload := record.source.get("upload"), str):
            origin = self._uploads.locate(upload, origin)
        return OpenTree(record, self._sources.index(description, origin), origin)
