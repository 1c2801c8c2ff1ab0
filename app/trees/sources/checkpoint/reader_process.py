"""The process that reads values as the server sees it: started with the first question, and anew when it was lost."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

from app.errors import CannotDo
from app.processes import Process, launcher, signal_name
from app.translation import said
from app.trees.sources import jobs
from app.trees.sources.checkpoint.questions import Answered, GiveUp, Progress, Question, heard_decoder
from app.trees.sources.environment import environment

Hear: TypeAlias = Callable[[int, int], bool]
"""Told how much of how much is done; says whether the answer is still wanted."""


class ReaderProcess:
    """Answers one question at a time; `close` may come from another thread, and ends it whatever it is doing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._socket: socket.socket | None = None
        self._is_closed = False

    @property
    def pid(self) -> int | None:
        """The process's id, None where there is none."""
        return self._process.pid if self._process is not None else None

    def ask(self, question: Question, hear: Hear) -> bytes | None:
        """Return the encoded answer, None when it was given up.

        Raises what went wrong in the process, and `CannotDo` when the process is lost.
        """
        try:
            sock = self._started()
            jobs.send(sock, question)
            return self._answer(sock, hear)
        except (jobs.NoAnswer, OSError) as error:
            raise CannotDo(
                said(
                    "The process that reads values was lost%(how_it_ended)s; try again.",
                    how_it_ended=self._how_it_ended(),
                )
            ) from error

    def close(self) -> None:
        """End the process for good."""
        with self._lock:
            self._is_closed = True
            self._kill()

    def _answer(self, sock: socket.socket, hear: Hear) -> bytes | None:
        is_wanted = True
        while True:
            heard = heard_decoder.decode(jobs.receive(sock))
            if isinstance(heard, Progress):
                if is_wanted and not hear(heard.done, heard.total):
                    is_wanted = False
                    jobs.send(sock, GiveUp())
            elif isinstance(heard, jobs.Failed):
                raise jobs.error_of(heard)
            else:
                return heard.body if isinstance(heard, Answered) else None

    def _started(self) -> socket.socket:
        with self._lock:
            if self._is_closed:
                raise CannotDo(said("The server is stopping."))
            if self._socket is None or self._process is None or self._process.poll() is not None:
                self._kill()
                self._start()
            assert self._socket is not None
            return self._socket

    def _start(self) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = launcher.start("app.trees.sources.checkpoint.reader", theirs, environment=environment())

    def _how_it_ended(self) -> str:
        with self._lock:
            code = self._kill()
        return (
            said(", ended by signal %(number)s (%(name)s)", number=-code, name=signal_name(-code)) if code < 0 else ""
        )

    def _kill(self) -> int:
        code = 0
        if self._process is not None:
            self._process.kill()
            code = self._process.wait()
            self._process = None
        if self._socket is not None:
            # Who still waits at it hears that nothing more comes.
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
            self._socket = None
        return code
