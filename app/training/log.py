"""The event log of a run, in chunks: events are numbered from 1 without gaps, and epochs are kept by column."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

# How each column is packed where a chunk does not say otherwise, in the order of the payload; loss and at are always
# there, and any other only in the chunks where an epoch has a number in it. `at` is in seconds after `base_at`.
LAYOUT: Mapping[str, str] = {
    "loss": "<f8",
    "at": "<f4",
    "slope": "<f4",
    "intercept": "<f4",
    "validation_loss": "<f8",
    "lr": "<f8",
}
ALWAYS = frozenset({"loss", "at"})
# Of a chunk that lasts: `at` is in seconds since 1970.
LASTING = {**LAYOUT, "at": "<f8"}
# The number of an event, less that of the chunk's first.
ID = "<u4"
ID_BYTES = 4


class EventKind(StrEnum):
    """What a chunk holds: many epochs, the statistics of modules at many epochs, or one event of another kind."""

    EPOCHS = "epochs"
    MODULES = "modules"
    STATUS = "status"
    END = "end"


# What comes with every batch of a worker.
TICKED = frozenset({EventKind.EPOCHS, EventKind.MODULES})


@dataclass(frozen=True, slots=True)
class Chunk:
    """Events `first_id` to `last_id`; where there are `ids`, those of them that are in there as `ID`s.

    The payload is packed columns for epochs and modules, else the JSON that the event says. `columns` names those of
    epochs with their types, `loss:<f8,at:<f4`; one that was kept before chunks said so has "".
    """

    first_id: int
    last_id: int
    kind: EventKind
    payload: bytes
    first_epoch: int | None = None
    last_epoch: int | None = None
    base_at: float = 0.0
    columns: str = ""
    ids: bytes = b""

    def __len__(self) -> int:
        return len(self.ids) // ID_BYTES or self.last_id - self.first_id + 1


@dataclass(frozen=True, slots=True)
class EpochColumns:
    """Epochs `first`, `first + 1`, ... with the number of their first event.

    `at` is in seconds since 1970; every other column is NaN where there is nothing to say: slope and intercept where
    they were not looked at, `validation_loss` without a validation split, `lr` without a schedule.
    """

    first: int
    first_id: int
    loss: Floats
    at: Floats
    slope: Floats
    intercept: Floats
    validation_loss: Floats
    lr: Floats

    def __len__(self) -> int:
        return len(self.loss)

    def after(self, count: int) -> "EpochColumns":
        """Return the columns without the first `count` epochs."""
        columns = (getattr(self, name)[count:] for name in LAYOUT)
        return EpochColumns(self.first + count, self.first_id + count, *columns)

    def until(self, count: int) -> "EpochColumns":
        """Return the first `count` epochs."""
        return EpochColumns(self.first, self.first_id, *(getattr(self, name)[:count] for name in LAYOUT))


def pack_epochs(columns: Mapping[str, Floats], layout: Mapping[str, str] = LAYOUT) -> tuple[str, bytes]:
    """Return the names and types of the columns, and one payload of them; what is NaN throughout is left out.

    `at` is in seconds after the chunk's `base_at`.
    """
    kept = {
        name: columns[name].astype(kind, copy=False)
        for name, kind in layout.items()
        if name in columns and (name in ALWAYS or not np.isnan(columns[name]).all())
    }
    said = ",".join(f"{name}:{layout[name]}" for name in kept)
    return said, b"".join(column.tobytes() for column in kept.values())


def unpack_epochs(chunk: Chunk) -> EpochColumns:
    """Return the columns of a chunk of epochs, without copying them."""
    count, payload, start = len(chunk), chunk.payload, 0
    found: dict[str, Floats] = {}
    for name, kind in layout_of(chunk):
        found[name] = np.frombuffer(payload, kind, count, start)
        start += found[name].nbytes
    assert chunk.first_epoch is not None
    nothing = np.full(count, np.nan, "<f4")
    found["at"] = chunk.base_at + found["at"].astype("<f8")
    return EpochColumns(chunk.first_epoch, chunk.first_id, *(found.get(name, nothing) for name in LAYOUT))


def layout_of(chunk: Chunk) -> list[tuple[str, str]]:
    """Return the columns of a chunk of epochs with their types, in their order."""
    if chunk.columns:
        return _said_layout(chunk.columns)
    # Before chunks said it themselves they held the first two columns or the first four.
    names = list(LAYOUT.items())
    return names[:2] if len(chunk.payload) == 12 * len(chunk) else names[:4]


@lru_cache(16)
def _said_layout(columns: str) -> list[tuple[str, str]]:
    return [(name, kind) for name, _, kind in (each.partition(":") for each in columns.split(","))]


def joined(parts: "list[EpochColumns]") -> EpochColumns:
    """Return neighbouring epochs as one, from a list that is not empty."""
    first = parts[0]
    if len(parts) == 1:
        return first
    columns = (np.concatenate([getattr(part, name) for part in parts]) for name in LAYOUT)
    return EpochColumns(first.first, first.first_id, *columns)
