"""Epochs on their way from a worker to the server: collected for 16 ms, and sent as columns."""

import os
import time
from array import array

from app.training import messages
from app.training.fit import UNKNOWN, Fit
from app.training.messages import FromWorker

BATCH_S = 0.016


class EpochBatch:
    """Epochs that wait to be sent, by column; sent as soon as the oldest may be 16 ms old."""

    def __init__(self, run: str, fit: Fit, fd: int) -> None:
        self._run = run
        self._fit = fit
        self._fd = fd
        self._is_live = fit.is_live
        self._due = 0.0
        self._clear(0)

    def _clear(self, first: int) -> None:
        self._first = first
        self._began = time.perf_counter()
        self._base_at = time.time()
        self._loss, self._at = array("d"), array("f")
        self._slope, self._intercept = array("f"), array("f")

    def add(self, epoch: int, loss: float) -> None:
        """Note an epoch before its step is taken."""
        if not self._loss:
            self._clear(epoch)
        now = time.perf_counter()
        self._loss.append(loss)
        self._at.append(now - self._began)
        is_due = now >= self._due
        slope, intercept = self._fit.read() if self._is_live or is_due else UNKNOWN
        self._slope.append(slope)
        self._intercept.append(intercept)
        if is_due:
            self.send()
            self._due = now + BATCH_S

    def send(self) -> None:
        """Send what waits."""
        if not self._loss:
            return
        columns = (self._loss, self._at, self._slope, self._intercept)
        loss, at, slope, intercept = (column.tobytes() for column in columns)
        send(self._fd, messages.Epochs(self._run, self._first, self._base_at, loss, at, slope, intercept))
        self._loss = array("d")


def send(fd: int, message: FromWorker) -> None:
    """Say `message` to the server; without a server there is nothing left to do."""
    try:
        messages.write_all(fd, messages.encode(message))
    except (BrokenPipeError, ConnectionResetError):
        os._exit(0)
