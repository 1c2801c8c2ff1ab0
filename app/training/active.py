"""The runs that do something, on the event loop that owns them: nothing here is called from anywhere else.

admit -> queue -> executor -> tell -> LiveRun -> Commits: one transaction -> feeds
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from app.errors import CannotDo, CannotStore, TooManyRuns
from app.training import messages
from app.training.checkpoint_times import CheckpointTimes
from app.training.commits import Commits
from app.training.executor import Executor
from app.training.feeds import Feeds
from app.training.live import LiveRun, Phase
from app.training.log import EventKind, unpack_epochs
from app.training.messages import AboutRun
from app.training.ports import RunRows
from app.training.run import KeptRun, Run, RunStatus
from app.training.run_files import RunFiles, result_name
from app.training.start import start_of
from app.translation import said

RETRY_START_S = 5
ANSWER_WITHIN_S = 0.2
# Who stops a server waits 5 or 10 seconds before it is killed.
STOP_WITHIN_S = 3.0


class ActiveRuns:
    """Queues runs, gives them to the executor, and writes down what it tells; `put_result` is called in a thread."""

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
        self.queue: deque[LiveRun] = deque()
        self._rows = rows
        self._files = files
        self._executor = executor
        self._feeds = feeds
        self._put_result = put_result
        self._max_queued = max_queued
        self._commits = Commits(rows, files, feeds, executor.hold)
        self._times = CheckpointTimes(checkpoint_s, executor.checkpoint)
        self._finishing: set[asyncio.Task[None]] = set()
        self._is_stopping = False
        self._stop_at = 0.0

    async def open(self, *, resume_interrupted: bool) -> None:
        """Take up what the last server left, and start the executor.

        Runs that waited for a worker wait again; those that were trained are interrupted.
        """
        for kept in self._rows.active():
            if kept.run.status is RunStatus.QUEUED:
                self._queue(LiveRun(kept, self._files.checkpoints(kept.run.id)))
            else:
                self._interrupt(self._left(kept))
        self._commits.settle()
        for kept in self._rows.interrupted() if resume_interrupted else ():
            if not kept.is_held:
                self._reopen(kept)
        await self._executor.open(self)

    def _left(self, kept: KeptRun) -> LiveRun:
        live = LiveRun(kept)
        for chunk in self._rows.events(kept.run.id, kept.last_event - 1, 1):
            if chunk.kind is EventKind.EPOCHS:
                live.comes_after(float(unpack_epochs(chunk).at[-1]))
        return live

    def begin_to_stop(self) -> None:
        """Have the workers write checkpoints of what they train, and give them nothing more."""
        if self._is_stopping:
            return
        self._is_stopping = True
        self._stop_at = asyncio.get_running_loop().time() + STOP_WITHIN_S
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
        while self._finishing:
            await asyncio.gather(*self._finishing, return_exceptions=True)
        for live in self._under_way():
            self._interrupt(live)
        self._commits.flush()
        await self._executor.close()

    async def admit(self, kept: KeptRun, structure: bytes) -> Run:
        """Keep a new run and queue it; raises `TooManyRuns`."""
        self._refuse_if_full()
        live = LiveRun(kept)
        live.be(RunStatus.QUEUED)
        update = live.update()
        live.kept = self._rows.insert(update.kept, structure, update.chunks)
        live.written(update)
        self._queue(live)
        return self._begun(live)

    async def cancel(self, run_id: str) -> Run:
        """End a run, and return it once that is written; raises `CannotStore` where it will be written later."""
        live = self._active(run_id)
        if live.phase is Phase.FINISHING:
            raise CannotDo(
                said("The run %(run_id)s has done all its epochs: there is nothing left to cancel.", run_id=run_id)
            )
        if live.phase is Phase.QUEUED:
            self.queue.remove(live)
            self._end(live, RunStatus.CANCELLED)
        elif live.phase is Phase.TRAINING:
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
        """Let a paused run go on, or queue an interrupted one again."""
        live = self.live.get(run_id)
        if live is None:
            return self._resume_interrupted(self._rows.get(run_id))
        if live.run.status is not RunStatus.PAUSED or live.phase is not Phase.TRAINING:
            raise _cannot(run_id, live.run.status, said("there is nothing to resume"))
        self._executor.resume(run_id)
        return await _moved(live, RunStatus.RUNNING)

    async def delete(self, run_id: str) -> None:
        """Forget a run that is not active."""
        if run_id in self.live:
            raise _cannot(run_id, self.live[run_id].run.status, said("cancel it before it is deleted"))
        if self._commits.is_waiting(run_id):
            self._commits.settle()
        self._rows.delete(run_id)
        self._feeds.forget(run_id)
        self._files.delete_all_of(run_id)

    def tell(self, told: Sequence[AboutRun]) -> None:
        """Take what a worker said."""
        for message in told:
            if (live := self.live.get(message.run)) is not None:
                self._commits.add(live, self._note(live, message))

    def is_free(self) -> None:
        """Give the worker that waits the run that waits longest."""
        while self.queue and self._executor.has_room and not self._is_stopping:
            live = self.queue.popleft()
            live.phase = Phase.TRAINING
            self._executor.place(start_of(live, self._rows, self._files))
            self._times.begin(live.run.id)
            live.be(RunStatus.RUNNING)
            self._commits.add(live)

    def _resume_interrupted(self, kept: KeptRun) -> Run:
        if kept.run.status is not RunStatus.INTERRUPTED:
            raise _cannot(kept.run.id, kept.run.status, said("only a paused or interrupted one can be resumed"))
        self._refuse_if_full()
        return self._begun(self._reopen(kept))

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
        self.queue.append(live)

    def _begun(self, live: LiveRun) -> Run:
        self.is_free()
        self._commits.flush()
        return live.run

    def _refuse_if_full(self) -> None:
        waiting = len(self.queue)
        if waiting >= self._max_queued and not self._executor.has_room:
            raise TooManyRuns(
                said(
                    "%(waiting)s runs wait already, the most that may: try again when one has ended, or cancel one.",
                    waiting=waiting,
                ),
                RETRY_START_S,
            )

    def _active(self, run_id: str) -> LiveRun:
        live = self.live.get(run_id)
        if live is None:
            raise _cannot(run_id, self._rows.get(run_id).run.status, said("it is over"))
        return live

    def _note(self, live: LiveRun, message: AboutRun) -> Sequence[str]:
        """Note one message; return the names of files that nobody needs once it is written."""
        match message:
            case messages.Epochs():
                live.train(message)
            case messages.Restored(epoch=epoch, damaged=damaged):
                live.restore(epoch, damaged)
            case messages.Checkpointed(epoch=epoch, path=name, took_s=took_s):
                self._times.begin(live.run.id, took_s)
                return live.keep_checkpoint(name, epoch)
            case messages.NotCheckpointed(epoch=epoch, error=error):
                live.remark(f"the checkpoint after {epoch:,} epochs could not be written: {error}")
            case messages.Paused() if live.phase is Phase.TRAINING:
                live.be(RunStatus.PAUSED)
            case messages.Resumed() if live.phase is Phase.TRAINING and not self._is_stopping:
                live.be(RunStatus.RUNNING)
            case messages.Done():
                self._finish(live, message)
            case messages.Failed(error=error):
                self._end(live, RunStatus.FAILED, error=error)
            case messages.Interrupted(error=error) if live.phase is not Phase.CANCELLING:
                self._interrupt(live, error or None)
            case messages.Lost(error=error) if live.phase is not Phase.CANCELLING:
                self._interrupt(live, f"{error} at epoch {live.run.epochs_done}")
            case messages.Cancelled() | messages.Lost() | messages.Interrupted():
                self._end(live, RunStatus.CANCELLED)
        return []

    def _interrupt(self, live: LiveRun, error: str | None = None) -> None:
        """End a run that can be resumed: it keeps its files."""
        self._let_go(live)
        live.end(RunStatus.INTERRUPTED, error=error or f"the server stopped at epoch {live.run.epochs_done}")
        self._commits.add(live)

    def _end(
        self, live: LiveRun, status: RunStatus, *, error: str | None = None, result_revision: int | None = None
    ) -> None:
        self._let_go(live)
        live.end(status, error=error, result_revision=result_revision)
        self._commits.add(live, [*live.checkpoints, live.kept.start_tensors])

    def _let_go(self, live: LiveRun) -> None:
        self.live.pop(live.run.id, None)
        self._times.end(live.run.id)

    def _finish(self, live: LiveRun, message: messages.Done) -> None:
        live.phase = Phase.FINISHING
        live.fit(message.slope, message.intercept)
        if message.stopped_early:
            live.stop_early()
        live.keep_result(result_name(live.run.id))
        task = asyncio.get_running_loop().create_task(self._succeed(live))
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)

    async def _succeed(self, live: LiveRun) -> None:
        revision, error = None, None
        try:
            revision = await asyncio.to_thread(self._put_result, live.run)
        except CannotStore as failure:
            error = f"the tree did not take the result: {failure.detail}"
        finally:
            self._end(live, RunStatus.SUCCEEDED, error=error, result_revision=revision)


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
