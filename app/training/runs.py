"""Runs: start, look at, pause, resume, cancel, apply; what is active is owned by `ActiveRuns`, on its own thread."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import msgspec
import numpy as np
from torch import Tensor

from app.errors import CannotDo, ModuletreeError
from app.training.active import ActiveRuns
from app.training.admission import Admission
from app.training.config import RunConfig
from app.training.data import CsvData, tensors_of
from app.training.executor import Executor
from app.training.feeds import Feeds
from app.training.holders import holders_of
from app.training.insights.watching import Watching
from app.training.live import LiveRun
from app.training.log import EpochColumns, joined, unpack_epochs
from app.training.loop_thread import LoopThread
from app.training.module_columns import ModuleColumns, unpack_modules
from app.training.pictures import Pictures
from app.training.ports import DataStore, KeptTrees, RunRows, TensorStore
from app.training.result import Applied, put_back, put_where_it_fits
from app.training.run import Run, RunStatus
from app.training.run_files import RunFiles, result_name
from app.training.run_query import RunChoices, RunPlace, RunQuery
from app.training.tensors_file import read_tensors
from app.translation import said
from app.trees.origin import is_description
from app.trees.snapshot import Holders

KEPT_HOLDERS = 16


class Runs:
    """The training runs of this server, those of the past among them. Its methods may be called from any thread."""

    def __init__(
        self,
        rows: RunRows,
        trees: KeptTrees,
        tensors: TensorStore,
        folder: Path,
        executor: Executor,
        data: DataStore,
        *,
        max_queued: int = 16,
        checkpoint_s: float = 30.0,
    ) -> None:
        self.feeds = Feeds(rows.events, lambda run: self.holders(run).paths)
        self.watching = Watching(self)
        self.pictures = Pictures(self)
        self._rows = rows
        self._trees = trees
        self._tensors = tensors
        self._files = RunFiles(folder)
        self._executor = executor
        self._admission = Admission(trees, tensors, self._files, data)
        self._active = ActiveRuns(
            rows, self._files, executor, self.feeds, self._put_result, max_queued=max_queued, checkpoint_s=checkpoint_s
        )
        self._thread = LoopThread("runs")

    def open(self, *, resume_interrupted: bool = False) -> None:
        """Take up what the last server left, and start the workers.

        Runs that it left queued are queued again; what it trained to the end is put on its tree, and the others are
        interrupted, and go on from their last checkpoint where that is asked for, unless they were paused.
        """
        unfinished = {kept.run.id for kept in [*self._rows.active(), *self._rows.interrupted()]}
        self._files.open(self._rows.files_in_use(), unfinished)
        self._thread.start()
        self._thread.call(self._active.open(resume_interrupted=resume_interrupted))

    def begin_to_close(self) -> None:
        """End all streams, and have the workers write checkpoints; to be called on the loop of the streams."""
        self.feeds.close()
        self._thread.loop.call_soon_threadsafe(self._active.begin_to_stop)

    def close(self) -> None:
        """End the workers; what they train is interrupted, and can be resumed."""
        self._thread.call(self._active.close())
        self._thread.stop()

    @property
    def is_ready(self) -> bool:
        """Whether a worker answers."""
        return self._executor.is_ready

    @property
    def num_restarts(self) -> int:
        """How often a worker took the place of one that ended or was killed."""
        return self._executor.num_restarts

    def start(self, tree_id: str, config: RunConfig) -> Run:
        """Start a run on the tree as it is, now or when a worker is free, and return it.

        Raises `NotFound`, `CannotDo` for a tree that cannot train, `Invalid` with every misfit of the config, of the
        tree and the data, and `TooManyRuns` where the queue is full.
        """
        kept, structure = self._admission.admit(tree_id, config)
        try:
            return self._thread.call(self._active.admit(kept, structure))
        except ModuletreeError:
            self._files.delete_all_of(kept.run.id)
            raise

    def points(self, run: Run) -> tuple[Tensor, Tensor] | None:
        """Return x and y of a run, None where they were in a file that is gone."""
        if not isinstance(run.config.data, CsvData):
            return tensors_of(run.config.data)
        try:
            return self._files.points(run.id)
        except OSError:
            return None

    def list(
        self, tree: str | None = None, limit: int = 100, before: int | None = None
    ) -> tuple[Sequence[Run], int | None]:
        """Return up to `limit` runs, newest first, and the number to pass as `before` for the next page, if any."""
        return self._rows.newest(tree, limit, before)

    def find(
        self, asked: RunQuery, limit: int = 100, after: RunPlace | None = None
    ) -> tuple[Sequence[Run], RunPlace | None]:
        """Return up to `limit` of the runs asked for, in their order, and the place to go on after, if any follow."""
        return self._rows.find(asked, limit, after)

    def num_found(self, asked: RunQuery) -> int:
        """Return how many runs are asked for."""
        return self._rows.num_found(asked)

    def choices(self) -> RunChoices:
        """Return what there is to ask for among all runs."""
        return self._rows.choices()

    def count(self, tree: str | None = None) -> int:
        """Return how many runs there are, of one tree where it is given."""
        return self._rows.count(tree)

    def count_by_status(self) -> Mapping[RunStatus, int]:
        """Return how many runs are in each state, those in which none is too."""
        return self._rows.count_by_status()

    def get(self, run_id: str) -> Run:
        """Return a run; raises `NotFound`."""
        return self._rows.get(run_id).run

    def last_event(self, run_id: str) -> tuple[int, bool]:
        """Return the number of the run's last event, and whether it is the last of all; raises `NotFound`."""
        kept = self._rows.get(run_id)
        return kept.last_event, not kept.run.status.is_active

    def epochs(self, run_id: str, after: int, limit: int) -> tuple[EpochColumns | None, int | None]:
        """Return up to `limit` epochs after the epoch `after`, and the last of them where more follow, else None.

        The columns are None where there are no such epochs. Raises `NotFound`.
        """
        return self.epochs_of(self.get(run_id), after, limit)

    def epochs_of(self, run: Run, after: int, limit: int) -> tuple[EpochColumns | None, int | None]:
        """Do the same for a run as it was when it was asked for; raises `NotFound` where it is gone since."""
        parts = [unpack_epochs(chunk) for chunk in self._rows.epochs(run.id, after, limit)]
        if not parts:
            self.get(run.id)
            return None, None
        columns = joined(parts)
        columns = columns.after(max(after + 1 - columns.first, 0)).until(limit)
        last = columns.first + len(columns) - 1
        return columns, last if last + 1 < run.epochs_done else None

    def module_stats(self, run_id: str, epoch: int | None = None) -> ModuleColumns | None:
        """Return the statistics of modules at an epoch, or at the nearest before it that has any, as columns of one.

        Without an epoch they are the latest. None where there are none so early. Raises `NotFound`.
        """
        run = self.get(run_id)
        chunk = self._rows.module_stats(run_id, run.epochs_done if epoch is None else epoch)
        if chunk is None:
            return None
        columns = unpack_modules(chunk)
        place = len(columns) if epoch is None else int(np.searchsorted(columns.epochs, epoch, "right"))
        return columns.after(place - 1).until(1)

    def module_stats_span(self, run_id: str) -> tuple[int, int] | None:
        """Return the first and the last epoch with statistics of modules, None where there are none."""
        first = self._rows.module_stats_after(run_id, -1, 1)
        last = self.module_stats(run_id)
        return (first[0].first_epoch or 0, int(last.epochs[-1])) if first and last is not None else None

    def module_stats_after(self, run_id: str, epoch: int, limit: int) -> Sequence[ModuleColumns]:
        """Return the statistics of modules of epochs after `epoch`, in order, from up to `limit` pieces of the log."""
        chunks = map(unpack_modules, self._rows.module_stats_after(run_id, epoch, limit))
        return [columns.after(int(np.searchsorted(columns.epochs, epoch, "right"))) for columns in chunks]

    @lru_cache(maxsize=KEPT_HOLDERS)  # noqa: B019  there is one of these objects, and it lives as long as the server
    def holders(self, run_id: str) -> Holders:
        """Return the modules that the statistics of a run speak of, in their order; raises `NotFound`."""
        return holders_of(self._rows.structure(run_id))

    def cancel(self, run_id: str) -> Run:
        """End a run and return it as it ended, within 200 ms; raises `NotFound`, and `CannotDo` for one that ended."""
        return self._thread.call(self._active.cancel(run_id))

    def pause(self, run_id: str) -> Run:
        """Let a run wait after its present epoch; it may still be running when this returns, if that one is long.

        Raises `NotFound`, and `CannotDo` for a run that is not running.
        """
        return self._thread.call(self._active.pause(run_id))

    def resume(self, run_id: str) -> Run:
        """Let a paused run go on, or an interrupted one from its last checkpoint, or from its start without one.

        It is queued until a worker may train it, and it may still be as it was when this returns, for a moment.
        Raises `NotFound`, `CannotDo` for any other run, and `TooManyRuns`.
        """
        return self._thread.call(self._active.resume(run_id))

    def delete(self, run_id: str) -> None:
        """Forget a run, its log and its files; raises `NotFound`, and `CannotDo` for one that is active."""
        self._thread.call(self._active.delete(run_id))

    def apply(self, run_id: str) -> Applied:
        """Put the parameters that a run ended with on its tree as that is now, where they still fit.

        Raises `NotFound` where the run or its tree is gone, and `CannotDo` where there is no result or nothing fits.
        """
        kept = self._rows.get(run_id)
        if kept.run.status is not RunStatus.SUCCEEDED or kept.result_tensors is None:
            raise CannotDo(
                said(
                    "The run %(run_id)s is %(status)s: only one that succeeded has parameters to apply.",
                    run_id=run_id,
                    status=kept.run.status,
                )
            )
        tensors = read_tensors(self._files.path(kept.result_tensors))[0]
        structure = self._rows.structure(run_id)
        applied = (
            put_back(self._trees, self._tensors, kept.run, tensors)
            if is_description(structure)
            else put_where_it_fits(self._trees, kept.run, structure, tensors)
        )
        run = msgspec.structs.replace(kept.run, result_revision=applied.revision)
        self._rows.write([LiveRun(msgspec.structs.replace(kept, run=run)).update()])
        return applied

    def _put_result(self, run: Run) -> int | None:
        if (revision := self._trees.result_of(run.tree, run.id)) is not None:
            # By a server that ended before it could write that down.
            return revision
        tensors = read_tensors(self._files.path(result_name(run.id)))[0]
        note = f"run {run.number}: {run.epochs:,} epochs"
        try:
            return self._trees.put_result(run.tree, run.tree_revision, self._tensors.save(tensors), note, run.id)
        except ModuletreeError:
            # The tree is gone, or no longer one that takes the parameters: they stay with the run.
            return None
