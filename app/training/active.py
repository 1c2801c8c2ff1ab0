"""The runs that do something, on the event loop that owns them: nothing here is called from anywhere else.

admit, resume -> Places -> executor -> Reports -> LiveRun -> Commits: one transaction -> feeds
                                          |
                                        Ends: the result on the tree
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from app.errors import CannotDo
from app.training.checkpoint_times import CheckpointTimes
from app.training.commits import Commits
from app.training.ends import Ends
from app.training.executor import Executor
from app.training.feeds import Feeds
from app.training.live import LiveRun, Phase
from app.training.log import EventKind, unpack_epochs
from app.training.places import Places
from app.training.ports import RunRows
from app.training.reports import Reports
from app.training.run import KeptRun, Run, RunStatus
from app.training.run_files import RunFiles
from app.translation import said

ANSWER_WITHIN_S = 0.2
# Who stops a server waits 5 or 10 seconds before it is killed.
STOP_WITHIN_S = 3.0


class ActiveRuns:
    """Does with runs what is asked from outside, from their start to their end."""

    def __init__(
        self,
        rows: RunRows,
        files: RunFiles,
        executor: Executor,
        feeds: Feeds,
        put_result: Callable[[Run], int | None],
        *,
        max_queued: int,
        checkpoint_s: float,
    ) -> None:
        self.live: dict[str, LiveRun] = {}
        self._rows = rows
        self._files = files
        self._executor = executor
        self._feeds = feeds
        self._commits = Commits(rows, files, feeds, executor.hold)
        self._times = CheckpointTimes(checkpoint_s, executor.checkpoint)
        self._places = Places(rows, files, executor, self._commits, self._times, max_queued)
        self._ends = Ends(self.live, self._commits, self._times, put_result)
        self._stop_at: float | None = None

    async def open(self, *, resume_interrupted: bool) -> None:
        """Take up what the last server left, and start the executor.

        Runs that waited for a worker wait again, the results of those that were done are put on their trees, and those
        that were trained are interrupted.
        """
        for kept in self._rows.active():
            live = self._left(kept)
            if kept.run.status is RunStatus.QUEUED:
                self._queue(live)
            elif kept.result_tensors is not None and self._files.path(kept.result_tensors).exists():
                self._ends.put(live)
            else:
                self._ends.interrupt(live)
        self._commits.settle()
        for kept in self._rows.interrupted() if resume_interrupted else ():
            if not kept.is_held:
                self._reopen(kept)
        await self._executor.open(Reports(self.live, self._places, self._ends, self._commits, self._times))

    def _left(self, kept: KeptRun) -> LiveRun:
        live = LiveRun(kept, self._files.checkpoints(kept.run.id))
        for chunk in self._rows.events(kept.run.id, kept.last_event - 1, 1):
            if chunk.kind is EventKind.EPOCHS:
                live.comes_after(float(unpack_epochs(chunk).at[-1]))
        return live

    def begin_to_stop(self) -> None:
        """Have the workers write checkpoints of what they train, and give them nothing more."""
        if self._stop_at is not None:
            return
        self._stop_at = asyncio.get_running_loop().time() + STOP_WITHIN_S
        self._places.close()
        for live in self._under_way():
            self._times.end(live.run.id)
            self._executor.stop(live.run.id)

    def _under_way(self) -> Sequence[LiveRun]:
        return [live for live in self.live.values() if live.phase is not Phase.QUEUED]

    async def close(self) -> None:
        """Let runs that are trained be put on their trees, and interrupt the others, which can be resumed."""
        self.begin_to_stop()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._stop_at):
                while under_way := self._under_way():
                    await under_way[0].has_moved.wait()
        await self._ends.close()
        for live in self._under_way():
            self._ends.interrupt(live)
        self._commits.flush()
        await self._executor.close()

    async def admit(self, kept: KeptRun, structure: bytes) -> Run:
        """Keep a new run and queue it; raises `TooManyRuns`."""
        self._places.refuse_if_full()
        live = LiveRun(kept)
        live.be(RunStatus.QUEUED)
        update = live.update()
        live.kept = self._rows.insert(update.kept, structure, update.chunks)
        live.written(update)
        self._queue(live)
        self._places.fill()
        self._commits.flush()
        return live.run

    async def cancel(self, run_id: str) -> Run:
        """End a run, and return it once that is written; raises `CannotStore` where it will be written later."""
        live = self._active(run_id)
        if live.phase is Phase.FINISHING:
            raise CannotDo(
                said("The run %(run_id)s has done all its epochs: there is nothing left to cancel.", run_id=run_id)
            )
        if live.phase in {Phase.QUEUED, Phase.WAITING}:
            self._places.leave(live)
        if live.phase is Phase.QUEUED:
            self._ends.end(live, RunStatus.CANCELLED)
        elif live.phase is not Phase.CANCELLING:
            live.phase = Phase.CANCELLING
            self._executor.cancel(run_id)
        while live.run.status.is_active:
            await live.has_moved.wait()
        self._commits.settle()
        return live.run

    async def pause(self, run_id: str) -> Run:
        """Let a run wait, and return it when it does, or soon."""
        live = self._active(run_id)
        if live.phase is not Phase.TRAINING or live.run.status is not RunStatus.RUNNING:
            raise _cannot(run_id, live.run.status, said("only one that trains can be paused"))
        self._executor.pause(run_id)
        return await _moved(live, RunStatus.PAUSED)

    async def resume(self, run_id: str) -> Run:
        """Let a paused run go on, or queue an interrupted one again, and return it when it trains, waits, or soon.

        Raises `TooManyRuns`.
        """
        live = self.live.get(run_id)
        if live is None:
            live = self._resume_interrupted(self._rows.get(run_id))
        elif live.phase is Phase.PAUSED:
            self._places.go_on(live)
        elif live.phase is not Phase.TRAINING or live.run.status is not RunStatus.PAUSED:
            raise _cannot(run_id, live.run.status, said("there is nothing to resume"))
        self._commits.flush()
        return await _moved(live, RunStatus.RUNNING) if live.phase is Phase.TRAINING else live.run

    async def delete(self, run_id: str) -> None:
        """Forget a run that is not active."""
        if run_id in self.live:
            raise _cannot(run_id, self.live[run_id].run.status, said("cancel it before it is deleted"))
        if self._commits.is_waiting(run_id):
            self._commits.settle()
        self._rows.delete(run_id)
        self._feeds.forget(run_id)
        self._files.delete_all_of(run_id)

    def _resume_interrupted(self, kept: KeptRun) -> LiveRun:
        if kept.run.status is not RunStatus.INTERRUPTED:
            raise _cannot(kept.run.id, kept.run.status, said("only a paused or interrupted one can be resumed"))
        self._places.refuse_if_full()
        live = self._reopen(kept)
        self._places.fill()
        return live

    def _reopen(self, kept: KeptRun) -> LiveRun:
        live = LiveRun(kept, self._files.checkpoints(kept.run.id))
        live.be(RunStatus.QUEUED)
        update = live.update()
        self._rows.reopen(update)
        live.written(update)
        self._feeds.publish([(live.run.id, update.chunks)])
        self._queue(live)
        return live

    def _queue(self, live: LiveRun) -> None:
        self.live[live.run.id] = live
        self._places.add(live)

    def _active(self, run_id: str) -> LiveRun:
        live = self.live.get(run_id)
        if live is None:
            raise _cannot(run_id, self._rows.get(run_id).run.status, said("it is over"))
        return live


async def _moved(live: LiveRun, status: RunStatus) -> Run:
    # The worker answers after its present epoch; a client is not kept waiting for one that is long.
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            while live.run.status.is_active and live.run.status is not status:
                await live.has_moved.wait()
    except TimeoutError:
        pass
    return live.run


def _cannot(run_id: str, status: RunStatus, why: str) -> CannotDo:
    return CannotDo(said("The run %(run_id)s is %(status)s: %(why)s.", run_id=run_id, status=said(status), why=why))
