"""Warm worker processes on this machine, and the runs that they are given.

    place, cancel, pause, resume  ->  socket  ->  worker
    tell(messages)  <-  one batch a tick  <-  socket  <-  worker

Everything here happens on the event loop that `open` was awaited on, which is not the web server's.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from app.training.executor import Listener
from app.training.messages import (
    Cancel,
    Cancelled,
    Checkpoint,
    Done,
    Failed,
    FromWorker,
    Interrupted,
    Lost,
    Pause,
    Paused,
    Ready,
    Resume,
    Resumed,
    Start,
)
from app.training.worker_process import WorkerProcess

KILL_AFTER_S = 0.12
RESTART_AFTER_S = 5.0
MAX_WAITING = 8


class LocalExecutor:
    """Worker processes on this machine, `num_workers` of them ready or at work at any time.

    A worker whose run is paused does not count: another one takes its place, up to `MAX_WAITING` of them. When the run
    goes on there is one too many, which ends as soon as it does nothing.
    """

    def __init__(self, num_workers: int) -> None:
        self.num_workers = num_workers
        self.num_restarts = 0
        self._listener: Listener | None = None
        self._workers: list[WorkerProcess] = []
        self._paused: set[str] = set()
        self._is_held = False
        self._tasks: set[asyncio.Task[object]] = set()

    async def open(self, listener: Listener) -> None:
        """Start the workers; they are ready some seconds later."""
        self._listener = listener
        await self._staff()

    async def close(self) -> None:
        """End the workers, and with them what they train."""
        self._listener = None
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.close()
            worker.kill()
        for worker in workers:
            worker.how_it_ended()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def is_ready(self) -> bool:
        """Whether a worker answers: one that waits for a run, or trains one."""
        return any(worker.is_ready for worker in self._workers)

    @property
    def pids(self) -> list[int]:
        """The workers' process ids."""
        return [worker.pid for worker in self._workers if worker.pid is not None]

    @property
    def has_place(self) -> bool:
        """Whether fewer runs are trained than may be."""
        return sum(worker.run not in {None, *self._paused} for worker in self._workers) < self.num_workers

    @property
    def has_room(self) -> bool:
        """Whether a worker waits for a run, and may train it."""
        return self.has_place and self._idle() is not None

    def place(self, start: Start) -> None:
        """Give the run to a worker that waits; raises `LookupError` where there is none."""
        worker = self._idle()
        if worker is None:
            raise LookupError("no worker waits")
        worker.run = start.run
        worker.say(start)

    def _idle(self) -> WorkerProcess | None:
        return next((worker for worker in self._workers if worker.is_ready and worker.run is None), None)

    def cancel(self, run: str) -> None:
        """Ask the worker to stop; one that does not answer, because its epoch takes too long, is killed."""
        worker = self._worker_of(run)
        if worker is None:
            return
        worker.say(Cancel(run))
        asyncio.get_running_loop().call_later(KILL_AFTER_S, self._kill, worker, run)

    def pause(self, run: str) -> None:
        """Ask the worker to wait; it does once its present epoch is done."""
        if (worker := self._worker_of(run)) is not None:
            worker.say(Pause(run))

    def resume(self, run: str) -> None:
        """Ask the worker to go on."""
        if (worker := self._worker_of(run)) is None:
            return
        worker.say(Resume(run))
        # At once, not when the worker says so: nobody else is to be given its place meanwhile.
        self._paused.discard(run)
        if (idle := self._idle()) is not None and self._is_one_too_many:
            self._dismiss(idle)

    def checkpoint(self, run: str) -> None:
        """Ask the worker for a checkpoint once its present epoch is done."""
        if (worker := self._worker_of(run)) is not None:
            worker.say(Checkpoint(run))

    def stop(self, run: str) -> None:
        """Ask the worker for a checkpoint, and to stop there."""
        if (worker := self._worker_of(run)) is not None:
            worker.say(Checkpoint(run, and_stop=True))

    def hold(self, is_held: bool) -> None:
        """Read no more of what the workers say, or read on."""
        self._is_held = is_held
        for worker in self._workers:
            worker.hold(is_held)

    def _worker_of(self, run: str) -> WorkerProcess | None:
        return next((worker for worker in self._workers if worker.run == run), None)

    def _hear(self, worker: WorkerProcess, messages: list[FromWorker]) -> None:
        about = [message for message in messages if not isinstance(message, Ready)]
        worker.is_ready = worker.was_ready = True
        for message in about:
            self._note(worker, message)
        if self._listener is not None and about:
            self._listener.tell(about)
        if worker.run is None:
            self._release(worker)

    def _note(self, worker: WorkerProcess, message: FromWorker) -> None:
        match message:
            case Paused(run=run):
                self._paused.add(run)
                self._soon(self._staff())
            case Resumed(run=run):
                self._paused.discard(run)
            case Done(run=run) | Failed(run=run) | Cancelled(run=run) | Interrupted(run=run):
                self._paused.discard(run)
                worker.run = None

    def _release(self, worker: WorkerProcess) -> None:
        if self._is_one_too_many:
            self._dismiss(worker)
        elif self._listener is not None:
            self._listener.is_free()

    def _dismiss(self, worker: WorkerProcess) -> None:
        self._workers.remove(worker)
        worker.close()
        self._soon(asyncio.to_thread(worker.how_it_ended))

    def _kill(self, worker: WorkerProcess, run: str) -> None:
        if worker.run != run:
            return
        # Its memory takes a while to be given back: nobody waits for that.
        worker.kill()
        worker.close()
        self._soon(asyncio.to_thread(worker.how_it_ended))
        self._forget(worker, "the worker process was killed")

    def _lose(self, worker: WorkerProcess) -> None:
        if worker in self._workers:
            self._forget(worker, f"the worker process ended with {worker.how_it_ended()}")

    def _forget(self, worker: WorkerProcess, error: str) -> None:
        self._workers.remove(worker)
        self.num_restarts += 1
        run, worker.run = worker.run, None
        if run is not None:
            self._paused.discard(run)
        if self._listener is not None and run is not None:
            self._listener.tell([Lost(run, error)])
        # One that never came so far as to be ready would not the next time either: it is not tried at once.
        delay_s = 0 if worker.was_ready else RESTART_AFTER_S
        asyncio.get_running_loop().call_later(delay_s, lambda: self._soon(self._staff()))

    @property
    def _is_one_too_many(self) -> bool:
        return len(self._workers) > self._num_wanted()

    def _num_wanted(self) -> int:
        return self.num_workers + min(len(self._paused), MAX_WAITING)

    def _soon(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _staff(self) -> None:
        while self._listener is not None and len(self._workers) < self._num_wanted():
            worker = WorkerProcess(self._hear, self._lose)
            self._workers.append(worker)
            await worker.start()
            worker.hold(self._is_held)
