"""The live part of run logs, shared by all who follow them: who keeps up never reads from the database.

    publish (after the commit) -> Feed, one a followed run -> wakes its followers

A feed exists while somebody follows the run. It holds the latest few MB; a follower that is behind that, or comes late,
reads pages from the database until it has caught up. All of this happens on the web server's event loop.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from app.training.events import Wording
from app.training.log import Chunk, EventKind

MAX_FEED_BYTES = 4 << 20
MAX_ENCODED = 16
MAX_READ_EVENTS = 8_000

Published: TypeAlias = Sequence[tuple[str, Sequence[Chunk]]]
ReadEvents: TypeAlias = Callable[[str, int, int], Sequence[Chunk]]


class Follower(Protocol):
    """Who waits for more."""

    def wake(self, *, is_urgent: bool) -> None:
        """Look again for what is new; epochs alone are not urgent."""


class Feed:
    """The latest chunks of one run, and who waits for more."""

    def __init__(self) -> None:
        self.followers: set[Follower] = set()
        self.is_gone = False
        self._chunks: list[Chunk] = []
        self._first_ids: list[int] = []
        self._num_bytes = 0
        self._encoded: dict[tuple[int, int, bool], bytes] = {}

    @property
    def last_id(self) -> int:
        """The number of the latest event that was published here, 0 before the first."""
        return self._chunks[-1].last_id if self._chunks else 0

    def add(self, chunks: Sequence[Chunk]) -> None:
        """Append what was committed, and forget what is too long ago."""
        self._chunks.extend(chunks)
        self._first_ids.extend(chunk.first_id for chunk in chunks)
        self._num_bytes += sum(len(chunk.payload) for chunk in chunks)
        surplus = 0
        while self._num_bytes > MAX_FEED_BYTES and surplus < len(self._chunks) - 1:
            self._num_bytes -= len(self._chunks[surplus].payload)
            surplus += 1
        if surplus:
            del self._chunks[:surplus], self._first_ids[:surplus]
        self._encoded.clear()

    def after(self, cursor: int) -> Sequence[Chunk] | None:
        """Return the next chunks with events over `cursor`, or None where older ones are needed than are held."""
        if self.last_id <= cursor:
            return ()
        place = bisect_right(self._first_ids, cursor + 1) - 1
        until = bisect_right(self._first_ids, cursor + MAX_READ_EVENTS)
        return self._chunks[place:until] if place >= 0 else None

    def encoded(self, chunks: Sequence[Chunk], cursor: int, wording: Wording) -> bytes:
        """Return the events as bytes, made once for all who stand at the same place."""
        if wording.run is not None:
            return wording.encode(chunks, cursor)
        key = (cursor, chunks[-1].last_id, wording.is_batched)
        encoded = self._encoded.get(key)
        if encoded is None:
            encoded = wording.encode(chunks, cursor)
            if len(self._encoded) < MAX_ENCODED:
                self._encoded[key] = encoded
        return encoded


class Feeds:
    """The feeds of all runs that somebody follows."""

    def __init__(self, read_events: ReadEvents) -> None:
        self.read_events = read_events
        self.num_followers = 0
        self._feeds: dict[str, Feed] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self.is_closing = False

    def open(self) -> None:
        """Take the running event loop for that of all who will follow."""
        self._loop = asyncio.get_running_loop()

    def publish(self, published: Published) -> None:
        """Tell the followers what was committed; to be called from another thread, after the commit."""
        # Who begins to follow after this line reads the database after it too, and finds there what is not told here.
        if self._feeds and self._loop is not None:
            self._loop.call_soon_threadsafe(self._publish, published)

    def forget(self, run: str) -> None:
        """End the streams of a run that was deleted; to be called from another thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._forget, run)

    def close(self) -> None:
        """End all streams, now and from now on."""
        self.is_closing = True
        for feed in self._feeds.values():
            for follower in feed.followers:
                follower.wake(is_urgent=True)

    def follow(self, follower: Follower, run: str) -> Feed:
        """Return the run's feed; `follower` is woken when it grows, until it leaves."""
        feed = self._feeds.setdefault(run, Feed())
        feed.followers.add(follower)
        return feed

    def leave(self, follower: Follower, run: str) -> None:
        """Let go of a feed."""
        feed = self._feeds[run]
        feed.followers.discard(follower)
        if not feed.followers:
            del self._feeds[run]

    def _publish(self, published: Published) -> None:
        for run, chunks in published:
            feed = self._feeds.get(run)
            if feed is not None and chunks:
                feed.add(chunks)
                is_urgent = any(chunk.kind is not EventKind.EPOCHS for chunk in chunks)
                for follower in feed.followers:
                    follower.wake(is_urgent=is_urgent)

    def _forget(self, run: str) -> None:
        if (feed := self._feeds.get(run)) is not None:
            feed.is_gone = True
            for follower in feed.followers:
                follower.wake(is_urgent=True)
