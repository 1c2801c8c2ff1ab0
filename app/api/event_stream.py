"""The response of a stream of server-sent events: bytes that are shared by all who read them.

    EventStream, inside all layers  ->  the head, and the first piece
    send_all, outside of them       ->  the rest, until the stream ends, its client leaves, or the server stops

A stream may last for hours, beside thousands of others: what answered the request is let go of once it has begun.
"""

from collections.abc import Awaitable

from fastapi import Response
from starlette.types import Receive, Scope, Send

from app.training.subscription import Subscription

MEDIA_TYPE = "text/event-stream"
# How soon to come back after the server was stopped. It also opens the stream at once: without a first piece, headers
# may wait for the first event.
OPENING = b"retry: 1000\n\n"
COMMENT = b":\n\n"
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}
BEGUN = "moduletree.begun"


class EventStream(Response):
    """Begins a stream, and leaves it in the scope for `send_all` to go on with."""

    media_type = MEDIA_TYPE

    def __init__(self, subscription: Subscription) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._subscription = subscription

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head and the first piece."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        await send({"type": "http.response.body", "body": OPENING, "more_body": True})
        scope[BEGUN].append(self._subscription)


class Pieces:
    """Sends each piece it is called with; smaller than a function that knows `send`, for there may be thousands."""

    __slots__ = ("_send",)

    def __init__(self, send: Send) -> None:
        self._send = send

    def __call__(self, piece: bytes, has_more: bool) -> Awaitable[None]:
        """Begin to send a piece, a sign of life for none, or the end."""
        body = piece or COMMENT if has_more else piece
        return self._send({"type": "http.response.body", "body": body, "more_body": has_more})


async def send_all(subscription: Subscription, receive: Receive, send: Send) -> None:
    """Send a stream that has begun, until its end; a client that leaves while nothing happens is noticed too."""

    subscription.begin(Pieces(send))
    try:
        # Nothing else is waited for here: that a response is complete is told as a disconnect, too.
        while (await receive())["type"] != "http.disconnect":
            pass
    finally:
        subscription.leave()
