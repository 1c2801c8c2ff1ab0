"""The response of a stream of server-sent events: bytes that are shared by all who read them.

A plain ASGI response, since what is sent is encoded already and one write carries all that is new.
"""

import asyncio
from contextlib import aclosing

from fastapi import Response
from starlette.types import Receive, Scope, Send

from app.training.subscription import Subscription

MEDIA_TYPE = "text/event-stream"
# How soon to come back after the server was stopped. It also opens the stream at once: without a first piece, headers
# may wait for the first event.
OPENING = b"retry: 1000\n\n"
COMMENT = b":\n\n"
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


class EventStream(Response):
    """Sends a subscription until it ends, the client leaves, or the server stops."""

    media_type = MEDIA_TYPE

    def __init__(self, subscription: Subscription) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._subscription = subscription

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream; a client that leaves while nothing happens is noticed too."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        leaving = asyncio.create_task(self._watch(receive))
        try:
            await send({"type": "http.response.body", "body": OPENING, "more_body": True})
            async with aclosing(self._subscription.pieces()) as pieces:
                async for piece in pieces:
                    await send({"type": "http.response.body", "body": piece or COMMENT, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            leaving.cancel()

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._subscription.leave()
