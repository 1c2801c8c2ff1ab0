"""Runs and their event logs, in the database: a row a run, a row a chunk of events."""

import time
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Integer, Select, bindparam, delete, func, insert, select, update

from app.errors import CannotStore, NotFound
from app.storage import compaction, run_queries
from app.storage.compaction import Compaction
from app.storage.database import Database
from app.storage.run_rows import add_chunks, born, changing, chunk_of, kept_of
from app.storage.tables import run_chunks, runs, trees
from app.training.log import TICKED, Chunk, EventKind
from app.training.merging import parted
from app.training.ports import Update
from app.training.run import ACTIVE, KeptRun, Run, RunStatus
from app.training.run_files import data_name
from app.training.run_query import RunChoices, RunPlace, RunQuery
from app.translation import said

SYNC_S = 1.0

_shown = [column for column in runs.c if column.name != "structure"]
_events = [column for column in run_chunks.c if column.name != "run"]

_FIXED = frozenset(
    ("seq", "id", "tree", "tree_name", "number", "tree_revision", "config", "epochs", "structure", "created_at")
)
_CHANGING = [column.name for column in runs.c if column.name not in _FIXED]

# Runs 60 times a second while a run trains: to build it costs more than to execute it.
_SET_RUN = update(runs).where(runs.c.id == bindparam("run_id")).values({name: bindparam(name) for name in _CHANGING})


def _of_epochs_after(kind: EventKind) -> Select[Any]:
    mine = (run_chunks.c.run == bindparam("run_id")) & (run_chunks.c.kind == kind)
    first, last, epoch = run_chunks.c.first_epoch, run_chunks.c.last_epoch, bindparam("epoch", type_=Integer)
    # Begins with the chunk that the epoch lies in: all that come before would be read and thrown away.
    begin = select(func.max(first)).where(mine, first <= epoch + 1).scalar_subquery()
    return select(*_events).where(mine, first >= func.coalesce(begin, 0), last > epoch).order_by(first)


# A long log is read a piece at a time, and to build these costs as much as to execute them.
_EPOCHS_BETWEEN = _of_epochs_after(EventKind.EPOCHS).where(run_chunks.c.first_epoch <= bindparam("last"))
_MODULES_AFTER = _of_epochs_after(EventKind.MODULES)


class RunStore:
    """Keeps runs and their logs; safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._compaction = Compaction()
        self._synced_at = 0.0

    def insert(self, kept: KeptRun, structure: bytes, chunks: Sequence[Chunk]) -> KeptRun:
        """Keep a new run with its first events, and return it with its number among the runs of its tree."""
        run = kept.run
        with self._database.write() as connection:
            last = connection.scalar(select(func.max(runs.c.number)).where(runs.c.tree == run.tree))
            numbered = msgspec.structs.replace(kept, run=msgspec.structs.replace(run, number=(last or 0) + 1))
            connection.execute(insert(runs).values(structure=structure, **born(numbered.run), **changing(numbered)))
            add_chunks(connection, run.id, chunks)
        return numbered

    def write(self, updates: Sequence[Update]) -> None:
        """Write the runs and their new events in one transaction; raises `CannotStore`.

        All but epochs is on the disk when this returns, and epochs are within a second: to wait for the disk at every
        tick would hold up each of them for longer than everything else does.
        """
        is_synced = time.monotonic() >= self._synced_at + SYNC_S or any(map(_says_more, updates))
        try:
            with self._database.write(is_synced=is_synced) as connection:
                for each in updates:
                    _write(connection, each)
                    if self._compaction.is_due(each.kept.run.id, each.chunks):
                        self._compaction.compact(connection, each.kept.run.id)
        except CannotStore:
            self._compaction.forget(each.kept.run.id for each in updates)
            raise
        if is_synced:
            self._synced_at = time.monotonic()
        self._compaction.forget(each.kept.run.id for each in updates if not each.kept.run.status.is_active)

    def reopen(self, change: Update) -> None:
        """Write the run that goes on, and make a plain status of the `end` that its log holds.

        Who reads the log from its start would take that `end` for the end of all.
        """
        run_id = change.kept.run.id
        ends = (run_chunks.c.run == run_id) & (run_chunks.c.kind == EventKind.END)
        status = msgspec.json.encode({"status": RunStatus.INTERRUPTED})
        with self._database.write() as connection:
            connection.execute(update(run_chunks).where(ends).values(kind=EventKind.STATUS, payload=status))
            _write(connection, change)

    def get(self, run_id: str) -> KeptRun:
        """Return a run; raises `NotFound`."""
        with self._database.read() as connection:
            row = connection.execute(_with_tree().where(runs.c.id == run_id)).one_or_none()
        if row is None:
            raise _not_found(run_id)
        return kept_of(row)

    def structure(self, run_id: str) -> bytes:
        """Return the structure that a run started from; raises `NotFound`."""
        with self._database.read() as connection:
            structure: bytes | None = connection.scalar(select(runs.c.structure).where(runs.c.id == run_id))
        if structure is None:
            raise _not_found(run_id)
        return structure

    def newest(self, tree: str | None, limit: int, before: int | None) -> tuple[list[Run], int | None]:
        """Return up to `limit` runs, newest first, and the number to pass as `before` for the next page, if any."""
        query = _with_tree().order_by(runs.c.seq.desc()).limit(limit + 1)
        if tree is not None:
            query = query.where(runs.c.tree == tree)
        if before is not None:
            query = query.where(runs.c.seq < before)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        more = rows[limit - 1].seq if len(rows) > limit else None
        return [kept_of(row).run for row in rows[:limit]], more

    def count(self, tree: str | None = None) -> int:
        """Return how many runs are kept, of one tree where it is given."""
        query = select(func.count()).select_from(runs)
        with self._database.read() as connection:
            return connection.scalar(query if tree is None else query.where(runs.c.tree == tree)) or 0

    def count_by_status(self) -> dict[RunStatus, int]:
        """Return how many runs are in each state, those in which none is too."""
        query = select(runs.c.status, func.count()).group_by(runs.c.status)
        with self._database.read() as connection:
            found: dict[str, int] = dict(row._tuple() for row in connection.execute(query))
        return {status: found.get(status.value, 0) for status in RunStatus}

    def find(self, asked: RunQuery, limit: int, after: RunPlace | None) -> tuple[list[Run], RunPlace | None]:
        """Return up to `limit` of the runs asked for, in their order, and the place to go on after, if any follow."""
        query = run_queries.page_of(_with_tree(), asked, limit, after)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        more = run_queries.place_of(rows[limit - 1]) if len(rows) > limit else None
        return [kept_of(row).run for row in rows[:limit]], more

    def num_found(self, asked: RunQuery) -> int:
        """Return how many runs are asked for."""
        with self._database.read() as connection:
            return connection.scalar(run_queries.found(select(func.count()).select_from(runs), asked)) or 0

    def choices(self) -> RunChoices:
        """Return what there is to ask for among all runs."""
        with self._database.read() as connection:
            return run_queries.choices(connection)

    def files_in_use(self) -> set[str]:
        """Return the names of the files that runs need for good: their results, and the points that they learnt."""
        with self._database.read() as connection:
            rows = connection.execute(select(runs.c.id, runs.c.result_tensors)).all()
        return {row.result_tensors for row in rows if row.result_tensors} | {data_name(row.id) for row in rows}

    def active(self) -> list[KeptRun]:
        """Return the runs that are queued, running or paused, oldest first."""
        return self._in(ACTIVE)

    def interrupted(self) -> list[KeptRun]:
        """Return the runs that can be resumed, oldest first."""
        return self._in({RunStatus.INTERRUPTED})

    def _in(self, statuses: Collection[RunStatus]) -> list[KeptRun]:
        with self._database.read() as connection:
            rows = connection.execute(_with_tree().where(runs.c.status.in_(statuses)).order_by(runs.c.seq)).all()
        return [kept_of(row) for row in rows]

    def delete(self, run_id: str) -> None:
        """Forget a run and its log; raises `NotFound`."""
        with self._database.write() as connection:
            if not connection.execute(delete(runs).where(runs.c.id == run_id)).rowcount:
                raise _not_found(run_id)

    def events(self, run_id: str, after: int, limit: int) -> list[Chunk]:
        """Return the chunks with events over `after`, in order, up to about `limit` events."""
        mine, first = run_chunks.c.run == run_id, run_chunks.c.first_id
        # The row before begins soonest of those that may hold the next event, unless rows were put together around it.
        begin = select(func.max(first)).where(mine, first <= after + 1).scalar_subquery()
        begins = func.min(func.coalesce(begin, 0), after + 1 - compaction.REACH)
        query = select(*_events).where(mine, first.between(begins, after + limit), run_chunks.c.last_id > after)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(first)).all()
        pieces = (piece for row in rows for piece in parted(chunk_of(row), after, after + limit))
        return sorted(pieces, key=lambda piece: piece.first_id)

    def epochs(self, run_id: str, after: int, limit: int) -> list[Chunk]:
        """Return the chunks with epochs over `after`, in order, holding `limit` of them where there are as many."""
        with self._database.read() as connection:
            rows = connection.execute(_EPOCHS_BETWEEN, {"run_id": run_id, "epoch": after, "last": after + limit})
            return [chunk_of(row) for row in rows]

    def module_stats(self, run_id: str, epoch: int) -> Chunk | None:
        """Return the chunk with the last statistics of modules that are not after `epoch`, or None."""
        mine = (run_chunks.c.run == run_id) & (run_chunks.c.kind == EventKind.MODULES)
        latest = run_chunks.c.first_epoch.desc()
        query = select(*_events).where(mine, run_chunks.c.first_epoch <= epoch).order_by(latest).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else chunk_of(row)

    def module_stats_after(self, run_id: str, epoch: int, limit: int) -> list[Chunk]:
        """Return up to `limit` chunks with statistics of modules of epochs after `epoch`, in order."""
        with self._database.read() as connection:
            rows = connection.execute(_MODULES_AFTER.limit(limit), {"run_id": run_id, "epoch": epoch})
            return [chunk_of(row) for row in rows]


def _with_tree() -> Any:
    return select(*_shown, trees.c.id.label("living_tree")).outerjoin(trees, trees.c.id == runs.c.tree)


def _says_more(change: Update) -> bool:
    return any(chunk.kind not in TICKED for chunk in change.chunks)


def _write(connection: Connection, change: Update) -> None:
    run_id = change.kept.run.id
    connection.execute(_SET_RUN, {"run_id": run_id, **changing(change.kept)})
    add_chunks(connection, run_id, change.chunks)


def _not_found(run_id: str) -> NotFound:
    return NotFound(said("There is no run %(run_id)r. GET /api/runs lists those there are.", run_id=run_id))
