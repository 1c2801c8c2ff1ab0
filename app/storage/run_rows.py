"""Runs and chunks of their events as rows of the database."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, insert

from app.storage.tables import run_chunks
from app.training.checkpoint import epoch_of
from app.training.config import RunConfig
from app.training.log import Chunk, EventKind
from app.training.run import KeptRun, Line, Overhead, Run, RunStatus

# Runs 60 times a second while a run trains: to build it costs more than to execute it.
_ADD = insert(run_chunks)


def add_chunks(connection: Connection, run: str, chunks: Sequence[Chunk]) -> None:
    """Append chunks to the log of a run."""
    if chunks:
        connection.execute(_ADD, [_row_of(run, chunk) for chunk in chunks])


def _row_of(run: str, chunk: Chunk) -> dict[str, object]:
    return {
        "run": run,
        "first_id": chunk.first_id,
        "last_id": chunk.last_id,
        "kind": chunk.kind.value,
        "first_epoch": chunk.first_epoch,
        "last_epoch": chunk.last_epoch,
        "base_at": chunk.base_at,
        "columns": chunk.columns or None,
        "payload": chunk.payload,
        "ids": chunk.ids or None,
    }


def chunk_of(row: Any) -> Chunk:
    """Return the chunk that a row holds."""
    return Chunk(
        first_id=row.first_id,
        last_id=row.last_id,
        kind=EventKind(row.kind),
        payload=row.payload,
        first_epoch=row.first_epoch,
        last_epoch=row.last_epoch,
        base_at=row.base_at or 0.0,
        columns=row.columns or "",
        ids=row.ids or b"",
    )


def born(run: Run) -> Mapping[str, object]:
    """Return the columns of a run that stay as they are."""
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


def changing(kept: KeptRun) -> Mapping[str, object]:
    """Return the columns of a run that change while it is trained."""
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
        "note": run.note,
        "is_held": kept.is_held,
        "start_tensors": kept.start_tensors,
        "result_tensors": kept.result_tensors,
        "result_revision": run.result_revision,
        "checkpoint": kept.checkpoint,
        "last_event": kept.last_event,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
    }


def kept_of(row: Any) -> KeptRun:
    """Return the run that a row holds, with the id of its tree where that is still there."""
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
        note=row.note,
        result_revision=row.result_revision,
    )
    return KeptRun(
        run=run,
        last_event=row.last_event,
        start_tensors=row.start_tensors,
        result_tensors=row.result_tensors,
        checkpoint=row.checkpoint,
        is_held=row.is_held,
    )
