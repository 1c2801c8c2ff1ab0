"""What a client does, carried out by a script instead of a network, and a server that says what it is told to."""

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from app.client import ClientError, Event
from app.client.operation import Course
from app.client.steps import Answer, Connect, Give, Pause, Receive, Reply, Request

OPENED = Answer(200, {"content-type": "text/event-stream"})
OVER = Answer(204, {})
OPENING = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
RUN: dict[str, Any] = {
    "id": "r_1", "tree": "t_1", "tree_name": "net", "tree_revision": 1, "status": "succeeded", "epochs": 3,
    "epochs_done": 3, "loss": None, "nonfinite": "inf", "best_loss": 1.5, "config": {}, "started_at": None,
    "created_at": "2026-01-01T12:00:00Z", "ended_at": None, "error": None, "result_revision": 2, "of_tomorrow": [1],
}  # fmt: skip


def sent(number: int, event: str = "epoch", **data: Any) -> bytes:
    """An event as a server sends it."""
    known = {"epoch": {"epoch": number - 1, "loss": 0.5, "at": "2026-01-01T12:00:00Z"}, "end": RUN}
    return f"id: {number}\nevent: {event}\ndata: {json.dumps(known.get(event, {}) | data)}\n\n".encode()


@dataclass(slots=True)
class Script:
    """Carries a plan out with these replies, in order; time passes only by pauses and `Later`."""

    replies: Sequence[Reply | ClientError | float]
    now: float = 0
    asked: list[Connect] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def carry_out(self, course: Course[Any]) -> list[Event]:
        """What the plan has given, when it is over."""
        given: list[Event] = []
        replies = iter(self.replies)
        while (step := course.step) is not None:
            match step:
                case Give(items):
                    given += items
                    course.answer(None)
                case Pause(seconds):
                    self.pauses.append(seconds)
                    self.now += seconds
                    course.answer(None)
                case Connect() | Receive() | Request():
                    if isinstance(step, Connect):
                        self.asked.append(step)
                    self._reply(course, replies)
                case _:
                    raise AssertionError(step)
        assert next(replies, None) is None
        return given

    def _reply(self, course: Course[Any], replies: Iterator[Reply | ClientError | float]) -> None:
        reply = next(replies)
        while isinstance(reply, float):
            self.now += reply
            reply = next(replies)
        if isinstance(reply, ClientError):
            course.fail(reply)
        else:
            course.answer(reply)


@contextmanager
def peer(*answers: Sequence[bytes]) -> Iterator[tuple[str, list[bytes]]]:
    """A server of plain bytes: one connection an answer, whose parts it sends one after the other and then hangs up.

    Gives its address, and the heads of the requests that came.
    """
    heads: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_serve, args=(listening, answers, heads))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", heads
        thread.join(30)


def _serve(listening: socket.socket, answers: Sequence[Sequence[bytes]], heads: list[bytes]) -> None:
    for parts in answers:
        connection, _ = listening.accept()
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            heads.append(connection.recv(65536))
            for part in parts:
                connection.sendall(part)


def bytewise(whole: bytes) -> list[bytes]:
    """The bytes one by one."""
    return [whole[place : place + 1] for place in range(len(whole))]


def last_id(head: bytes) -> bytes:
    """The `Last-Event-ID` of a request."""
    return next(line for line in head.split(b"\r\n") if line.lower().startswith(b"last-event-id:")).partition(b": ")[2]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port
