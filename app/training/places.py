"""The places where runs are trained, and the runs that wait for one: who waits longest comes first.

a run that begins, or goes on from a checkpoint  ->  queue  ->  a worker that waits
a run that was paused                            ->  queue  ->  its own worker, which holds what it has trained
"""

from collections import deque

from app.errors import TooManyRuns
from app.training.checkpoint_times import CheckpointTimes
from app.training.commits import Commits
from app.training.executor import Executor
from app.training.live import LiveRun, Phase
from app.training.ports import RunRows
from app.training.run import RunStatus
from app.training.run_files import RunFiles
from app.training.start import start_of
from app.translation import said

RETRY_START_S = 5


class Places:
    """Gives runs to the executor, as many at a time as it trains; the others wait, up to `max_queued` of them."""

    def __init__(
        self,
        rows: RunRows,
        files: RunFiles,
        executor: Executor,
        commits: Commits,
        times: CheckpointTimes,
        max_queued: int,
    ) -> None:
        self._rows = rows
        self._files = files
        self._executor = executor
        self._commits = commits
        self._times = times
        self._max_queued = max_queued
        self._queue: deque[LiveRun] = deque()
        self._is_closed = False

    def close(self) -> None:
        """Give no more places: the server stops."""
        self._is_closed = True

    def refuse_if_full(self) -> None:
        """Raise `TooManyRuns` where a run that begins now would wait behind as many as may."""
        if not self._executor.has_room:
            self._refuse_one_more()

    def add(self, live: LiveRun) -> None:
        """Let a run wait until a worker is free."""
        self._queue.append(live)

    def put_back(self, live: LiveRun) -> None:
        """Let a run that was given a worker wait for another one, before all others."""
        live.phase = Phase.QUEUED
        self._times.end(live.run.id)
        self._queue.appendleft(live)

    def leave(self, live: LiveRun) -> None:
        """Let a run wait no more."""
        self._queue.remove(live)

    def go_on(self, live: LiveRun) -> None:
        """Let a paused run go on, or wait until it may; raises `TooManyRuns`."""
        if self._executor.has_place and not self._is_closed:
            self._go_on(live)
            return
        self._refuse_one_more()
        live.phase = Phase.WAITING
        live.be(RunStatus.QUEUED)
        self._queue.append(live)
        self._commits.add(live)

    def fill(self) -> None:
        """Give the places that are free to those that wait longest."""
        while self._queue and not self._is_closed and self._is_free_for(self._queue[0]):
            live = self._queue.popleft()
            if live.phase is Phase.WAITING:
                self._go_on(live)
            else:
                self._begin(live)

    def _is_free_for(self, live: LiveRun) -> bool:
        return self._executor.has_place if live.phase is Phase.WAITING else self._executor.has_room

    def _go_on(self, live: LiveRun) -> None:
        live.phase = Phase.TRAINING
        self._executor.resume(live.run.id)

    def _begin(self, live: LiveRun) -> None:
        live.phase = Phase.TRAINING
        start = start_of(live, self._rows, self._files)
        self._executor.place(start)
        self._times.begin(live.run.id)
        # One that goes on from somewhere is running when its worker has said from where.
        if not start.goes_on:
            live.be(RunStatus.RUNNING)
            self._commits.add(live)

    def _refuse_one_more(self) -> None:
        waiting = len(self._queue)
        if waiting >= self._max_queued:
            raise TooManyRuns(
                said(
                    "%(waiting)s runs wait already, the most that may: try again when one has ended, or cancel one.",
                    waiting=waiting,
                ),
                RETRY_START_S,
            )
