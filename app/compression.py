"""Answers compressed as the client likes best: zstd, else gzip, else as they are.

Starlette's own responder decides what is worth it: not event streams, not what is encoded already, not what is small.
"""

import gzip

import zstandard
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipResponder, IdentityResponder
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.negotiation import coding

MINIMUM_BYTES = 1000
THREAD_FROM_BYTES = 128 * 1024
LEVELS = {"zstd": 3, "gzip": 6}
# The bytes of tensors hardly shrink.
EXCLUDED = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "application/octet-stream")


def compressed(content: bytes, media_type: str, coding: str) -> bytes | None:
    """Return the content as `coding` packs it; None where it is not worth it, by the same rules as for answers."""
    if len(content) < MINIMUM_BYTES or media_type.partition(";")[0] in EXCLUDED:
        return None
    match coding:
        case "zstd":
            return zstandard.ZstdCompressor(LEVELS["zstd"]).compress(content)
        case "gzip":
            return gzip.compress(content, LEVELS["gzip"], mtime=0)
        case _:
            return None


class ZstdResponder(IdentityResponder):
    """One answer, compressed by zstd as it is sent."""

    content_encoding = "zstd"

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app, MINIMUM_BYTES, exclude_content_types=EXCLUDED)
        self._frame: zstandard.ZstdCompressionObj | None = None

    async def apply_compression(self, body: bytes, *, more_body: bool) -> bytes:
        if len(body) < THREAD_FROM_BYTES:
            return self._compress(body, more_body)
        return await run_in_threadpool(self._compress, body, more_body)

    def _compress(self, body: bytes, more_body: bool) -> bytes:
        if self._frame is None:
            self._frame = zstandard.ZstdCompressor(LEVELS["zstd"]).compressobj()
        end = zstandard.COMPRESSOBJ_FLUSH_BLOCK if more_body else zstandard.COMPRESSOBJ_FLUSH_FINISH
        return self._frame.compress(body) + self._frame.flush(end)


class Compression:
    """The layer that picks the responder by Accept-Encoding."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        await self._responder(scope)(scope, receive, send)

    def _responder(self, scope: Scope) -> ASGIApp:
        match coding(Headers(scope=scope).get("accept-encoding")):
            case "zstd":
                return ZstdResponder(self.app)
            case "gzip":
                return GZipResponder(
                    self.app,
                    MINIMUM_BYTES,
                    LEVELS["gzip"],
                    thread_minimum_size=THREAD_FROM_BYTES,
                    exclude_content_types=EXCLUDED,
                )
            case _:
                return IdentityResponder(self.app, MINIMUM_BYTES, exclude_content_types=EXCLUDED)
