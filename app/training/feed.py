"""The live part of one run's log, shared by all who follow it: who keeps up never reads from the database.

It exists while somebody follows the run, and holds the latest few MB; a follower that is behind that, or comes late,
reads pages from the database until it has caught up.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Protocol, TypeAlias

from app.training.events import Wording
from app.training.log import TICKED, Chunk, EventKind

MAX_FEED_BYTES = 4 << 20
MAX_ENCODED = 16
MAX_READ_EVENTS = 1_000


class Follower(Protocol):
    """Who is told what is new."""

    def deliver(self, now: float, *, is_urgent: bool) -> float:
        """Send what is new, and return when to be asked again; epochs alone are not urgent."""

    def beat(self, now: float) -> None:
        """Send a sign of life where nothing else was sent for long."""

    def wake(self) -> None:
        """Look whether this is the end."""


Place: TypeAlias = tuple[int, bool, bool] | tuple[int, Wording]


@dataclass(frozen=True, slots=True)
class News:
    """Events as bytes, the number of the last of them, and whether none follows it."""

    encoded: bytes
    last_id: int
    has_ended: bool


NOTHING = News(b"", 0, False)


class Feed:
    """The latest chunks of one run, and those who are `level` with it: who is behind or not yet there is not."""

    def __init__(self) -> None:
        self.level: dict[Follower, None] = {}
        # The number of the latest event that is told here.
        self.last_id = 0
        self.num_followers = 0
        self.is_gone = False
        self.is_urgent = False
        # The instant of the oldest epoch that is not delivered yet, and when to look again without any news.
        self.oldest_at: float | None = None
        self.again_at = inf
        # The paths of the run's modules as JSON, and what has to wait for them.
        self.paths: str | None = None
        self.held: list[Chunk] | None = None
        self._coming: list[Chunk] = []
        self._chunks: list[Chunk] = []
        self._first_ids: list[int] = []
        self._num_bytes = 0
        self._news: dict[Place, News] = {}
        self._pages: dict[Place, News] = {}

    def add(self, chunks: Sequence[Chunk]) -> None:
        """Take what was committed, which is told from the next round on."""
        self._coming.extend(chunks)

    def begin_round(self) -> None:
        """Append what has come since the last round, and forget what is too long ago.

        All who are told of it in one round then stand at the same place and get the same bytes, however long it takes.
        """
        chunks, self._coming = self._coming, []
        if not chunks:
            return
        self._chunks.extend(chunks)
        self.last_id = self._chunks[-1].last_id
        self._first_ids.extend(chunk.first_id for chunk in chunks)
        self._num_bytes += sum(len(chunk.payload) for chunk in chunks)
        surplus = 0
        while self._num_bytes > MAX_FEED_BYTES and surplus < len(self._chunks) - 1:
            self._num_bytes -= len(self._chunks[surplus].payload)
            surplus += 1
        if surplus:
            del self._chunks[:surplus], self._first_ids[:surplus]
        self._news.clear()
        # What comes with every batch of a worker may be collected for a while.
        self.is_urgent = self.is_urgent or any(chunk.kind not in TICKED for chunk in chunks)
        if self.oldest_at is None:
            self.oldest_at = next((chunk.base_at for chunk in chunks if chunk.kind is EventKind.EPOCHS), None)

    def news(self, cursor: int, wording: Wording) -> News | None:
        """Return the next events over `cursor`, or None where older ones are needed than are held.

        The bytes are made once for all who stand at the same place.
        """
        place = _place(cursor, wording)
        if (news := self._news.get(place)) is not None:
            return news
        if not self.holds(cursor):
            return self._pages.get(place)
        if self.last_id <= cursor:
            return NOTHING
        news = news_of(self._after(cursor), cursor, wording, self.paths or "[]")
        if len(self._news) < MAX_ENCODED:
            self._news[place] = news
        return news

    def holds(self, cursor: int) -> bool:
        """Return whether all events over `cursor` are held, those that are still to come too."""
        return bool(self._first_ids) and self._first_ids[0] <= cursor + 1

    def page(self, cursor: int, wording: Wording) -> News | None:
        """Return older events over `cursor` that somebody read from the database lately."""
        return self._pages.get(_place(cursor, wording))

    def keep_page(self, cursor: int, wording: Wording, news: News) -> None:
        """Keep a page of older events for those who come to the same place: who begins at the start comes to all."""
        if len(self._pages) >= MAX_ENCODED:
            self._pages.pop(next(iter(self._pages)))
        self._pages[_place(cursor, wording)] = news

    def _after(self, cursor: int) -> Sequence[Chunk]:
        place = bisect_right(self._first_ids, cursor + 1) - 1
        until = bisect_right(self._first_ids, cursor + MAX_READ_EVENTS)
        return self._chunks[place:until]


def _place(cursor: int, wording: Wording) -> Place:
    return (cursor, wording.is_batched, wording.has_modules) if wording.run is None else (cursor, wording)


def news_of(chunks: Sequence[Chunk], cursor: int, wording: Wording, paths: str) -> News:
    """Return the first of the events of some chunks over `cursor`, about as many as are sent at once."""
    encoded, last_id = wording.encode_some(chunks, cursor, paths)
    has_ended = bool(chunks) and chunks[-1].kind is EventKind.END and chunks[-1].last_id == last_id
    return News(encoded, last_id, has_ended)
