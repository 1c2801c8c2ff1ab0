"""Answers as small as the client can read them; httpx unpacks what came, and keeps the header that says how."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp

from app.compression import MINIMUM_BYTES, THREAD_FROM_BYTES, Compression
from tests.asgi import ask

TEXT = b"0123456789abcdef" * (THREAD_FROM_BYTES // 8)


def answer_to(app: ASGIApp, accepted: str) -> httpx.Response:
    return ask(Compression(app), "GET", "/", headers={"Accept-Encoding": accepted})


async def pieces() -> AsyncIterator[bytes]:
    for start in range(0, len(TEXT), 1000):
        yield TEXT[start : start + 1000]


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip", "gzip"),
        ("gzip, zstd;q=0", "gzip"),
        ("gzip;q=1.0, zstd;q=0.1", "gzip"),
        ("br", None),
        ("identity", None),
        ("", None),
        (";;,q=", None),
    ],
)
def test_the_client_chooses(accepted: str, coding: str | None) -> None:
    for app in (Response(TEXT, media_type="application/json"), StreamingResponse(pieces(), media_type="text/plain")):
        answer = answer_to(app, accepted)
        assert answer.headers.get("content-encoding") == coding
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.content == TEXT
        if coding is not None:
            assert answer.num_bytes_downloaded < len(TEXT) / 10


@pytest.mark.parametrize("media_type", ["text/event-stream", "application/octet-stream", "image/png", "font/woff2"])
def test_streams_tensors_and_pictures_are_left_alone(media_type: str) -> None:
    answer = answer_to(Response(TEXT, media_type=media_type), "zstd, gzip")
    assert "content-encoding" not in answer.headers
    assert answer.content == TEXT


def test_what_is_encoded_already_is_left_alone() -> None:
    packed = b"\x1f\x8b" + TEXT
    app = Response(packed, headers={"Content-Encoding": "x-kept"}, media_type="application/json")
    answer = answer_to(app, "zstd, gzip")
    assert answer.headers["content-encoding"] == "x-kept"
    assert answer.num_bytes_downloaded == len(packed)


def test_what_is_small_is_left_alone() -> None:
    answer = answer_to(Response(b"x" * (MINIMUM_BYTES - 1), media_type="text/plain"), "zstd")
    assert "content-encoding" not in answer.headers


def test_nothing_in_nothing_out() -> None:
    for app in (Response(status_code=304), Response(status_code=204)):
        answer = answer_to(app, "zstd")
        assert (answer.content, "content-encoding" in answer.headers) == (b"", False)
