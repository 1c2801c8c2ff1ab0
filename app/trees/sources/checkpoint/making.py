"""A reading in the making: who waits for it, how far it is, and how it ends."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from app.errors import ModuletreeError
from app.trees.sources.checkpoint.questions import Question

T = TypeVar("T")


class Making(Generic[T]):
    """A reading that a process makes; thread-safe.

    `deliver` is called once what went wrong was told to somebody.
    """

    def __init__(
        self, question: Question, decode: Callable[[bytes], T], deliver: Callable[["Making[T]"], None]
    ) -> None:
        self.question = question
        self.progress = (0, 0)
        self._decode = decode
        self._deliver = deliver
        self._future: Future[T] = Future()
        self._lock = threading.Lock()
        self._num_waiting = 0
        self._wanted_at = time.monotonic()

    @property
    def is_done(self) -> bool:
        """Whether `result` answers, or raises, at once."""
        return self._future.done()

    def result(self, timeout_s: float | None = None) -> T:
        """Wait for the result; raises `TimeoutError` when it takes longer, and what went wrong as one of our errors."""
        self.want(1)
        try:
            return self._future.result(timeout_s)
        except ModuletreeError:
            self._deliver(self)
            raise
        finally:
            self.want(-1)

    def when_done(self, call: Callable[[], object]) -> None:
        """Call it once `result` answers, from the thread that ends it, or at once."""
        self._future.add_done_callback(lambda _: call())

    def want(self, more_waiting: int = 0) -> None:
        """Know that somebody wants it now, and how many more wait for it."""
        with self._lock:
            self._num_waiting += more_waiting
            self._wanted_at = time.monotonic()

    def is_unwanted(self, after_s: float) -> bool:
        """Whether nobody waits for it, nor has asked for it within so many seconds."""
        with self._lock:
            return not self._num_waiting and time.monotonic() > self._wanted_at + after_s

    def succeed(self, body: bytes) -> None:
        """End with the encoded result."""
        self._future.set_result(self._decode(body))

    def fail(self, error: ModuletreeError) -> None:
        """End with what went wrong."""
        self._future.set_exception(error)
