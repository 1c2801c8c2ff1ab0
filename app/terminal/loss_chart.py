"""Losses as a chart of characters: two by four dots in each, or one star where there are no such signs."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.terminal.figures import loss_text

BRAILLE = 0x2800
# The bit of each dot in a character of Braille, by column and row.
BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
# Losses that spread over more than this are shown by their logarithms.
WIDE = 50.0
GAP = 2


@dataclass(frozen=True, slots=True)
class Points:
    """Finite losses at some epochs, in order."""

    epochs: Sequence[int]
    losses: Sequence[float]

    @classmethod
    def of(cls, epochs: Sequence[int], losses: Sequence[float | None]) -> "Points":
        """Return those that are finite."""
        known = [(epoch, loss) for epoch, loss in zip(epochs, losses, strict=True) if loss is not None]
        return cls([epoch for epoch, _ in known], [loss for _, loss in known])

    @property
    def is_wide(self) -> bool:
        """Whether logarithms show more."""
        return min(self.losses) > 0 and max(self.losses) / min(self.losses) > WIDE


def chart_lines(points: Points, width: int, height: int, *, is_ascii: bool = False) -> list[str]:
    """Return the lines of a chart with its axes, `height` characters for the curve; none where there is nothing."""
    if not points.losses:
        return []
    labels = [loss_text(max(points.losses)), loss_text(min(points.losses))]
    margin = max(map(len, labels)) + GAP
    rows = _rows(points, max(width - margin, 8), height, is_ascii=is_ascii)
    marks = {0: labels[0], height - 1: labels[1]}
    lines = [f"{marks.get(place, ''):>{margin - GAP}}{' ' * GAP}{row}".rstrip() for place, row in enumerate(rows)]
    first, last = f"epoch {points.epochs[0]:,}", f"{points.epochs[-1]:,}"
    scale = ", loss logarithmic" if points.is_wide else ""
    # In a narrow chart the epochs matter more.
    below = f"{first}{scale}" if margin + len(first + scale + last) + GAP <= width else first
    return [*lines, " " * margin + below + last.rjust(max(width - margin - len(below), len(last) + GAP))]


def _rows(points: Points, width: int, height: int, *, is_ascii: bool) -> list[str]:
    across, down = (1, 1) if is_ascii else (2, 4)
    dots = set(_dots(points, width * across, height * down))
    if is_ascii:
        return ["".join("*" if (x, y) in dots else " " for x in range(width)) for y in range(height)]
    cells = [[0] * width for _ in range(height)]
    for x, y in dots:
        cells[y // 4][x // 2] |= BITS[x % 2][y % 4]
    return ["".join(chr(BRAILLE + cell) if cell else " " for cell in row) for row in cells]


def _dots(points: Points, width: int, height: int) -> Iterator[tuple[int, int]]:
    """Yield the dots of the curve, column and row from the top: each point, and what joins it to the one before."""
    values = [math.log(loss) for loss in points.losses] if points.is_wide else list(points.losses)
    least, most = min(values), max(values)
    first, span = points.epochs[0], max(points.epochs[-1] - points.epochs[0], 1)
    before: tuple[int, int] | None = None
    for epoch, value in zip(points.epochs, values, strict=True):
        x = round((epoch - first) / span * (width - 1))
        # Halved first: the distance of two floats may be none.
        part = (value / 2 - least / 2) / (most / 2 - least / 2) if most > least else 0.5
        dot = x, round((1 - part) * (height - 1))
        yield from _joined(before or dot, dot)
        before = dot


def _joined(start: tuple[int, int], stop: tuple[int, int]) -> Iterator[tuple[int, int]]:
    steps = max(abs(stop[0] - start[0]), abs(stop[1] - start[1]), 1)
    for step in range(steps + 1):
        part = step / steps
        yield round(start[0] + (stop[0] - start[0]) * part), round(start[1] + (stop[1] - start[1]) * part)
