"""`Readings`: statistics and heat maps of tensors of any size, made one after the other in a process of their own."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from app.errors import CannotDo, ModuletreeError, TooManyRuns
from app.translation import said
from app.trees.kept import Kept
from app.trees.rows import HeatMap, TensorStats
from app.trees.sources.checkpoint.contents import TensorPlace
from app.trees.sources.checkpoint.making import Making
from app.trees.sources.checkpoint.questions import HeatMapQuestion, Question, StatsQuestion
from app.trees.sources.checkpoint.reader_process import ReaderProcess
from app.trees.tensor_data import Reading, Ready

T = TypeVar("T")

MAX_WAITING = 32
MAX_KEPT_BYTES = 64 * 1024 * 1024
UNWANTED_AFTER_S = 60.0
RETRY_AFTER_S = 5

_decode_stats = msgspec.msgpack.Decoder(TensorStats).decode
_decode_heat_map = msgspec.msgpack.Decoder(HeatMap).decode


class Readings:
    """Makes readings, and keeps what was made; thread-safe, one for a whole server.

    Who asks what is being made already joins it. A reading that nobody has asked for in `unwanted_after_s` is given up;
    more than `max_waiting` are refused with `TooManyRuns`. What went wrong is told once, to the next who asks, and then
    tried again. The process begins with the first question.
    """

    def __init__(
        self,
        *,
        max_waiting: int = MAX_WAITING,
        max_kept_bytes: int = MAX_KEPT_BYTES,
        unwanted_after_s: float = UNWANTED_AFTER_S,
    ) -> None:
        self._max_waiting = max_waiting
        self._unwanted_after_s = unwanted_after_s
        self._kept = Kept(max_kept_bytes)
        self._process = ReaderProcess()
        self._makings: OrderedDict[Question, Making[Any]] = OrderedDict()
        self._current: Making[Any] | None = None
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    @property
    def pid(self) -> int | None:
        """The process's id, None where there is none."""
        return self._process.pid

    def stats(self, folder: Path, place: TensorPlace) -> Reading[TensorStats]:
        """Return the reading of a tensor's statistics; its file lies in `folder`."""
        return self._ask(StatsQuestion(str(folder), place), _decode_stats)

    def heat_map(self, folder: Path, place: TensorPlace, index: Sequence[int]) -> Reading[HeatMap]:
        """Return the reading of the heat map of a tensor's last two dimensions, at `index` in those before."""
        return self._ask(HeatMapQuestion(str(folder), place, tuple(index)), _decode_heat_map)

    def close(self) -> None:
        """End the process; who still waits is told."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._process.close()
        if self._thread is not None:
            self._thread.join()
        for making in list(self._makings.values()):
            if not making.is_done:
                making.fail(_stopping())

    def _ask(self, question: Question, decode: Callable[[bytes], T]) -> Reading[T]:
        with self._changed:
            body = self._kept.get(question)
            if body is None:
                making = self._makings.get(question) or self._begin(question, decode)
                making.want()
                return making
        return Ready(decode(body))

    def _begin(self, question: Question, decode: Callable[[bytes], T]) -> Making[T]:
        if self._is_closed:
            raise _stopping()
        self._drop_unwanted()
        num_waiting = sum(not making.is_done for making in self._makings.values())
        if num_waiting >= self._max_waiting:
            detail = said(
                "%(num_waiting)s readings of values wait for their turn already; ask again in some seconds.",
                num_waiting=num_waiting,
            )
            raise TooManyRuns(detail, RETRY_AFTER_S)
        making = self._makings[question] = Making(question, decode, self._forget)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="readings", daemon=True)
            self._thread.start()
        self._changed.notify()
        return making

    def _run(self) -> None:
        while (making := self._next()) is not None:
            self._make(making)

    def _next(self) -> Making[Any] | None:
        with self._changed:
            self._current = None
            while not self._is_closed:
                self._drop_unwanted()
                self._current = next((making for making in self._makings.values() if not making.is_done), None)
                if self._current is not None:
                    break
                self._changed.wait()
            return self._current

    def _make(self, making: Making[Any]) -> None:
        def hear(done: int, total: int) -> bool:
            making.progress = (done, total)
            return not making.is_unwanted(self._unwanted_after_s)

        try:
            body = self._process.ask(making.question, hear)
        except ModuletreeError as error:
            making.fail(_stopping() if self._is_closed else error)
            return
        # What was given up waits again, and is dropped before its turn comes, unless somebody asked for it meanwhile.
        if body is not None:
            with self._changed:
                self._kept.put(making.question, body)
                del self._makings[making.question]
            making.succeed(body)

    def _drop_unwanted(self) -> None:
        for making in list(self._makings.values()):
            if making is not self._current and making.is_unwanted(self._unwanted_after_s):
                del self._makings[making.question]
                if not making.is_done:
                    making.fail(CannotDo(said("Nobody has asked for these values for a while: ask again.")))

    def _forget(self, making: Making[Any]) -> None:
        with self._changed:
            if self._makings.get(making.question) is making:
                del self._makings[making.question]


def _stopping() -> CannotDo:
    return CannotDo(said("The server is stopping."))
