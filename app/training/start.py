"""What a worker is told of the run that it is to train."""

import zlib

from app.training import messages
from app.training.checkpoint import epoch_of
from app.training.data import CsvData
from app.training.live import LiveRun
from app.training.ports import RunRows
from app.training.run_files import RunFiles, data_name, result_name


def start_of(live: LiveRun, rows: RunRows, files: RunFiles) -> messages.Start:
    """Return what a run begins with, or goes on with from one of its checkpoints."""
    kept, run = live.kept, live.run
    # A run without a seed still has one, so that it draws the same numbers when it is resumed.
    seed = run.config.seed if run.config.seed is not None else zlib.crc32(run.id.encode())
    # The one that the run knows of is asked for where its file is gone, too, so that the worker says so. One of later
    # epochs than the log holds would leave a gap in it: its server was killed before it knew of it.
    known = {*live.checkpoints, *filter(None, [kept.checkpoint])}
    usable = [name for name in sorted(known, key=epoch_of, reverse=True) if epoch_of(name) <= run.epochs_done]
    return messages.Start(
        run=run.id,
        structure=rows.structure(run.id),
        tensors=str(files.path(kept.start_tensors)),
        config=run.config,
        seed=seed,
        result=str(files.path(result_name(run.id))),
        checkpoints=tuple(str(files.path(name)) for name in usable),
        emit_from=run.epochs_done,
        data=str(files.path(data_name(run.id))) if isinstance(run.config.data, CsvData) else None,
    )
