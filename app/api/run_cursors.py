"""Cursors of sorted runs: the number that the last run of a page is sorted by, and its own."""

import struct

from app.api.cursors import cursor_of, numbers_of
from app.errors import Invalid, Misfit
from app.training.run_query import RunPlace, RunQuery, RunSort
from app.translation import said

_BITS, _HALVES = struct.Struct(">d"), struct.Struct(">II")
_SORTS = list(RunSort)


def run_cursor(asked: RunQuery, place: RunPlace | None) -> str | None:
    """Return the cursor of the page that follows the place, or None where there is none."""
    if place is None:
        return None
    if _is_newest_first(asked):
        return cursor_of(place.seq)
    halves = _HALVES.unpack(_BITS.pack(place.value or 0.0))
    return cursor_of(_order(asked), int(place.value is None), *halves, place.seq)


def run_place(asked: RunQuery, cursor: str | None) -> RunPlace | None:
    """Return the place that a cursor holds; raises `Invalid` for one that was not given out for this order."""
    if cursor is None:
        return None
    if _is_newest_first(asked):
        seq = numbers_of(cursor, 1)[0]
        return RunPlace(seq, seq)
    order, is_none, high, low, seq = numbers_of(cursor, 5)
    if order != _order(asked) or max(high, low) >= 2**32:
        msg = said("of runs in another order: leave it out to start at the first item")
        raise Invalid(said("cursor: %(msg)s.", msg=msg), (Misfit(("query", "cursor"), msg),))
    return RunPlace(None if is_none else _BITS.unpack(_HALVES.pack(high, low))[0], seq)


def _is_newest_first(asked: RunQuery) -> bool:
    return asked.sort is RunSort.STARTED and asked.is_descending


def _order(asked: RunQuery) -> int:
    return 2 * _SORTS.index(asked.sort) + asked.is_descending
