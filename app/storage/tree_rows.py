"""The rows of trees and their revisions: read into records, written one statement a change."""

from collections.abc import Iterator
from datetime import datetime

import msgspec
from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from app.errors import NotFound
from app.storage.records import Facts, RevisionRecord, StoredSnapshot, TreeRecord
from app.storage.tables import revisions, runs, trees
from app.translation import said


def find(connection: Connection, tree_id: str) -> TreeRecord:
    """Return the record of a tree; raises `NotFound` when there is none."""
    row = connection.execute(_records().where(trees.c.id == tree_id)).one_or_none()
    if row is None:
        raise NotFound(said("There is no tree %(tree_id)r.", tree_id=tree_id))
    return _record(row)


def newest(connection: Connection, limit: int, before: int | None) -> list[tuple[int, TreeRecord]]:
    """Return up to `limit` trees with their sequence numbers, newest first, those before a number only if given."""
    query = _records().order_by(trees.c.seq.desc()).limit(limit)
    if before is not None:
        query = query.where(trees.c.seq < before)
    return [(row.seq, _record(row)) for row in connection.execute(query)]


def newest_like(connection: Connection, source: bytes, structure: bytes) -> TreeRecord | None:
    """Return the newest tree of a source whose present revision has a structure, byte for byte."""
    query = _records().where(trees.c.source == source.decode(), revisions.c.structure == structure)
    row = connection.execute(query.order_by(trees.c.seq.desc()).limit(1)).one_or_none()
    return None if row is None else _record(row)


def add_tree(connection: Connection, tree_id: str, name: str, source: bytes, at: datetime) -> None:
    """Insert a tree; its first revision must follow in the same transaction."""
    connection.execute(
        insert(trees).values(id=tree_id, name=name, source=source.decode(), revision=1, created_at=at, updated_at=at)
    )


def add_revision(
    connection: Connection,
    tree_id: str,
    kept: StoredSnapshot,
    facts: Facts,
    *,
    parent: int | None,
    note: str,
    at: datetime,
    run: str | None = None,
) -> None:
    """Insert a revision and make it the tree's present one; what its parent could redo is given up."""
    connection.execute(
        insert(revisions).values(
            tree=tree_id,
            revision=kept.revision,
            parent=parent,
            note=note,
            structure=kept.structure,
            tensors=kept.tensors,
            facts=msgspec.json.encode(facts).decode(),
            created_at=at,
            run=run,
        )
    )
    if parent is not None:
        _set_redo(connection, tree_id, parent, None)
    move(connection, tree_id, kept.revision, at)


def move(connection: Connection, tree_id: str, revision: int, at: datetime) -> None:
    """Make a revision the tree's present one."""
    connection.execute(update(trees).where(trees.c.id == tree_id).values(revision=revision, updated_at=at))


def undo(connection: Connection, record: TreeRecord, at: datetime) -> None:
    """Move the tree to its parent revision, from which `redo` leads back."""
    assert record.parent is not None
    _set_redo(connection, record.id, record.parent, record.revision)
    move(connection, record.id, record.parent, at)


def rename(connection: Connection, tree_id: str, name: str, at: datetime) -> None:
    """Give the tree another name."""
    connection.execute(update(trees).where(trees.c.id == tree_id).values(name=name, updated_at=at))


def remove(connection: Connection, tree_id: str) -> list[str]:
    """Delete the tree with its revisions and return the names of the tensor files that nothing else uses.

    A revision of structure only has no tensor file: its name is "".
    """
    used = set(connection.scalars(select(revisions.c.tensors).where(revisions.c.tree == tree_id)))
    connection.execute(delete(trees).where(trees.c.id == tree_id))
    return sorted(used - {"", *files_in_use(connection)})


def uploads_in_use(connection: Connection) -> Iterator[str]:
    """Yield the names of the uploads that trees were opened from."""
    yield from connection.scalars(select(func.json_extract(trees.c.source, "$.upload").label("upload")).distinct())


def files_in_use(connection: Connection) -> Iterator[str]:
    """Yield the names of the tensor files that revisions and runs refer to."""
    for column in (revisions.c.tensors, runs.c.start_tensors, runs.c.result_tensors, runs.c.checkpoint):
        yield from connection.scalars(select(column).where(column.is_not(None)).distinct())


def next_revision(connection: Connection, tree_id: str) -> int:
    """Return a number that no revision of the tree has had."""
    highest = connection.scalar(select(func.max(revisions.c.revision)).where(revisions.c.tree == tree_id))
    return int(highest or 0) + 1


def result_of(connection: Connection, tree_id: str, run: str) -> int | None:
    """Return the revision of a tree that is the result of a run."""
    query = select(revisions.c.revision).where(revisions.c.tree == tree_id, revisions.c.run == run)
    return connection.scalar(query)


def stored(connection: Connection, tree_id: str, revision: int) -> StoredSnapshot:
    """Return a revision as it is kept."""
    row = connection.execute(
        select(revisions.c.structure, revisions.c.tensors).where(
            revisions.c.tree == tree_id, revisions.c.revision == revision
        )
    ).one()
    return StoredSnapshot(revision, row.structure, row.tensors)


def history(connection: Connection, tree_id: str) -> list[RevisionRecord]:
    """Return all revisions of a tree, newest first."""
    columns = (revisions.c.revision, revisions.c.parent, revisions.c.note, revisions.c.created_at)
    rows = connection.execute(select(*columns).where(revisions.c.tree == tree_id).order_by(revisions.c.revision.desc()))
    return [RevisionRecord(*row) for row in rows]


def _set_redo(connection: Connection, tree_id: str, revision: int, redo: int | None) -> None:
    connection.execute(
        update(revisions).where(revisions.c.tree == tree_id, revisions.c.revision == revision).values(redo=redo)
    )


def _records() -> Select[tuple[object, ...]]:
    present = (revisions.c.tree == trees.c.id) & (revisions.c.revision == trees.c.revision)
    return select(
        trees,
        revisions.c.parent,
        revisions.c.redo,
        revisions.c.note,
        revisions.c.facts,
        revisions.c.created_at.label("revision_at"),
    ).join(revisions, present)


def _record(row: Row[tuple[object, ...]]) -> TreeRecord:
    return TreeRecord(
        id=row.id,
        name=row.name,
        source=msgspec.json.decode(row.source),
        revision=row.revision,
        facts=msgspec.json.decode(row.facts, type=Facts),
        note=row.note,
        parent=row.parent,
        redo=row.redo,
        revision_at=row.revision_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def exists(connection: Connection, tree_id: str) -> bool:
    """Return whether there is such a tree."""
    return connection.scalar(select(trees.c.seq).where(trees.c.id == tree_id)) is not None


def count(connection: Connection) -> int:
    """Return how many trees there are."""
    return connection.scalar(select(func.count()).select_from(trees)) or 0
