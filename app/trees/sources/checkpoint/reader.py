"""The process that reads values: `python -m app.trees.sources.checkpoint.reader SOCKET_FD`, one question at a time.

socket -> question -> statistics | heat map, saying how far it is -> answer -> socket

It inherits nothing of the server but its end of a socket, and ends when the server's end is closed.
"""

import select
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from app.errors import ModuletreeError
from app.trees.sources.checkpoint.heat_map import read_heat_map
from app.trees.sources.checkpoint.questions import (
    Answered,
    GivenUp,
    GiveUp,
    Progress,
    Question,
    StatsQuestion,
    asked_decoder,
)
from app.trees.sources.checkpoint.statistics import read_stats
from app.trees.sources.jobs import Failed, NoAnswer, failed_of, receive, send

SAY_EVERY_S = 0.05


class _Unwanted(Exception):
    """Nobody waits for what is being read."""


class _Telling:
    """Says how far a reading is, now and then, and hears whether it is still wanted."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self._said_at = 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now < self._said_at + SAY_EVERY_S:
            return
        self._said_at = now
        if select.select([self._server], [], [], 0)[0]:
            receive(self._server)
            raise _Unwanted
        send(self._server, Progress(done, total))


def main(fd: int) -> None:
    """Answer one question after the other until the server's end of the socket is closed."""
    # Ctrl+C reaches the whole group of processes: the server decides when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with socket.socket(fileno=fd) as server, suppress(NoAnswer, ConnectionError):
        while True:
            question = asked_decoder.decode(receive(server))
            # A question may be given up just when it was answered.
            if not isinstance(question, GiveUp):
                send(server, _answer(question, _Telling(server)))


def _answer(question: Question, telling: _Telling) -> Answered | GivenUp | Failed:
    try:
        return Answered(_read(question, telling))
    except _Unwanted:
        return GivenUp()
    except ModuletreeError as error:
        return failed_of(error)


def _read(question: Question, telling: _Telling) -> bytes:
    folder = Path(question.folder)
    if isinstance(question, StatsQuestion):
        return msgspec.msgpack.encode(read_stats(folder, question.place, telling))
    return msgspec.msgpack.encode(read_heat_map(folder, question.place, question.index, progress=telling))


if __name__ == "__main__":
    main(int(sys.argv[1]))
