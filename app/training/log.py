"""The event log of a run, in chunks: events are numbered from 1 without gaps, and epochs are kept by column."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

LOSS_BYTES = 8
FLOAT_BYTES = 4


class EventKind(StrEnum):
    """What a chunk holds: many epochs, or one event of another kind."""

    EPOCHS = "epochs"
    STATUS = "status"
    END = "end"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Events `first_id` to `last_id`. The payload is packed columns for epochs, else the JSON that the event says."""

    first_id: int
    last_id: int
    kind: EventKind
    payload: bytes
    first_epoch: int | None = None
    last_epoch: int | None = None
    base_at: float = 0.0

    def __len__(self) -> int:
        return self.last_id - self.first_id + 1


@dataclass(frozen=True, slots=True)
class EpochColumns:
    """Epochs `first`, `first + 1`, ... with the number of their first event.

    `at` is in seconds since 1970; slope and intercept are NaN where they were not looked at.
    """

    first: int
    first_id: int
    loss: Floats
    at: Floats
    slope: Floats
    intercept: Floats

    def __len__(self) -> int:
        return len(self.loss)

    def after(self, count: int) -> "EpochColumns":
        """Return the columns without the first `count` epochs."""
        columns = (column[count:] for column in (self.loss, self.at, self.slope, self.intercept))
        return EpochColumns(self.first + count, self.first_id + count, *columns)

    def until(self, count: int) -> "EpochColumns":
        """Return the first `count` epochs."""
        columns = (column[:count] for column in (self.loss, self.at, self.slope, self.intercept))
        return EpochColumns(self.first, self.first_id, *columns)


def pack_epochs(loss: bytes, at: bytes, slope: bytes, intercept: bytes) -> bytes:
    """Return one payload of four columns; slope and intercept are left out where no epoch has them."""
    if np.isnan(np.frombuffer(slope, "<f4")).all():
        return loss + at
    return loss + at + slope + intercept


def unpack_epochs(chunk: Chunk) -> EpochColumns:
    """Return the columns of a chunk of epochs, without copying them."""
    count, payload = len(chunk), chunk.payload
    loss = np.frombuffer(payload, "<f8", count)
    at, slope, intercept = (_floats(payload, count, place) for place in range(3))
    assert chunk.first_epoch is not None
    return EpochColumns(chunk.first_epoch, chunk.first_id, loss, chunk.base_at + at.astype("<f8"), slope, intercept)


def _floats(payload: bytes, count: int, place: int) -> Floats:
    start = count * (LOSS_BYTES + FLOAT_BYTES * place)
    if start >= len(payload):
        return np.full(count, np.nan, "<f4")
    return np.frombuffer(payload, "<f4", count, start)


def joined(parts: "list[EpochColumns]") -> EpochColumns:
    """Return neighbouring epochs as one, from a list that is not empty."""
    first = parts[0]
    if len(parts) == 1:
        return first
    columns = zip(*((part.loss, part.at, part.slope, part.intercept) for part in parts), strict=True)
    return EpochColumns(first.first, first.first_id, *(np.concatenate(column) for column in columns))
