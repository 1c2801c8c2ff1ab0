"""Epochs on their way from a worker to the server: collected for 16 ms, and sent as columns."""

import os
import time
from collections.abc import Sequence

import numpy as np

from app.training import messages
from app.training.fit import UNKNOWN, Line
from app.training.log import Floats
from app.training.loop import Epoch
from app.training.messages import FromWorker
from app.training.module_columns import pack_modules

BATCH_S = 0.016
LOOK_S = 0.002
JUMP_S = 1.0


class EpochBatch:
    """Epochs that wait to be sent, by column, with the statistics of modules at them.

    `stretch` is how many epochs may be trained before the clock is looked at again: as many as take 2 ms, going by the
    last ones. When each of them ended is read off between two looks.
    """

    def __init__(self, run: str, step: str, fd: int) -> None:
        self._run = run
        self._step = step
        self._fd = fd
        self._due = 0.0
        self.stretch = 1
        self._zero_at = 0.0
        self._looked = time.perf_counter()
        self._clear()

    def _clear(self) -> None:
        self._loss: list[float] = []
        self._validation_loss: list[float] = []
        self._lr: list[float] = []
        self._lines: dict[int, Line] = {}
        # How many epochs were there at each look at the clock, and when that was.
        self._counts: list[int] = []
        self._times: list[float] = []
        self._watched: list[int] = []
        self._figures: list[Floats] = []

    def go_on(self) -> None:
        """Count time from now on: what came before was no epoch."""
        self._look(0)

    @property
    def is_due(self) -> bool:
        """Whether what waits is to be sent now."""
        return time.perf_counter() >= self._due

    def add_losses(self, first: int, losses: Sequence[float]) -> None:
        """Note plain epochs that are done: `first` and those after it."""
        if losses:
            self._begin(first)
            self._loss += losses
            self._look(len(losses))

    def add(self, number: int, epoch: Epoch, line: Line = UNKNOWN) -> None:
        """Note an epoch before its last step, and the line that the tree was then."""
        self._begin(number)
        if line is not UNKNOWN:
            self._lines[len(self._loss)] = line
        self._loss.append(epoch.loss)
        if epoch.validation_loss is not None:
            self._validation_loss.append(epoch.validation_loss)
        if epoch.lr is not None:
            self._lr.append(epoch.lr)
        self._look(1)

    def add_modules(self, number: int, figures: Floats) -> None:
        """Note the statistics of modules at an epoch that waits to be sent."""
        self._watched.append(number)
        self._figures.append(figures)

    def _begin(self, first: int) -> None:
        if not self._loss:
            self._first = first
            self._counts, self._times = [0], [self._looked]

    def _look(self, count: int) -> None:
        before, self._looked = self._looked, time.perf_counter()
        if count:
            fitting = int(LOOK_S * count / max(self._looked - before, 1e-9))
            self.stretch = max(min(fitting, 2 * self.stretch), 1)
        self._counts.append(len(self._loss))
        self._times.append(self._looked)

    def send(self, trained_s: float = 0.0, module_stats_s: float = 0.0) -> None:
        """Send what waits, with the seconds that the run has trained and those that its statistics took of them."""
        if not self._loss:
            return
        count = len(self._loss)
        ends = np.interp(np.arange(1, count + 1), self._counts, self._times)
        lines = np.full((2, count), np.nan, "<f4")
        lines[:, list(self._lines)] = np.array(list(self._lines.values())).reshape(-1, 2).T
        message = messages.Epochs(
            self._run,
            self._first,
            base_at=self._zero() + float(ends[0]),
            loss=np.array(self._loss, "<f8").tobytes(),
            at=(ends - ends[0]).astype("<f4").tobytes(),
            slope=lines[0].tobytes(),
            intercept=lines[1].tobytes(),
            validation_loss=np.array(self._validation_loss, "<f8").tobytes(),
            lr=np.array(self._lr, "<f8").tobytes(),
            modules=pack_modules(self._watched, self._figures) if self._watched else b"",
            num_modules=len(self._watched),
            step=self._step,
            trained_s=trained_s,
            module_stats_s=module_stats_s,
        )
        send(self._fd, message)
        self._clear()
        self._due = time.perf_counter() + BATCH_S

    def _zero(self) -> float:
        """Return when the clock of the looks was 0, in seconds since 1970."""
        now_at = time.time() - time.perf_counter()
        # Anew only after a jump, as when the machine slept: what lies between the two clocks differs at every look.
        if abs(now_at - self._zero_at) > JUMP_S:
            self._zero_at = now_at
        return self._zero_at


def send(fd: int, message: FromWorker) -> None:
    """Say `message` to the server; without a server there is nothing left to do."""
    try:
        messages.write_all(fd, messages.encode(message))
    except (BrokenPipeError, ConnectionResetError):
        os._exit(0)
