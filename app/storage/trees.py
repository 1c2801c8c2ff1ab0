"""The trees: opened, looked into, changed, undone; kept in the database, the ones in use in memory."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from torch import nn

from app.errors import CannotDo, Invalid, NameRefused, NotFound, RevisionMismatch, TargetNotFound
from app.storage import tree_rows
from app.storage.database import Database
from app.storage.records import Facts, RevisionRecord, StoredSnapshot, TreeRecord, new_id, now
from app.storage.source_documents import name_of, source_kept
from app.storage.tensor_files import TensorFiles
from app.storage.uploads import Upload, Uploads
from app.trees import snapshot
from app.trees.collector import leave_to_reference_counts
from app.trees.index import TreeIndex
from app.trees.origin import NOWHERE, Origin, pack, unpack
from app.trees.sources.opening import Opened, Sources

T = TypeVar("T")

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


class Trees:
    """All trees. Every method may be called from any thread; calls about one tree take turns.

    A tree in use stays in memory, up to half a million modules in all; another is loaded from its revision.
    """

    def __init__(self, database: Database, files: TensorFiles, uploads: Uploads, sources: Sources) -> None:
        self.limits = sources.limits
        self.sources = sources
        self.uploads = uploads
        self._database = database
        self._files = files
        self._open: OrderedDict[str, OpenTree] = OrderedDict()
        self._records: dict[str, TreeRecord] = {}
        self._guard = threading.Lock()
        self._turns: dict[str, threading.RLock] = {}
        with database.read() as connection:
            files.sweep(tree_rows.files_in_use(connection))
            uploads.sweep(tree_rows.uploads_in_use(connection))

    def open(self, source: Mapping[str, object], name: str | None = None) -> TreeRecord:
        """Open a tree from a source, keep it, and return its record; raises as the source does.

        A source whose spec, arguments or config are large, or nested deeper than 100, is kept without them: the tree
        itself is kept whole.
        """
        return self._keep(self.sources.open(source), source, name or name_of(source))

    def open_again(self, source: Mapping[str, object]) -> TreeRecord:
        """Return the newest tree that was opened from the same source and is as that gives it now, else open one."""
        opened = self.sources.open(source)
        if opened.description is not None:
            structure = pack(opened.description, opened.origin)
            with self._database.read() as connection:
                found = tree_rows.newest_like(connection, source_kept(source, depth=0), structure)
            if found is not None:
                return found
        return self._keep(opened, source, name_of(source))

    def open_upload(self, upload: Upload, name: str | None = None) -> TreeRecord:
        """Open a tree from an uploaded checkpoint, which is kept with it; raises as the checkpoint does.

        When it raises, the upload is deleted.
        """
        source = {"kind": "checkpoint", "path": upload.path.name, "upload": upload.id}
        try:
            opened = self.sources.open_checkpoint(upload.path)
            self.uploads.settle(upload)
            return self._keep(opened, source, name or name_of(source))
        except BaseException:
            self.uploads.delete(upload.id)
            raise

    def _keep(self, opened: Opened, source: Mapping[str, object], name: str) -> TreeRecord:
        if opened.description is None:
            assert opened.module is not None
            index = self._index(opened.module)
            kept = self._kept(1, index)
        else:
            index = self.sources.index(opened.description, opened.origin)
            kept = StoredSnapshot(1, pack(opened.description, opened.origin), "")
        tree_id, at, facts = new_id("t_"), now(), Facts.of(index)
        with self._database.write() as connection:
            tree_rows.add_tree(connection, tree_id, name, source_kept(source, facts.depth), at)
            tree_rows.add_revision(connection, tree_id, kept, facts, parent=None, note="opened", at=at)
            record = tree_rows.find(connection, tree_id)
        self._remember(OpenTree(record, index, opened.origin))
        return record

    def newest(self, limit: int, before: int | None = None) -> tuple[list[TreeRecord], int | None]:
        """Return up to `limit` trees, newest first, and the number to pass as `before` for the next page, if any."""
        with self._database.read() as connection:
            found = tree_rows.newest(connection, limit + 1, before)
        more = found[limit - 1][0] if len(found) > limit else None
        return [record for _, record in found[:limit]], more

    def get(self, tree_id: str) -> TreeRecord:
        """Return the record of a tree; raises `NotFound`."""
        record = self._records.get(tree_id)
        if record is None:
            with self._turn(tree_id):
                record = self._records[tree_id] = self._found(tree_id)
        return record

    def history(self, tree_id: str) -> list[RevisionRecord]:
        """Return all revisions of a tree, newest first; raises `NotFound`."""
        with self._database.read() as connection:
            tree_rows.find(connection, tree_id)
            return tree_rows.history(connection, tree_id)

    def rename(self, tree_id: str, name: str, if_match: "Precondition" = None) -> TreeRecord:
        """Give the tree another name; its revision stays."""
        with self._turn(tree_id):
            _check(if_match, self.get(tree_id))
            with self._database.write() as connection:
                tree_rows.rename(connection, tree_id, name, now())
            return self._refresh(tree_id)

    def delete(self, tree_id: str, if_match: "Precondition" = None) -> None:
        """Delete a tree with its revisions and what was uploaded for it; its runs stay."""
        with self._turn(tree_id):
            record = self.get(tree_id)
            _check(if_match, record)
            with self._database.write() as connection:
                unused = tree_rows.remove(connection, tree_id)
            self._forget(tree_id)
            self._files.delete(unused)
            if isinstance(upload := record.source.get("upload"), str):
                self.uploads.delete(upload)

    @contextmanager
    def reading(self, tree_id: str) -> Iterator[OpenTree]:
        """Give the tree in memory; while the block runs it is not changed. Raises `NotFound`."""
        with self._turn(tree_id):
            yield self._opened(self.get(tree_id))

    def edit(
        self, tree_id: str, change: Callable[[OpenTree], T], *, note: str, if_match: "Precondition" = None
    ) -> tuple[TreeRecord, T]:
        """Change the tree and keep the outcome as its next revision, or leave everything as it was.

        `change` works on the tree's modules in place; when it raises, the tree goes back to its revision. Returns the
        new record and what `change` returned. Raises `RevisionMismatch` when `if_match` refuses the present revision,
        and `CannotDo` for a tree that is known by its structure only.
        """
        with self._turn(tree_id):
            record = self.get(tree_id)
            _check(if_match, record)
            if not record.facts.can.edit:
                raise structure_only(record)
            tree = self._opened(record)
            self._forget(tree_id)
            try:
                outcome = change(tree)
            except (TargetNotFound, NameRefused, Invalid):
                # Raised before anything is changed: what is in memory still is the revision.
                self._remember(tree)
                raise
            index = self._index(tree.module)
            self._add_revision(record, self._kept(0, index), Facts.of(index), note)
            tree = OpenTree(self.get(tree_id), index)
            self._remember(tree)
            return tree.record, outcome

    def undo(self, tree_id: str, if_match: "Precondition" = None) -> TreeRecord:
        """Move the tree to the revision before; raises `CannotDo` at the first."""
        with self._turn(tree_id):
            record = self.get(tree_id)
            _check(if_match, record)
            if not record.can_undo:
                raise CannotDo("There is nothing to undo: this is the tree's first revision.")
            with self._database.write() as connection:
                tree_rows.undo(connection, record, now())
            self._forget(tree_id)
            return self._refresh(tree_id)

    def redo(self, tree_id: str, if_match: "Precondition" = None) -> TreeRecord:
        """Move the tree to the revision that the last undo left; raises `CannotDo` when there is none."""
        with self._turn(tree_id):
            record = self.get(tree_id)
            _check(if_match, record)
            if record.redo is None:
                raise CannotDo("There is nothing to redo: no change was undone since the last one was made.")
            with self._database.write() as connection:
                tree_rows.move(connection, tree_id, record.redo, now())
            self._forget(tree_id)
            return self._refresh(tree_id)

    def snapshot(self, tree_id: str) -> StoredSnapshot:
        """Return the present revision as it is kept; raises `NotFound`."""
        with self._database.read() as connection:
            return tree_rows.stored(connection, tree_id, tree_rows.find(connection, tree_id).revision)

    def put_result(self, tree_id: str, expected_revision: int, tensors: str, note: str) -> int | None:
        """Make a file of trained values the next revision of a tree that is still at the one they started from.

        Returns the new revision's number, or None when the tree has moved on or is gone.
        """
        with self._turn(tree_id):
            with self._database.read() as connection:
                if not tree_rows.exists(connection, tree_id):
                    return None
            record = self.get(tree_id)
            if record.revision != expected_revision:
                return None
            kept = self.snapshot(tree_id)
            self._forget(tree_id)
            return self._add_revision(record, StoredSnapshot(0, kept.structure, tensors), record.facts, note)

    def count(self) -> int:
        """Return how many trees there are."""
        with self._database.read() as connection:
            return tree_rows.count(connection)

    def _found(self, tree_id: str) -> TreeRecord:
        try:
            with self._database.read() as connection:
                return tree_rows.find(connection, tree_id)
        except NotFound:
            with self._guard:
                self._turns.pop(tree_id, None)
            raise

    def _add_revision(self, record: TreeRecord, kept: StoredSnapshot, facts: Facts, note: str) -> int:
        with self._database.write() as connection:
            number = tree_rows.next_revision(connection, record.id)
            kept = StoredSnapshot(number, kept.structure, kept.tensors)
            tree_rows.add_revision(connection, record.id, kept, facts, parent=record.revision, note=note, at=now())
        self._refresh(record.id)
        return number

    def _opened(self, record: TreeRecord) -> OpenTree:
        tree = self._open.get(record.id)
        if tree is None:
            with self._database.read() as connection:
                kept = tree_rows.stored(connection, record.id, record.revision)
            tree = self._loaded(record, kept)
        elif tree.record is not record:
            tree = OpenTree(record, tree.index, tree.origin)
        self._remember(tree)
        return tree

    def _loaded(self, record: TreeRecord, kept: StoredSnapshot) -> OpenTree:
        if kept.tensors:
            module = snapshot.load(kept.structure, self._files.load(kept.tensors))
            return OpenTree(record, self._index(module))
        description, origin = unpack(kept.structure)
        if isinstance(upload := record.source.get("upload"), str):
            origin = self.uploads.locate(upload, origin)
        return OpenTree(record, self.sources.index(description, origin), origin)

    def _index(self, module: nn.Module) -> TreeIndex:
        return TreeIndex.of(module, max_modules=self.limits.max_modules, max_depth=self.limits.max_depth)

    def _kept(self, revision: int, index: TreeIndex) -> StoredSnapshot:
        taken = snapshot.take(index)
        return StoredSnapshot(revision, taken.structure, self._files.save(taken.tensors))

    def _remember(self, tree: OpenTree) -> None:
        if self._open.get(tree.record.id) is not tree:
            leave_to_reference_counts(len(tree.index))
        with self._guard:
            self._open[tree.record.id] = tree
            self._open.move_to_end(tree.record.id)
            total = sum(len(held.index) for held in self._open.values())
            while total > MAX_OPEN_MODULES and len(self._open) > 1:
                total -= len(self._open.popitem(last=False)[1].index)

    def _forget(self, tree_id: str) -> None:
        with self._guard:
            self._open.pop(tree_id, None)
            self._records.pop(tree_id, None)

    def _refresh(self, tree_id: str) -> TreeRecord:
        self._records.pop(tree_id, None)
        return self.get(tree_id)

    def _turn(self, tree_id: str) -> threading.RLock:
        with self._guard:
            return self._turns.setdefault(tree_id, threading.RLock())


Precondition = Callable[[int], bool] | int | None


def _check(if_match: Precondition, record: TreeRecord) -> None:
    matches = if_match is None or (if_match(record.revision) if callable(if_match) else if_match == record.revision)
    if not matches:
        raise RevisionMismatch(str(if_match), record.revision)


def structure_only(record: TreeRecord) -> CannotDo:
    """Return the refusal of what needs the live modules of a tree that is known by its structure only."""
    return CannotDo(
        f"{record.name!r} was opened from a {record.source.get('kind')}, so only its structure is known: it cannot be "
        "changed, called or trained. Trees of LinearModels can."
    )
