"""Thousands of clients of one stream, as sockets of this process."""

import resource
import select
import socket
import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.pieces import Piece, read_piece

AT_ONCE = 100
READ_BYTES = 1 << 18


@dataclass(slots=True, eq=False)
class Subscriber:
    """One socket, the number of the last event that came, and the bytes of an event that is not whole."""

    sock: socket.socket
    last_id: int = 0
    rest: bytes = b""
    is_over: bool = False


@dataclass(slots=True)
class Watched:
    """What came in a stretch of time: each distinct piece, and when it came to whom."""

    pieces: dict[bytes, Piece] = field(default_factory=dict)
    num_events: int = 0

    def delays(self) -> NDArray[np.float64]:
        """Return the seconds from each epoch's `at` to its receipt."""
        parts = [np.subtract.outer(np.array(piece.seen), piece.at).ravel() for piece in self.pieces.values()]
        return np.concatenate(parts)


class Subscribers:
    """Many streams of one run, read by one thread."""

    def __init__(self, url: str, run: str, query: str = "") -> None:
        self.run = run
        host, _, port = url.removeprefix("http://").rpartition(":")
        self._address = (host, int(port))
        self._request = (
            f"GET {run}/events{query} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: text/event-stream\r\n\r\n".encode()
        )
        self._poll = select.epoll()
        self._by_fd: dict[int, Subscriber] = {}
        self.num_over = 0

    def __len__(self) -> int:
        return len(self._by_fd)

    def join(self, count: int) -> None:
        """Open `count` more streams, some at a time, and return when each has its first event."""
        while count > 0:
            new = [self._connected() for _ in range(min(AT_ONCE, count))]
            count -= len(new)
            while not all(each.last_id for each in new):
                self.read(0.05)

    def read(self, seconds: float, watched: Watched | None = None) -> Watched:
        """Read all that comes in a stretch of time; raises AssertionError where an event is missing."""
        watched = Watched() if watched is None else watched
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and self.num_over < len(self._by_fd):
            for fd, _ in self._poll.poll(left):
                self._receive(self._by_fd[fd], watched)
        return watched

    def close(self) -> None:
        """Close all streams at once, as clients that are gone."""
        for subscriber in self._by_fd.values():
            subscriber.sock.close()
        self._by_fd.clear()

    def _connected(self) -> Subscriber:
        sock = socket.create_connection(self._address)
        sock.sendall(self._request)
        sock.setblocking(False)
        subscriber = self._by_fd[sock.fileno()] = Subscriber(sock)
        self._poll.register(sock, select.EPOLLIN)
        return subscriber

    def _receive(self, subscriber: Subscriber, watched: Watched) -> None:
        data = subscriber.sock.recv(READ_BYTES)
        now = time.time()
        has_closed = not data
        if subscriber.rest or data not in watched.pieces:
            piece, data, subscriber.rest = read_piece(subscriber.rest + data)
            # Without the rest, so that the next who gets the same finds it.
            piece = watched.pieces.setdefault(data, piece)
        else:
            piece = watched.pieces[data]
        if piece.is_last or has_closed:
            self._poll.unregister(subscriber.sock)
            subscriber.is_over = True
            self.num_over += 1
        if piece.num_events:
            expected = subscriber.last_id + 1
            assert piece.first_id == expected, f"event {piece.first_id} came where {expected} is the next"
            subscriber.last_id = piece.first_id + piece.num_events - 1
            watched.num_events += piece.num_events
        piece.seen.append(now)


def allow_sockets() -> None:
    """Let this process and those it starts have as many sockets as the system lets them."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
