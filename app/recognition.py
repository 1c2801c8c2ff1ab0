"""English sentences taken apart again: which known message a finished text was made of, and with what in its places.

What another process said, a library raised or a database kept is text alone; with its message found it can be told in
another language.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_PLACE = re.compile(r"%\((\w+)\)[sr]")
_LETTER = re.compile(r"[A-Za-z]")
# Fewer letters of its own, and a message would be found in texts that others wrote.
FEWEST_LETTERS = 6


class Verbatim(str):
    """What stood in a place; it is the same there whether the message asks for its `str` or for its `repr`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True)
class Found:
    """A message and what stood in each of its places."""

    message: str
    variables: dict[str, Verbatim]


@dataclass(frozen=True, slots=True)
class _Pattern:
    message: str
    pieces: tuple[str, ...]
    names: tuple[str, ...]

    def match(self, text: str) -> dict[str, Verbatim] | None:
        """Return what stands between the pieces, each found at its first place: in one go, however odd the text."""
        first, *inner, last = self.pieces
        if not text.startswith(first):
            return None
        at, values = len(first), []
        for piece in inner:
            found = text.find(piece, at)
            if found < 0:
                return None
            values.append(text[at:found])
            at = found + len(piece)
        end = len(text) - len(last)
        if end < at or not text.endswith(last):
            return None
        return dict(zip(self.names, map(Verbatim, (*values, text[at:end])), strict=True))


class Known:
    """Messages by which texts are found again; the one with the most letters of its own goes first."""

    def __init__(self, messages: Iterable[str]) -> None:
        self._whole: set[str] = set()
        patterns = []
        for message in messages:
            pieces = tuple(piece.replace("%%", "%") for piece in _PLACE.split(message)[::2])
            if len(pieces) == 1:
                self._whole.add(message)
            elif _num_letters(pieces) >= FEWEST_LETTERS:
                patterns.append(_Pattern(message, pieces, tuple(_PLACE.findall(message))))
        self._patterns = sorted(patterns, key=lambda pattern: -sum(map(len, pattern.pieces)))

    def find(self, text: str) -> Found | None:
        """Return the message that the text was made of, or None where no message fits."""
        if text in self._whole:
            return Found(text, {})
        for pattern in self._patterns:
            variables = pattern.match(text)
            if variables is not None:
                return Found(pattern.message, variables)
        return None


def _num_letters(pieces: Iterable[str]) -> int:
    return sum(len(_LETTER.findall(piece)) for piece in pieces)
