"""Bytes of a stream read at so little cost that one process can be thousands of its readers.

Many readers get the same bytes: these are read once, and then only known again.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

EVENT = re.compile(
    rb'id: (\d+)\nevent: (\w+)\ndata: \{(?:"epoch":(?:\[(\d+),(\d+)\]|\d+,"loss":[^,]+,"at":"([^"]+)"))?'
)
WHOLE = b"\n\n\r\n"


@dataclass(slots=True, eq=False)
class Piece:
    """Whole events as they came at once: the number of the first, how many, each epoch's instant; and when it came."""

    first_id: int
    num_events: int
    at: NDArray[np.float64]
    is_last: bool
    seen: list[float] = field(default_factory=list)


def read_piece(data: bytes) -> tuple[Piece, bytes, bytes]:
    """Return the whole events in some bytes, these bytes, and the bytes of an event that is not whole.

    Raises AssertionError where an event is missing between them.
    """
    end = data.rfind(WHOLE)
    end = 0 if end < 0 else end + len(WHOLE)
    if data.endswith(b"\r\n0\r\n\r\n"):
        end = len(data)
    found = EVENT.findall(data[:end])
    # The number of an event of many epochs is that of the last of them.
    last = [int(number) for number, *_ in found]
    counts = [int(stop) - int(first) + 1 if stop else 1 for _, _, first, stop, _ in found]
    for place in range(1, len(found)):
        assert last[place] - counts[place] == last[place - 1], f"events are missing before {last[place]}"
    at = [datetime.fromisoformat(text.decode()).timestamp() for *_, text in found if text]
    is_last = any(kind == b"end" for _, kind, *_ in found)
    first_id = last[0] - counts[0] + 1 if found else 0
    return Piece(first_id, sum(counts), np.array(at), is_last), data[:end], data[end:]
