"""The parser of server-sent events, by the rules of the HTML standard."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.client import NotModuletree, sse
from app.client.sse import Message, Parser

WORDS = [b"data", b"event", b"id", b"retry", b":", b" ", b"\r", b"\n", b"\r\n", b"\n\n", b"7", b"x", b"\0"]
ODD = ["é€𝄞\u2028\x0b".encode(), b"\xef\xbb\xbf", b"\xe2\x82", b"\xff"]
PARTS = st.sampled_from([*WORDS, *ODD])
STREAMS = st.lists(PARTS, max_size=60).map(b"".join)


def parsed(*pieces: bytes) -> tuple[list[Message], str, int | None]:
    parser = Parser()
    messages = [message for piece in pieces for message in parser.feed(piece)]
    return messages, parser.last_event_id, parser.retry_ms


def by_the_book(stream: bytes) -> tuple[list[Message], str, int | None]:
    """The standard's own steps, on a stream that is there as a whole."""
    data, event, buffer, last, retry = "", "", "", "", None
    messages = []
    for line in lines_of(stream.decode("utf-8", "replace").removeprefix("\ufeff")):
        field, colon, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            last = buffer
            if data:
                messages.append(Message(last, event or "message", data[:-1]))
            data = event = ""
        elif field == "" and colon:
            continue
        elif field == "event":
            event = value
        elif field == "data":
            data += value + "\n"
        elif field == "id" and "\0" not in value:
            buffer = value
        elif field == "retry" and value and set(value) <= set("0123456789"):
            retry = int(value)
    return messages, last, retry


def lines_of(text: str) -> Iterator[str]:
    """The lines that have an end."""
    line, before = "", ""
    for char in text:
        if char in "\r\n":
            if not (char == "\n" and before == "\r"):
                yield line
            line = ""
        else:
            line += char
        before = char


@given(stream=STREAMS, cuts=st.lists(st.integers(0, 300), max_size=20))
@example(stream=b"data: a\r\ndata: b\r\n\r\n", cuts=list(range(30)))
@example(stream=b"\xef\xbb\xbfdata: \xe2\x82\xac\n\n", cuts=list(range(30)))
def test_any_cut_of_the_bytes_gives_the_events_of_the_standard(stream: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[start:stop] for start, stop in pairwise(places)]
    assert parsed(*pieces) == by_the_book(stream)


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: YHOO\ndata: +2\ndata: 10\n\n", [("", "message", "YHOO\n+2\n10")]),
        (b": test\n\ndata: first\nid: 1\n\ndata:  third\n", [("1", "message", "first")]),
        (b"data: first\nid: 1\n\ndata:second\nid\n\n", [("1", "message", "first"), ("", "message", "second")]),
        (b"data\n\ndata\ndata\n\ndata:", [("", "message", ""), ("", "message", "\n")]),
        (b"data:test\n\ndata: test\n\n", [("", "message", "test"), ("", "message", "test")]),
        (b"event: add\ndata: 73857293\n\nid: 4\n\ndata: x\n\n", [("", "add", "73857293"), ("4", "message", "x")]),
        (b"id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n", [("1", "message", "a"), ("1", "message", "b")]),
        (b"data: whole\n\ndata: not whole\n", [("", "message", "whole")]),
    ],
)  # fmt: skip
def test_streams_of_the_standard(stream: bytes, events: list[tuple[str, str, str]]) -> None:
    assert parsed(stream)[0] == [Message(*event) for event in events]


def test_an_id_goes_on_over_a_new_connection_and_retry_is_a_number() -> None:
    parser = Parser("17")
    assert parser.feed(b"retry: soon\ndata: a\n\n") == [Message("17", "message", "a")]
    assert parser.retry_ms is None
    parser.feed(b"retry: 2500\n")
    assert parser.retry_ms == 2500


def test_an_event_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_BYTES", 1000)
    parser = Parser()
    for _ in range(50):
        parser.feed(b"data: " + b"x" * 94 + b"\n\n")
    parser.feed(b"data: " + b"x" * 900)
    with pytest.raises(NotModuletree, match="more than 1,000 bytes"):
        parser.feed(b"x" * 100)
