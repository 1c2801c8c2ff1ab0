"""Runs: start, look at, pause, resume, cancel, apply; what is active is owned by `ActiveRuns`, on its own thread."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np

from app.errors import CannotDo, ModuletreeError, TooManyRuns
from app.training.active import ActiveRuns
from app.training.config import RunConfig, check
from app.training.executor import Executor
from app.training.feed import Feeds
from app.training.live import LiveRun
from app.training.log import EpochColumns, joined, unpack_epochs
from app.training.loop_thread import LoopThread
from app.training.module_columns import ModuleColumns, unpack_modules
from app.training.ports import KeptTrees, RunRows, TensorStore
from app.training.result import Applied, put_where_it_fits
from app.training.run import KeptRun, Run, RunStatus
from app.training.run_files import RunFiles, result_name
from app.training.tensors_file import read_tensors
from app.translation import said

ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


class Runs:
    """The training runs of this server, those of the past among them. Its methods may be called from any thread."""

    def __init__(
        self,
        rows: RunRows,
        trees: KeptTrees,
        tensors: TensorStore,
        folder: Path,
        executor: Executor,
        *,
        max_queued: int = 16,
    ) -> None:
        self.feeds = Feeds(rows.events)
        self._rows = rows
        self._trees = trees
        self._tensors = tensors
        self._files = RunFiles(folder)
        self._executor = executor
        self._active = ActiveRuns(rows, self._files, executor, self.feeds, self._put_result, max_queued)
        self._thread = LoopThread("runs")

    def open(self) -> None:
        """Say of the runs that the last server left that they were interrupted, and start the workers."""
        self._files.open(self._rows.files_in_use())
        for kept in self._rows.active():
            live = LiveRun(kept)
            live.end(RunStatus.INTERRUPTED, error=f"the server stopped at epoch {kept.run.epochs_done}")
            self._rows.write([live.update()])
        self._thread.start()
        self._thread.call(self._active.open())

    def close(self) -> None:
        """End the workers; what they train is interrupted, and can be resumed."""
        self._thread.call(self._active.close())
        self._thread.stop()

    @property
    def is_ready(self) -> bool:
        """Whether a worker answers."""
        return self._executor.is_ready

    @property
    def num_queued(self) -> int:
        """How many runs wait for a worker."""
        return len(self._active.queue)

    @property
    def num_active(self) -> int:
        """How many runs are queued, running or paused."""
        return len(self._active.live)

    def start(self, tree_id: str, config: RunConfig) -> Run:
        """Start a run on the tree as it is, now or when a worker is free, and return it.

        Raises `NotFound`, `CannotDo` for a tree that cannot train, `Invalid` with every misfit of the config, and
        `TooManyRuns` where the queue is full.
        """
        tree = self._trees.get(tree_id)
        if not tree.facts.can.train:
            can_forward = tree.facts.can.forward
            why = said("no parameter of it requires a gradient") if can_forward else said("only its structure is known")
            raise CannotDo(said("The tree %(name)r cannot be trained: %(why)s.", name=tree.name, why=why))
        check(config)
        snapshot = self._trees.snapshot(tree_id)
        run_id = "r_" + "".join(secrets.choice(ALPHABET) for _ in range(10))
        start_tensors = self._files.add_start(run_id, self._tensors.path(snapshot.tensors), tree_id)
        run = Run(
            id=run_id,
            tree=tree_id,
            tree_name=tree.name,
            tree_revision=snapshot.revision,
            epochs=config.epochs,
            config=config,
            created_at=datetime.now(UTC),
        )
        kept = KeptRun(run=run, start_tensors=start_tensors)
        try:
            return self._thread.call(self._active.admit(kept, snapshot.structure))
        except TooManyRuns:
            self._files.delete([start_tensors])
            raise

    def list(
        self, tree: str | None = None, limit: int = 100, before: int | None = None
    ) -> tuple[Sequence[Run], int | None]:
        """Return up to `limit` runs, newest first, and the number to pass as `before` for the next page, if any."""
        return self._rows.newest(tree, limit, before)

    def count(self, tree: str | None = None) -> int:
        """Return how many runs there are, of one tree where it is given."""
        return self._rows.count(tree)

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
        run = self.get(run_id)
        parts = [unpack_epochs(chunk) for chunk in self._rows.epochs(run_id, after, limit)]
        if not parts:
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
        applied = put_where_it_fits(self._trees, kept.run, self._rows.structure(run_id), tensors)
        run = msgspec.structs.replace(kept.run, result_revision=applied.revision)
        self._rows.write([LiveRun(msgspec.structs.replace(kept, run=run)).update()])
        return applied

    def _put_result(self, run: Run) -> int | None:
        tensors = read_tensors(self._files.path(result_name(run.id)))[0]
        note = f"run {run.number}: {run.epochs:,} epochs"
        try:
            return self._trees.put_result(run.tree, run.tree_revision, self._tensors.save(tensors), note)
        except ModuletreeError:
            # The tree is gone, or no longer one that takes the parameters: they stay with the run.
            return None
