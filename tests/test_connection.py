"""Clients that are too slow or say too much before they have said what they want."""

import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from app.connection import BoundedConnection


class Impatient(BoundedConnection):
    head_s = 0.3
    max_head_bytes = 10_000


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    """Where a server listens that answers "hello"."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(PlainTextResponse("hello"), http=Impatient, ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    yield listening.getsockname()
    server.should_exit = True
    thread.join()


@pytest.fixture
def client(address: tuple[str, int]) -> Iterator[socket.socket]:
    with socket.create_connection(address, timeout=10) as client:
        yield client


def read_all(client: socket.socket) -> bytes:
    """Everything until the server closes; an end by force counts as one too."""
    got = b""
    try:
        while piece := client.recv(65536):
            got += piece
    except ConnectionResetError:
        pass
    return got


def test_a_connection_that_says_nothing_is_closed(client: socket.socket) -> None:
    assert read_all(client) == b""


def test_a_head_that_is_never_whole_is_closed(client: socket.socket) -> None:
    client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\nX-Slow: ")
    assert read_all(client) == b""


def test_so_is_the_head_of_a_second_request(client: socket.socket) -> None:
    client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
    assert client.recv(65536).endswith(b"hello")
    client.sendall(b"GET / HTTP/1.1\r\n")
    assert read_all(client) == b""


def test_a_head_without_end_is_refused(client: socket.socket) -> None:
    client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n")
    try:
        for _ in range(100):
            client.sendall(b"X-Long: " + b"x" * 1000)
    except (BrokenPipeError, ConnectionResetError):
        return
    answer = read_all(client)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")


def test_a_large_body_right_behind_its_head_is_no_large_head(client: socket.socket) -> None:
    client.sendall(
        b"POST / HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 50000\r\n\r\n" + b"x" * 50_000
    )
    assert read_all(client).endswith(b"hello")
