"""Logs made up for tests, and what a client makes of the bytes of a stream."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from app.training.log import Chunk, EventKind, pack_epochs
from app.training.module_columns import pack_modules


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event as a browser hands it on."""

    id: str
    event: str
    data: Any


def parse(stream: bytes) -> list[Event]:
    """The events in the bytes, by the rules of the HTML standard as far as they are used here."""
    assert b"\r" not in stream
    assert stream == b"" or stream.endswith(b"\n\n")
    events = []
    for block in stream.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in fields:
            data = json.loads(fields["data"], parse_constant=_refuse)
            events.append(Event(fields["id"], fields["event"], data))
    return events


def _refuse(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


def epochs_chunk(
    first_id: int, first_epoch: int, losses: Sequence[float], lines: Sequence[float] | None = None
) -> Chunk:
    """A chunk of epochs at seconds 1,000,000 + epoch; slope and intercept are the numbers of `lines`."""
    count = len(losses)
    at = np.arange(count, dtype="<f4")
    line = np.array(lines if lines is not None else [math.nan] * count, "<f4")
    columns = {"loss": np.array(losses, "<f8"), "at": at, "slope": line, "intercept": line}
    names, payload = pack_epochs(columns)
    last, base_at = count - 1, 1e6 + first_epoch
    return Chunk(first_id, first_id + last, EventKind.EPOCHS, payload, first_epoch, first_epoch + last, base_at, names)


def modules_chunk(first_id: int, epochs: Sequence[int], num_modules: int = 2) -> Chunk:
    """A chunk of statistics, each of them a number of its own."""
    each = 3 * num_modules
    figures = [np.arange(each * epoch, each * (epoch + 1), dtype="<f4").reshape(3, -1) for epoch in epochs]
    payload = pack_modules(epochs, figures)
    return Chunk(first_id, first_id + len(epochs) - 1, EventKind.MODULES, payload, epochs[0], epochs[-1])


def status_chunk(number: int, status: str) -> Chunk:
    return Chunk(number, number, EventKind.STATUS, json.dumps({"status": status}).encode())


def end_chunk(number: int) -> Chunk:
    return Chunk(number, number, EventKind.END, b'{"id":"r_1"}')


losses = st.floats(width=64, allow_nan=True, allow_infinity=True)


@st.composite
def logs(draw: st.DrawFn, *, ended: bool | None = None, watched: bool = False) -> list[Chunk]:
    """A log of chunks of any sizes, with statuses between them, numbered without gaps.

    Where it is `watched`, statistics of modules follow some epochs.
    """
    chunks = [status_chunk(1, "queued"), status_chunk(2, "running")]
    epoch = 0
    for part in draw(st.lists(st.lists(losses, max_size=6), max_size=5)):
        number = chunks[-1].last_id + 1
        if part:
            lines = [draw(st.floats(width=32))] * len(part) if draw(st.booleans()) else None
            chunks.append(epochs_chunk(number, epoch, part, lines))
            told = draw(st.sets(st.integers(epoch, epoch + len(part) - 1))) if watched else set()
            epoch += len(part)
            if told:
                chunks.append(modules_chunk(chunks[-1].last_id + 1, sorted(told)))
        else:
            chunks.append(status_chunk(number, "paused"))
    if draw(st.booleans()) if ended is None else ended:
        chunks.append(end_chunk(chunks[-1].last_id + 1))
    return chunks
