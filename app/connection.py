"""A connection that neither waits for ever for the head of a request nor takes one without end, as uvicorn's does."""

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class BoundedConnection(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it, closed on a client whose request line and headers are too slow or too long."""

    head_s: ClassVar[float] = 30.0
    max_head_bytes: ClassVar[int] = 64 * 1024

    _deadline: asyncio.TimerHandle | None = None
    _num_head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
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
        super().on_headers_complete()

    def _await_head(self) -> None:
        if self._deadline is None:
            self._num_head_bytes = 0
            self._deadline = self.loop.call_later(self.head_s, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
