"""Bounds on the body of a request: how many bytes it may have, and how long the next of them may take."""

import asyncio

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope

from app.errors import TooLarge
from app.translation import said


def check_length(scope: Scope, limit: int) -> None:
    """Raise TooLarge for a body that announces more than `limit` bytes, before the first of them is read."""
    announced = Headers(scope=scope).get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise _too_large(limit)


def bounded(receive: Receive, limit: int, silence_s: float) -> Receive:
    """A `receive` that raises TooLarge over `limit` bytes, and HTTPException 408 after `silence_s` without any.

    A chunked body announces no length, so the bytes are counted as they come.
    """
    size = 0
    is_whole = False

    async def receive_bounded() -> Message:
        nonlocal size, is_whole
        if is_whole:
            # What may still come is the end of the connection, which takes as long as it takes.
            return await receive()
        message = await _in_time(receive, silence_s)
        size += len(message.get("body", b""))
        is_whole = not message.get("more_body", False)
        if size > limit:
            raise _too_large(limit)
        return message

    return receive_bounded


async def _in_time(receive: Receive, silence_s: float) -> Message:
    try:
        async with asyncio.timeout(silence_s):
            return await receive()
    except TimeoutError:
        detail = said(
            "No byte of the body came for %(silence_s)s s. Send it without such pauses.", silence_s=f"{silence_s:g}"
        )
        raise HTTPException(408, detail, {"Connection": "close"}) from None


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        said("The body is larger than the %(limit)s bytes that this server takes here.", limit=f"{limit:,}"), limit
    )
