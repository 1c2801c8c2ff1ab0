"""Chunks of one kind put together, though there are others between them, and taken apart again.

epochs 1-3, statistics 4-6, epochs 7-9, statistics 10-12  <->  epochs 1-3 and 7-9, statistics 4-6 and 10-12
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from app.training.log import ID, LASTING, LAYOUT, Chunk, EventKind, joined, layout_of, pack_epochs, unpack_epochs
from app.training.module_columns import EPOCH_BYTES


def merged(chunks: Sequence[Chunk]) -> Chunk:
    """Return one chunk for several of epochs or of statistics, in order; it says the same to the bit.

    The epochs must follow each other, the events need not.
    """
    first, last = chunks[0], chunks[-1]
    pack = _epochs if first.kind is EventKind.EPOCHS else _modules
    columns, payload = pack(chunks)
    ids = np.concatenate([_ids(chunk) for chunk in chunks])
    is_gapless = last.last_id - first.first_id + 1 == len(ids)
    return Chunk(
        first.first_id,
        last.last_id,
        first.kind,
        payload,
        first.first_epoch,
        last.last_epoch,
        columns=columns,
        ids=b"" if is_gapless else (ids - first.first_id).astype(ID).tobytes(),
    )


def parted(chunk: Chunk, after: int, until: int) -> Iterator[Chunk]:
    """Yield the chunks of events that follow each other in one that was put together.

    Only those with events over `after`, and among them those that begin not after the event `until`.
    """
    if not chunk.ids:
        yield chunk
        return
    ids = _ids(chunk)
    cuts = [0, *(np.flatnonzero(np.diff(ids) > 1) + 1).tolist(), len(ids)]
    for start, stop in pairwise(cuts):
        first_id, last_id = int(ids[start]), int(ids[stop - 1])
        if last_id > after and first_id <= until:
            yield replace(_cut(chunk, start, stop), first_id=first_id, last_id=last_id, ids=b"")


def _ids(chunk: Chunk) -> NDArray[np.int64]:
    if not chunk.ids:
        return np.arange(chunk.first_id, chunk.last_id + 1)
    return chunk.first_id + np.frombuffer(chunk.ids, ID).astype(np.int64)


def _epochs(chunks: Sequence[Chunk]) -> tuple[str, bytes]:
    columns = joined([unpack_epochs(chunk) for chunk in chunks])
    return pack_epochs({name: getattr(columns, name) for name in LAYOUT}, LASTING)


def _modules(chunks: Sequence[Chunk]) -> tuple[str, bytes]:
    epochs, figures = zip(*map(_halves, chunks), strict=True)
    return "", b"".join(epochs) + b"".join(figures)


def _halves(chunk: Chunk) -> tuple[bytes, bytes]:
    """The payload of statistics: its epochs, and the figures of each of them."""
    end = EPOCH_BYTES * len(chunk)
    return chunk.payload[:end], chunk.payload[end:]


def _cut(chunk: Chunk, start: int, stop: int) -> Chunk:
    if chunk.kind is EventKind.EPOCHS:
        return _cut_epochs(chunk, start, stop)
    epochs, figures = _halves(chunk)
    each = len(figures) // len(chunk)
    told = np.frombuffer(epochs, "<i8")[start:stop]
    payload = told.tobytes() + figures[each * start : each * stop]
    return replace(chunk, payload=payload, first_epoch=int(told[0]), last_epoch=int(told[-1]))


def _cut_epochs(chunk: Chunk, start: int, stop: int) -> Chunk:
    assert chunk.first_epoch is not None
    parts, begin = [], 0
    for _name, kind in layout_of(chunk):
        size = np.dtype(kind).itemsize
        parts.append(chunk.payload[begin + size * start : begin + size * stop])
        begin += size * len(chunk)
    first = chunk.first_epoch
    return replace(chunk, payload=b"".join(parts), first_epoch=first + start, last_epoch=first + stop - 1)
