"""A run of very many epochs that nobody has to wait for: written into a data folder before a server starts on it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np

from app.storage.database import Database
from app.storage.runs import RunStore
from app.training.config import RunConfig
from app.training.log import Chunk, EventKind, Floats, pack_epochs
from app.training.ports import Update
from app.training.run import KeptRun, Run, RunStatus

STARTED = datetime(2026, 1, 1, 12, tzinfo=UTC)
EACH_S = 1e-4


def write_long_run(folder: Path, run_id: str, loss: Floats, validation_loss: Floats, a_chunk: int = 20_000) -> None:
    """Keep a run that succeeded, an epoch each tenth of a millisecond."""
    count = len(loss)
    database = Database.open(f"sqlite:///{folder / 'moduletree.db'}")
    run = Run(
        id=run_id,
        tree="t_gone",
        tree_name="linear_model1",
        tree_revision=1,
        epochs=count,
        config=RunConfig(epochs=count, validation_split=0.2),
        created_at=STARTED,
    )
    kept = RunStore(database).insert(KeptRun(run=run, start_tensors="none"), b"", [])
    chunks = [Chunk(1, 1, EventKind.STATUS, b'{"status":"running"}')]
    for first in range(0, count, a_chunk):
        part = slice(first, min(first + a_chunk, count))
        columns = {
            "loss": loss[part],
            "at": EACH_S * np.arange(part.stop - first),
            "validation_loss": validation_loss[part],
        }
        names, payload = pack_epochs(columns)
        at = STARTED.timestamp() + EACH_S * first
        chunks.append(Chunk(first + 2, part.stop + 1, EventKind.EPOCHS, payload, first, part.stop - 1, at, names))
    chunks.append(
        Chunk(count + 2, count + 2, EventKind.END, msgspec.json.encode({"id": run_id, "status": "succeeded"}))
    )
    ended = msgspec.structs.replace(
        kept.run,
        status=RunStatus.SUCCEEDED,
        epochs_done=count,
        loss=float(loss[-1]),
        best_loss=float(np.nanmin(loss)),
        started_at=STARTED,
        ended_at=STARTED + timedelta(seconds=EACH_S * count),
    )
    RunStore(database).write([Update(msgspec.structs.replace(kept, run=ended, last_event=count + 2), chunks)])
    database.close()
