"""The trees: opened, looked into, changed, undone; kept in the database, the ones in use in memory."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

import msgspec

from app.errors import CannotDo, Invalid, NameRefused, NotFound, RevisionMismatch, TargetNotFound
from app.storage import tree_rows
from app.storage.database import Database
from app.storage.open_trees import OpenTree, OpenTrees, structure_only
from app.storage.records import Facts, RevisionRecord, StoredSnapshot, TreeRecord, new_id, now
from app.storage.snapshots import Snapshots
from app.storage.source_documents import name_of, source_kept
from app.storage.tensor_files import TensorFiles
from app.storage.uploads import Upload, Uploads
from app.translation import said
from app.trees.origin import pack
from app.trees.sources.forward import Output
from app.trees.sources.opening import Opened, Sources
from app.trees.sources.trainable import is_trainable

__all__ = ["OpenTree", "Trees", "structure_only"]

T = TypeVar("T")


class Trees:
    """All trees. Every method may be called from any thread; calls about one tree take turns.

    A tree in use stays in memory, as `OpenTrees` has room; another is loaded from its revision.
    """

    def __init__(self, database: Database, files: TensorFiles, uploads: Uploads, sources: Sources) -> None:
        self.limits = sources.limits
        self.uploads = uploads
        self._sources = sources
        self._database = database
        self._files = files
        self._snapshots = Snapshots(files, uploads, sources)
        self._open = OpenTrees()
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
        return self._keep(self._sources.open(source), source, name or name_of(source))

    def open_again(self, source: Mapping[str, object]) -> TreeRecord:
        """Return the newest tree that was opened from the same source and is as that gives it now, else open one."""
        opened = self._sources.open(source)
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
            opened = self._sources.open_checkpoint(upload.path)
            self.uploads.settle(upload)
            return self._keep(opened, source, name or name_of(source))
        except BaseException:
            self.uploads.delete(upload.id)
            raise

    def _keep(self, opened: Opened, source: Mapping[str, object], name: str) -> TreeRecord:
        index, kept = self._snapshots.first(opened)
        tree_id, at = new_id("t_"), now()
        document = source_kept(source, max(index.depth))
        is_made = source.get("kind") == "factory" and is_trainable(msgspec.json.decode(document), index)
        facts = Facts.of(index, is_made_to_train=is_made)
        with self._database.write() as connection:
            tree_rows.add_tree(connection, tree_id, name, document, at)
            tree_rows.add_revision(connection, tree_id, kept, facts, parent=None, note="opened", at=at)
            record = tree_rows.find(connection, tree_id)
        self._open.put(OpenTree(record, index, opened.origin))
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
                self._open.put(tree)
                raise
            index = self._snapshots.index(tree.module)
            self._add_revision(record, self._snapshots.take(index), Facts.of(index), note)
            tree = OpenTree(self.get(tree_id), index)
            self._open.put(tree)
            return tree.record, outcome

    def undo(self, tree_id: str, if_match: "Precondition" = None) -> TreeRecord:
        """Move the tree to the revision before; raises `CannotDo` at the first."""
        with self._turn(tree_id):
            record = self.get(tree_id)
            _check(if_match, record)
            if not record.can_undo:
                raise CannotDo(said("There is nothing to undo: this is the tree's first revision."))
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
                raise CannotDo(said("There is nothing to redo: no change was undone since the last one was made."))
            with self._database.write() as connection:
                tree_rows.move(connection, tree_id, record.redo, now())
            self._forget(tree_id)
            return self._refresh(tree_id)

    def forward(
        self, source: Mapping[str, object], shapes: Sequence[tuple[int, ...]], frozen: Sequence[str]
    ) -> Sequence[Output]:
        """Return what a factory's module gives for inputs of each shape, tried in a process of its own."""
        return self._sources.workshop.forward(source, shapes, frozen)

    def snapshot(self, tree_id: str) -> StoredSnapshot:
        """Return the present revision as it is kept; raises `NotFound`."""
        with self._database.read() as connection:
            return tree_rows.stored(connection, tree_id, tree_rows.find(connection, tree_id).revision)

    def as_at(self, tree_id: str, revision: int) -> OpenTree:
        """Return the tree as it was at one of its revisions; it is read anew, and not held."""
        with self._database.read() as connection:
            kept = tree_rows.stored(connection, tree_id, revision)
        return self._snapshots.load(self.get(tree_id), kept)

    def result_of(self, tree_id: str, run: str) -> int | None:
        """Return the revision that a run has made of a tree, None where it has made none or the tree is gone."""
        with self._database.read() as connection:
            return tree_rows.result_of(connection, tree_id, run)

    def put_result(
        self, tree_id: str, expected_revision: int, tensors: str, note: str, run: str | None = None
    ) -> int | None:
        """Make a file of trained values the next revision of a tree that is still at the one they started from.

        Returns the new revision's number, or None when the tree has moved on or is gone. `run` is what `result_of` then
        knows it by.
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
            return self._add_revision(record, StoredSnapshot(0, kept.structure, tensors), record.facts, note, run)

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

    def _add_revision(
        self, record: TreeRecord, kept: StoredSnapshot, facts: Facts, note: str, run: str | None = None
    ) -> int:
        at, parent = now(), record.revision
        with self._database.write() as connection:
            number = tree_rows.next_revision(connection, record.id)
            kept = StoredSnapshot(number, kept.structure, kept.tensors)
            tree_rows.add_revision(connection, record.id, kept, facts, parent=parent, note=note, at=at, run=run)
        self._refresh(record.id)
        return number

    def _opened(self, record: TreeRecord) -> OpenTree:
        tree = self._open.get(record.id)
        if tree is None:
            with self._database.read() as connection:
                kept = tree_rows.stored(connection, record.id, record.revision)
            tree = self._snapshots.load(record, kept)
        elif tree.record is not record:
            tree = OpenTree(record, tree.index, tree.origin)
        self._open.put(tree)
        return tree

    def _forget(self, tree_id: str) -> None:
        self._open.drop(tree_id)
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
