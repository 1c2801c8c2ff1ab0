"""`moduletree serve` whose runs train nothing: their epochs come at an even pace, as a worker would tell them.

    python -m bench.paced serve ...

The pace is `MODULETREE_BENCH_PACE` in epochs a second. A run begins when it is told to pause, so that all who watch it
are there before. All the rest is the server as it is: log, commit, streams.
"""

import asyncio
import os
import time
from array import array

import app.main
from app.cli import main
from app.training.executor import Listener
from app.training.local_executor import LocalExecutor
from app.training.messages import Cancelled, Epochs, Interrupted, Start

BATCH_S = 0.016


class PacedExecutor(LocalExecutor):
    """Runs that are clocks; any number of them, and no worker."""

    def __init__(self, num_workers: int) -> None:
        super().__init__(num_workers)
        self._pace = float(os.environ["MODULETREE_BENCH_PACE"])
        self._clocks: dict[str, asyncio.Task[None]] = {}
        self._is_asked: dict[str, asyncio.Event] = {}

    @property
    def is_ready(self) -> bool:
        """Whether runs are begun: always."""
        return True

    @property
    def has_room(self) -> bool:
        """Whether a run that is placed now begins now: always."""
        return True

    async def open(self, listener: Listener) -> None:
        """Begin to tell `listener` what happens."""
        self._listener = listener

    async def close(self) -> None:
        """Stop the clocks."""
        for clock in self._clocks.values():
            clock.cancel()

    def place(self, start: Start) -> None:
        """Start a clock."""
        self._is_asked[start.run] = asyncio.Event()
        self._clocks[start.run] = asyncio.get_running_loop().create_task(self._run(start))

    def pause(self, run: str) -> None:
        """Let the clock go."""
        self._is_asked[run].set()

    def cancel(self, run: str) -> None:
        """Stop a clock."""
        self._clocks.pop(run).cancel()
        self._tell(Cancelled(run))

    def stop(self, run: str) -> None:
        """Stop a clock."""
        self._clocks.pop(run).cancel()
        self._tell(Interrupted(run))

    async def _run(self, start: Start) -> None:
        await self._is_asked[start.run].wait()
        # As a worker does it: told as soon as the last telling is 16 ms ago.
        began = told = time.time()
        waiting: list[float] = []
        for epoch in range(start.config.epochs):
            await asyncio.sleep(began + epoch / self._pace - time.time())
            now = time.time()
            waiting.append(now)
            if now - told >= BATCH_S:
                self._tell(_epochs(start.run, epoch + 1 - len(waiting), waiting))
                told, waiting = now, []

    def _tell(self, message: Epochs | Cancelled | Interrupted) -> None:
        if self._listener is not None:
            self._listener.tell([message])


def _epochs(run: str, first: int, at: list[float]) -> Epochs:
    losses = array("d", (1 / (first + place + 1) for place in range(len(at))))
    line = array("f", [0.5] * len(at)).tobytes()
    since = array("f", (moment - at[0] for moment in at)).tobytes()
    return Epochs(run, first, at[0], losses.tobytes(), since, line, line)


if __name__ == "__main__":
    app.main.LocalExecutor = PacedExecutor  # type: ignore[attr-defined]
    main()
