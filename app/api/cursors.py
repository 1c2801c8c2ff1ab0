"""Cursors: where the next page of a list starts; opaque to clients."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

from app.errors import Invalid, Misfit
from app.translation import said

_PLAIN = re.compile(rb"[0-9]{1,18}(?:\.[0-9]{1,18})*")


def cursor_of(*numbers: int) -> str:
    """Return the cursor that holds the numbers."""
    return urlsafe_b64encode(b".".join(b"%d" % number for number in numbers)).rstrip(b"=").decode()


def start_of(cursor: str | None, revision: int) -> int:
    """Return the item that a page of a tree's list begins with, 0 without a cursor of (revision, item).

    Raises `Invalid` for one of another revision: pages of two revisions would not make one list.
    """
    if cursor is None:
        return 0
    of, start = numbers_of(cursor, 2)
    if of != revision:
        raise _refused(
            said(
                "of revision %(of)s, and the tree is at revision %(revision)s: leave it out to start again",
                of=of,
                revision=revision,
            )
        )
    return start


def numbers_of(cursor: str, count: int) -> tuple[int, ...]:
    """Return the numbers in a cursor; raises `Invalid` for one that was not given out."""
    plain = _decoded(cursor)
    numbers = tuple(map(int, plain.split(b"."))) if _PLAIN.fullmatch(plain) else ()
    if len(numbers) != count:
        raise _refused(said("not a cursor that this server gave: leave it out to start at the first item"))
    return numbers


def _decoded(cursor: str) -> bytes:
    try:
        return urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        return b""


def _refused(msg: str) -> Invalid:
    return Invalid(said("cursor: %(msg)s.", msg=msg), (Misfit(("query", "cursor"), msg),))
