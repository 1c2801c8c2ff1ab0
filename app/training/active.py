"""The runs that do something, on the event loop that owns them: nothing here is called from anywhere else.

admit -> queue -> executor -> tell -> LiveRun -> one transaction -> feeds
"""

import asyncio
import zlib
from collections import deque
from collections.abc import Callable, Sequence

from app.errors import CannotDo, TooManyRuns
from app.training import messages
from app.training.executor import Executor
from app.training.feed import Feeds
from app.training.live import LiveRun, Phase
from app.training.messages import AboutRun
from app.training.ports import RunRows
from app.training.run import KeptRun, Run, RunStatus
from app.training.run_files import RunFiles, result_name
from app.translation import said

RETRY_WRITE_S = 1.0
RETRY_START_S = 5
ANSWER_WITHIN_S = 0.2


class ActiveRuns:
    """Queues runs, gives them to the executor, and writes down what it tells; `put_result` is called in a thread."""

    def __init__(
        self,
        rows: RunRows,
        files: RunFiles,
        executor: Executor,
        feeds: Feeds,
        put_result: Callable[[Run], int | None],
        max_queued: int,
    ) -> None:
        self.live: dict[str, LiveRun] = {}
        self.queue: deque[LiveRun] = deque()
        self._rows = rows
        self._files = files
        self._executor = executor
        self._feeds = feeds
        self._put_result = put_result
        self._max_queued = max_queued
        self._finishing: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Start the executor."""
        await self._executor.open(self)

    async def close(self) -> None:
        """Let runs that are trained be put on their trees, and end the others."""
        while self._finishing:
            await asyncio.gather(*self._finishing, return_exceptions=True)
        await self._executor.close()

    async def admit(self, kept: KeptRun, structure: bytes) -> Run:
        """Keep a new run and queue it; raises `TooManyRuns`."""
        self._refuse_if_full()
        live = LiveRun(kept)
        live.be(RunStatus.QUEUED)
        update = live.update()
        live.kept = self._rows.insert(update.kept, structure, update.chunks)
        live.written(update)
        return self._enqueue(live)

    async def cancel(self, run_id: str) -> Run:
        """End a run, and return it once it has ended."""
        live = self._active(run_id)
        if live.phase is Phase.FINISHING:
            raise CannotDo(
                said("The run %(run_id)s has done all its epochs: there is nothing left to cancel.", run_id=run_id)
            )
        if live.phase is Phase.QUEUED:
            self.queue.remove(live)
            obsolete = self._end(live, RunStatus.CANCELLED)
            self._commit([live])
            self._files.delete(obsolete)
        elif live.phase is Phase.TRAINING:
            live.phase = Phase.CANCELLING
            self._executor.cancel(run_id)
        while live.run.status.is_active:
            await live.has_moved.wait()
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
            return self._reopen(self._rows.get(run_id))
        if live.run.status is not RunStatus.PAUSED or live.phase is not Phase.TRAINING:
            raise _cannot(run_id, live.run.status, said("there is nothing to resume"))
        self._executor.resume(run_id)
        return await _moved(live, RunStatus.RUNNING)

    async def delete(self, run_id: str) -> None:
        """Forget a run that is not active."""
        if run_id in self.live:
            raise _cannot(run_id, self.live[run_id].run.status, said("cancel it before it is deleted"))
        self._rows.delete(run_id)
        self._feeds.forget(run_id)
        self._files.delete_all_of(run_id)

    def tell(self, told: Sequence[AboutRun]) -> None:
        """Take what a worker said: one transaction, then the feeds."""
        touched = {live.run.id: live for message in told if (live := self.live.get(message.run)) is not None}
        obsolete: list[str] = []
        for message in told:
            if message.run in touched:
                obsolete += self._note(touched[message.run], message)
        self._commit(list(touched.values()))
        self._files.delete(obsolete)

    def is_free(self) -> None:
        """Give the worker that waits the run that waits longest."""
        while self.queue and self._executor.has_room:
            live = self.queue.popleft()
            live.phase = Phase.TRAINING
            self._executor.place(self._start_of(live.kept))
            live.be(RunStatus.RUNNING)
            self._commit([live])

    def _reopen(self, kept: KeptRun) -> Run:
        run = kept.run
        if run.status is not RunStatus.INTERRUPTED:
            raise _cannot(run.id, run.status, said("only a paused or interrupted one can be resumed"))
        self._refuse_if_full()
        live = LiveRun(kept)
        live.be(RunStatus.QUEUED)
        update = live.update()
        self._rows.reopen(update)
        live.written(update)
        self._feeds.publish([(run.id, update.chunks)])
        return self._enqueue(live)

    def _enqueue(self, live: LiveRun) -> Run:
        self.live[live.run.id] = live
        self.queue.append(live)
        self.is_free()
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

    def _start_of(self, kept: KeptRun) -> messages.Start:
        run = kept.run
        # A run without a seed still has one, so that it draws the same numbers when it is resumed.
        seed = run.config.seed if run.config.seed is not None else zlib.crc32(run.id.encode())
        return messages.Start(
            run=run.id,
            structure=self._rows.structure(run.id),
            tensors=str(self._files.path(kept.start_tensors)),
            config=run.config,
            seed=seed,
            result=str(self._files.path(result_name(run.id))),
            checkpoint=str(self._files.path(kept.checkpoint)) if kept.checkpoint else None,
            emit_from=run.epochs_done,
        )

    def _note(self, live: LiveRun, message: AboutRun) -> Sequence[str]:
        """Note one message; return the names of files that nobody needs once it is written."""
        match message:
            case messages.Epochs():
                live.train(message)
            case messages.Checkpointed(epoch=epoch, path=name):
                before = live.keep_checkpoint(name, epoch)
                return [before] if before is not None and before != name else []
            case messages.Paused() if live.phase is Phase.TRAINING:
                live.be(RunStatus.PAUSED)
            case messages.Resumed() if live.phase is Phase.TRAINING:
                live.be(RunStatus.RUNNING)
            case messages.Done():
                self._finish(live, message)
            case messages.Failed(error=error):
                return self._end(live, RunStatus.FAILED, error=error)
            case messages.Lost(error=error) if live.phase is not Phase.CANCELLING:
                return self._end(live, RunStatus.FAILED, error=f"{error} at epoch {live.run.epochs_done}")
            case messages.Cancelled() | messages.Lost():
                return self._end(live, RunStatus.CANCELLED)
        return []

    def _end(
        self, live: LiveRun, status: RunStatus, *, error: str | None = None, result_revision: int | None = None
    ) -> Sequence[str]:
        self.live.pop(live.run.id, None)
        live.end(status, error=error, result_revision=result_revision)
        return [name for name in (live.kept.checkpoint, live.kept.start_tensors) if name is not None]

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
        revision = None
        try:
            revision = await asyncio.to_thread(self._put_result, live.run)
        finally:
            obsolete = self._end(live, RunStatus.SUCCEEDED, result_revision=revision)
            self._commit([live])
            self._files.delete(obsolete)

    def _commit(self, lives: Sequence[LiveRun]) -> None:
        updates = [(live, live.update()) for live in lives]
        is_written = False
        try:
            self._rows.write([update for _, update in updates])
            is_written = True
        finally:
            if not is_written:
                # Nothing is told before it is written: it waits until the disk has room again.
                asyncio.get_running_loop().call_later(RETRY_WRITE_S, self._commit, lives)
        for live, update in updates:
            live.written(update)
        self._feeds.publish([(live.run.id, update.chunks) for live, update in updates])


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
