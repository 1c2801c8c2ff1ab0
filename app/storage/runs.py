"""Runs and their event logs, in the database: a row a run, a row a chunk of events."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, select, update

from app.errors import NotFound
from app.storage.database import Database
from app.storage.tables import run_chunks, runs, trees
from app.training.checkpoint import epoch_of
from app.training.config import RunConfig
from app.training.log import Chunk, EventKind
from app.training.ports import Update
from app.training.run import ACTIVE, KeptRun, Line, Overhead, Run, RunStatus
from app.translation import said

CHUNKS_A_QUERY = 200

Numbers: TypeAlias = ColumnElement[int | None]

_shown = [column for column in runs.c if column.name != "structure"]
_events = [column for column in run_chunks.c if column.name != "run"]

_FIXED = frozenset(
    ("seq", "id", "tree", "tree_name", "number", "tree_revision", "config", "epochs", "structure", "created_at")
)
_CHANGING = [column.name for column in runs.c if column.name not in _FIXED]

# Statements that run 60 times a second while a run trains: to build one costs more than to execute it.
_SET_RUN = update(runs).where(runs.c.id == bindparam("run_id")).values({name: bindparam(name) for name in _CHANGING})
_ADD_CHUNKS = insert(run_chunks)


class RunStore:
    """Keeps runs and their logs; safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, kept: KeptRun, structure: bytes, chunks: Sequence[Chunk]) -> KeptRun:
        """Keep a new run with its first events, and return it with its number among the runs of its tree."""
        run = kept.run
        with self._database.write() as connection:
            last = connection.scalar(select(func.max(runs.c.number)).where(runs.c.tree == run.tree))
            numbered = msgspec.structs.replace(kept, run=msgspec.structs.replace(run, number=(last or 0) + 1))
            connection.execute(insert(runs).values(structure=structure, **_born(numbered.run), **_changing(numbered)))
            _append(connection, run.id, chunks)
        return numbered

    def write(self, updates: Sequence[Update]) -> None:
        """Write the runs and their new events in one transaction."""
        with self._database.write() as connection:
            for each in updates:
                _write(connection, each)

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
        return _kept(row)

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
        return [_kept(row).run for row in rows[:limit]], more

    def count(self, tree: str | None = None) -> int:
        """Return how many runs are kept, of one tree where it is given."""
        query = select(func.count()).select_from(runs)
        with self._database.read() as connection:
            return connection.scalar(query if tree is None else query.where(runs.c.tree == tree)) or 0

    def files_in_use(self) -> set[str]:
        """Return the names of the files that runs still need: results, and what an interrupted run goes on from."""
        with self._database.read() as connection:
            rows = connection.execute(select(runs.c.result_tensors, runs.c.start_tensors, runs.c.checkpoint)).all()
        return {name for row in rows for name in row if name is not None}

    def active(self) -> list[KeptRun]:
        """Return the runs that are queued, running or paused, oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(_with_tree().where(runs.c.status.in_(ACTIVE)).order_by(runs.c.seq)).all()
        return [_kept(row) for row in rows]

    def delete(self, run_id: str) -> None:
        """Forget a run and its log; raises `NotFound`."""
        with self._database.write() as connection:
            if not connection.execute(delete(runs).where(runs.c.id == run_id)).rowcount:
                raise _not_found(run_id)

    def events(self, run_id: str, after: int, limit: int) -> list[Chunk]:
        """Return the chunks with events over `after`, in order, up to about `limit` events."""
        return self._chunks(run_chunks.c.run == run_id, run_chunks.c.first_id, run_chunks.c.last_id, after, limit)

    def epochs(self, run_id: str, after: int, limit: int) -> list[Chunk]:
        """Return the chunks with epochs over `after`, in order, holding `limit` of them where there are as many."""
        mine = (run_chunks.c.run == run_id) & (run_chunks.c.kind == EventKind.EPOCHS)
        return self._chunks(mine, run_chunks.c.first_epoch, run_chunks.c.last_epoch, after, limit)

    def module_stats(self, run_id: str, epoch: int) -> Chunk | None:
        """Return the chunk with the last statistics of modules that are not after `epoch`, or None."""
        mine = (run_chunks.c.run == run_id) & (run_chunks.c.kind == EventKind.MODULES)
        latest = run_chunks.c.first_epoch.desc()
        query = select(*_events).where(mine, run_chunks.c.first_epoch <= epoch).order_by(latest).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _chunk(row)

    def _chunks(self, mine: ColumnElement[bool], first: Numbers, last: Numbers, after: int, limit: int) -> list[Chunk]:
        # Begins with the chunk that `after` lies in: all that come before would be read and thrown away.
        begin = select(func.max(first)).where(mine, first <= after + 1).scalar_subquery()
        query = (
            select(*_events, first.label("first"), last.label("last"))
            .where(mine, first >= func.coalesce(begin, 0))
            .order_by(first)
        )
        chunks: list[Chunk] = []
        count = 0
        with self._database.read() as connection:
            for row in connection.execute(query.execution_options(yield_per=CHUNKS_A_QUERY)):
                if row.last <= after:
                    continue
                chunks.append(_chunk(row))
                count += row.last - max(row.first - 1, after)
                if count >= limit:
                    break
        return chunks


def _with_tree() -> Any:
    return select(*_shown, trees.c.id.label("living_tree")).outerjoin(trees, trees.c.id == runs.c.tree)


def _write(connection: Connection, change: Update) -> None:
    run_id = change.kept.run.id
    connection.execute(_SET_RUN, {"run_id": run_id, **_changing(change.kept)})
    _append(connection, run_id, change.chunks)


def _append(connection: Connection, run_id: str, chunks: Sequence[Chunk]) -> None:
    if chunks:
        connection.execute(_ADD_CHUNKS, [_chunk_row(run_id, chunk) for chunk in chunks])


def _not_found(run_id: str) -> NotFound:
    return NotFound(said("There is no run %(run_id)r. GET /api/runs lists those there are.", run_id=run_id))


def _born(run: Run) -> Mapping[str, object]:
    return {
        "id": run.id,
        "tree": run.tree,
        "tree_name": run.tree_name,
        "number": run.number,
        "tree_revision": run.tree_revision,
        "config": msgspec.json.encode(run.config).decode(),
        "epochs": run.epochs,
        "created_at": run.created_at,
    }


def _changing(kept: KeptRun) -> Mapping[str, object]:
    run = kept.run
    return {
        "status": run.status.value,
        "epochs_done": run.epochs_done,
        "loss": run.loss,
        "loss_nonfinite": run.nonfinite,
        "best_loss": run.best_loss,
        "validation_loss": run.validation_loss,
        "best_validation_loss": run.best_validation_loss,
        "lr": run.lr,
        "stopped_early": run.stopped_early,
        "step": run.step,
        "num_module_stats": run.num_module_stats,
        "module_stats_share": run.overhead.module_stats if run.overhead else None,
        "slope": run.fit.slope if run.fit else None,
        "intercept": run.fit.intercept if run.fit else None,
        "error": run.error,
        "start_tensors": kept.start_tensors,
        "result_tensors": kept.result_tensors,
        "result_revision": run.result_revision,
        "checkpoint": kept.checkpoint,
        "last_event": kept.last_event,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
    }


def _kept(row: Any) -> KeptRun:
    run = Run(
        id=row.id,
        tree=row.tree,
        tree_name=row.tree_name,
        tree_deleted=row.living_tree is None,
        tree_revision=row.tree_revision,
        number=row.number,
        status=RunStatus(row.status),
        epochs=row.epochs,
        epochs_done=row.epochs_done,
        loss=row.loss,
        nonfinite=row.loss_nonfinite,
        best_loss=row.best_loss,
        validation_loss=row.validation_loss,
        best_validation_loss=row.best_validation_loss,
        lr=row.lr,
        stopped_early=row.stopped_early,
        step=row.step,
        num_module_stats=row.num_module_stats,
        overhead=None if row.module_stats_share is None else Overhead(row.module_stats_share),
        checkpoint_epoch=epoch_of(row.checkpoint) if row.checkpoint else None,
        fit=None if row.slope is None else Line(row.slope, row.intercept),
        config=msgspec.json.decode(row.config, type=RunConfig),
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        error=row.error,
        result_revision=row.result_revision,
    )
    return KeptRun(
        run=run,
        last_event=row.last_event,
        start_tensors=row.start_tensors,
        result_tensors=row.result_tensors,
        checkpoint=row.checkpoint,
    )


def _chunk_row(run_id: str, chunk: Chunk) -> dict[str, object]:
    return {
        "run": run_id,
        "first_id": chunk.first_id,
        "last_id": chunk.last_id,
        "kind": chunk.kind.value,
        "first_epoch": chunk.first_epoch,
        "last_epoch": chunk.last_epoch,
        "base_at": chunk.base_at,
        "columns": chunk.columns or None,
        "payload": chunk.payload,
    }


def _chunk(row: Any) -> Chunk:
    return Chunk(
        first_id=row.first_id,
        last_id=row.last_id,
        kind=EventKind(row.kind),
        payload=row.payload,
        first_epoch=row.first_epoch,
        last_epoch=row.last_epoch,
        base_at=row.base_at or 0.0,
        columns=row.columns or "",
    )
