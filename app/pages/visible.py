"""Names from outside, made safe to look at: what cannot be seen is written as an escape."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_JOINS = "\u200d"
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"}


def visible(text: str) -> str:
    r"""Return the text with control, direction and invisible characters as `\n`, `\x1b`, `\u202e`.

    A space at either end is `\x20`, any other space than U+0020 is escaped; the joiner inside an emoji stays.
    """
    shown = "".join(_shown(char) for char in text)
    core = shown.strip(" ")
    left = len(shown) - len(shown.lstrip(" "))
    return "\\x20" * left + core + "\\x20" * (len(shown) - left - len(core))


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a name as it is shown; marked where a search asked for it."""

    text: str
    is_marked: bool = False


def pieces(text: str, spans: Sequence[tuple[int, int]], most: int = 80) -> tuple[Piece, ...]:
    """Return `visible(text)` cut at the ends of the spans; a longer text is `clipped`, without marks."""
    if len(text) > most:
        return (Piece(clipped(text, most)),)
    shown = [_shown(char) for char in text]
    for at in (*range(len(text) - len(text.lstrip(" "))), *range(len(text.rstrip(" ")), len(text))):
        shown[at] = "\\x20"
    ends = [0, *(end for span in spans for end in span), len(text)]
    made = (Piece("".join(shown[start:stop]), at % 2 == 1) for at, (start, stop) in enumerate(pairwise(ends)))
    return tuple(piece for piece in made if piece.text)


def clipped(text: str, most: int = 80) -> str:
    """Return `visible(text)`, its middle left out where it is longer than `most` characters."""
    if len(text) > most:
        head, tail = most - most // 4 - 1, most // 4
        return f"{visible(text[:head])}…{visible(text[-tail:])}"
    return visible(text)


def _shown(char: str) -> str:
    if char in (" ", _JOINS) or char.isprintable():
        return char
    if unicodedata.category(char) in _HIDDEN or char.isspace():
        return char.encode("unicode_escape").decode("ascii")
    return char


def printed(text: str) -> str:
    """Return a text of several lines with what cannot be seen escaped; line breaks and spaces stay."""
    return "".join(char if char == "\n" else _shown(char) for char in text)


def quoted(text: str) -> str:
    """Return the text as a Python string, in double quotes where it holds none."""
    return repr(text) if '"' in text else '"' + repr("'" + text)[2:]
