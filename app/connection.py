"""A connection that neither waits for ever for the head of a request nor takes one without end, as uvicorn's does.

It is also smaller, for there may be thousands of them, each with a stream: a deque takes 600 bytes, empty or not, and
so does the dictionary of an object that has a few attributes too many.
"""

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Flow(FlowControl):
    """uvicorn's, with an event only for a client that reads too slowly."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.read_paused = False
        self.write_paused = False

    async def drain(self) -> None:
        if self.write_paused:
            await self._is_writable_event.wait()

    def pause_writing(self) -> None:
        if not self.write_paused:
            self.write_paused = True
            self._is_writable_event = asyncio.Event()


class Bell:
    """An `asyncio.Event` without a deque for those who wait: it is nearly always one."""

    __slots__ = ("_is_set", "_waiters")

    def __init__(self) -> None:
        self._is_set = False
        self._waiters: list[asyncio.Future[None]] | None = None

    def set(self) -> None:
        """Wake all who wait, and whoever will wait until it is cleared."""
        self._is_set = True
        for waiter in self._waiters or ():
            if not waiter.done():
                waiter.set_result(None)

    def clear(self) -> None:
        """Let those wait who come from now on."""
        self._is_set = False

    async def wait(self) -> None:
        """Return when it is set."""
        if self._is_set:
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiters = [*(self._waiters or ()), waiter]
        try:
            await waiter
        finally:
            self._waiters = [each for each in self._waiters or () if each is not waiter] or None


class Pipeline(list[Any]):
    """The requests that wait for the answer before them: none, nearly always."""

    def appendleft(self, request: Any) -> None:
        """Put a request behind those that wait."""
        self.insert(0, request)


class BoundedConnection(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it, closed on a client whose request line and headers are too slow or too long."""

    head_s: ClassVar[float] = 30.0
    max_head_bytes: ClassVar[int] = 64 * 1024

    __slots__ = ("_deadline", "_num_head_bytes")

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._deadline: asyncio.TimerHandle | None = None
        self._num_head_bytes = 0
        self.pipeline = Pipeline()  # type: ignore[assignment]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = Flow(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        was_in_head = self._deadline is not None
        super().data_received(data)
        # A piece that ends a head may also hold a body, which has bounds of its own.
        if was_in_head and self._deadline is not None:
            self._num_head_bytes += len(data)
            if self._num_head_bytes > self.max_head_bytes:
                self._stop_waiting()
                self.send_400_response(f"The head of the request has more than {self.max_head_bytes} bytes.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before:
            self.cycle.message_event = Bell()  # type: ignore[assignment]

    def _await_head(self) -> None:
        if self._deadline is None:
            self._num_head_bytes = 0
            self._deadline = self.loop.call_later(self.head_s, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
