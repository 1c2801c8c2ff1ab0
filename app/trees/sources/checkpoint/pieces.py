"""Where the text of a JSON object of objects can be cut, so that what is before is whole entries."""

from dataclasses import dataclass

import numpy as np

_WINDOW = 65_536
_MOST_SPACE = 256
_SPACE = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Cut:
    """The entries before end at `end`; the next entry's name begins at `start_of_next`."""

    end: int
    start_of_next: int


def likely_cut(text: bytes) -> Cut | None:
    """Return the last place that looks like a cut; it may lie within a name."""
    at = text.rfind(b'},"')
    return Cut(at + 1, at + 2) if at >= 0 else None


def exact_cut(text: bytes) -> Cut | None:
    """Return the last cut in the last 64 KiB that does not lie within a string; `text` begins outside of one."""
    plain = text.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    start = max(0, len(plain) - _WINDOW)
    num_before = plain.count(b'"', 0, start)
    quotes = np.flatnonzero(np.frombuffer(plain, np.uint8, offset=start) == ord('"')) + start
    for opening in reversed(quotes[num_before % 2 :: 2].tolist()):
        before = plain[max(0, opening - _MOST_SPACE) : opening]
        comma = before.rstrip(_SPACE)
        brace = comma.removesuffix(b",").rstrip(_SPACE)
        if comma.endswith(b",") and brace.endswith(b"}"):
            return Cut(opening - len(before) + len(brace), opening)
    return None
