"""A page of a tensor's values as a table: one line of it a row, the last dimension's numbers side by side."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.pages import filters
from app.trees.rows import ValuesPage

MOST_ACROSS = 16
ACROSS = 8


@dataclass(frozen=True, slots=True)
class ValueCell:
    """One value; one that is not finite is a word."""

    text: str
    is_odd: bool


@dataclass(frozen=True, slots=True)
class ValueRow:
    """Values that lie next to each other, under the index of the first."""

    index: str
    cells: tuple[ValueCell, ...]


@dataclass(frozen=True, slots=True)
class ValueTable:
    """A page of values, and where the others are; empty addresses lead nowhere."""

    columns: tuple[str, ...]
    rows: tuple[ValueRow, ...]
    start: int
    last: int
    total: int
    first_url: str
    previous_url: str
    next_url: str


def value_table(page: ValuesPage, shape: Sequence[int], count: int, url: Callable[[int], str]) -> ValueTable:
    """Return the table of a page of up to `count` values; `url` gives the address of the page from an element on."""
    values = page.values if isinstance(page.values, list) else []
    width = shape[-1] if shape else 1
    across = width if width <= MOST_ACROSS else ACROSS
    stop = page.start + len(values)
    return ValueTable(
        columns=tuple(str(column) if across == width else f"+{column}" for column in range(across)),
        rows=tuple(_rows(values, page.start, shape, width, across)),
        start=page.start,
        last=stop - 1,
        total=page.total,
        first_url=url(0) if page.start else "",
        previous_url=url(max(0, page.start - count)) if page.start > count else "",
        next_url=url(stop) if values and stop < page.total else "",
    )


def _rows(values: Sequence[object], start: int, shape: Sequence[int], width: int, across: int) -> list[ValueRow]:
    rows, at = [], 0
    while at < len(values):
        place = start + at
        left = place % width
        # A page may begin within a row.
        step = min(across - left % across, width - left)
        cells = [_cell(value) for value in values[at : at + step]]
        blanks = [ValueCell("", False)] * (left % across)
        rows.append(ValueRow(index_text(place - left % across, shape), (*blanks, *cells)))
        at += step
    return rows


def index_text(place: int, shape: Sequence[int]) -> str:
    """Return where an element of a flattened tensor stands in its dimensions: `[0, 8]`."""
    index: list[int] = []
    for size in reversed(shape):
        place, at = divmod(place, size)
        index.append(at)
    return str(index[::-1])


def _cell(value: Any) -> ValueCell:
    if isinstance(value, list):
        real, imaginary = (filters.value(part) for part in value)
        sign = "" if imaginary.startswith(filters.MINUS) else "+"
        return ValueCell(f"{real}{sign}{imaginary}j", not all(map(math.isfinite, value)))
    return ValueCell(filters.value(value), not math.isfinite(value))
