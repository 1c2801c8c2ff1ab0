"""One stream over the events of one run or several: bytes for a client, from wherever it left off to the end.

Feed (in memory, live)  |  the database (in pages, of what is older)  ->  Subscription  ->  bytes
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from app.training.events import Wording
from app.training.feed import MAX_READ_EVENTS, Feed, Feeds
from app.training.log import Chunk, EventKind

HEARTBEAT_S = 15.0


@dataclass(slots=True, eq=False)
class Cursor:
    """How far one run was read: `id` is the number of the last event, and `has_ended` whether none follows it."""

    run: str
    id: int = 0
    has_ended: bool = False
    feed: Feed = field(default_factory=Feed)
    has_caught_up: bool = False


class Subscription:
    """One stream over one or several runs.

    `batch_s` is the least time between two pieces; where it is not 0, neighbouring epochs come as one event. `name`
    begins the ids of a stream over several runs.
    """

    def __init__(self, feeds: Feeds, cursors: Sequence[Cursor], *, batch_s: float = 0, name: str = "") -> None:
        self._feeds = feeds
        self._cursors = cursors
        self._batch_s = batch_s
        self._name = name
        self._news: asyncio.Future[bool] | None = None
        self._is_resting = False
        self._is_urgent = False
        self._is_left = False

    def wake(self, *, is_urgent: bool) -> None:
        """Look again for what is new; epochs alone are not urgent, and may first be collected for a while."""
        self._is_urgent = self._is_urgent or is_urgent
        if is_urgent or not self._is_resting:
            self._settle(True)

    def leave(self) -> None:
        """End: whoever read this is gone."""
        self._is_left = True
        self._settle(True)

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield bytes, all that is new at once, until every run ended; an empty piece after 15 seconds without any."""
        loop = asyncio.get_running_loop()
        self._feeds.num_followers += 1
        for cursor in self._cursors:
            cursor.feed = self._feeds.follow(self, cursor.run)
        try:
            while not self._is_over():
                self._news = loop.create_future()
                self._is_urgent = False
                if piece := await self._read():
                    yield piece
                    await self._rest()
                elif not await self._is_news(HEARTBEAT_S):
                    yield b""
        finally:
            self._feeds.num_followers -= 1
            for cursor in self._cursors:
                self._feeds.leave(self, cursor.run)

    def _is_over(self) -> bool:
        return self._is_left or self._feeds.is_closing or all(cursor.has_ended for cursor in self._cursors)

    async def _rest(self) -> None:
        if self._batch_s and not self._is_urgent and not self._is_over():
            self._is_resting = True
            self._news = asyncio.get_running_loop().create_future()
            await self._is_news(self._batch_s)
            self._is_resting = False

    async def _is_news(self, timeout_s: float) -> bool:
        assert self._news is not None
        timer = asyncio.get_running_loop().call_later(timeout_s, self._settle, False)
        try:
            return await self._news
        finally:
            timer.cancel()

    def _settle(self, is_news: bool) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(is_news)

    async def _read(self) -> bytes:
        return b"".join([await self._read_one(cursor) for cursor in self._cursors])

    async def _read_one(self, cursor: Cursor) -> bytes:
        chunks = cursor.feed.after(cursor.id)
        if chunks:
            encoded = cursor.feed.encoded(chunks, cursor.id, self._wording(cursor))
        elif chunks is None or not cursor.has_caught_up:
            chunks, encoded = await asyncio.to_thread(self._read_kept, cursor)
        if cursor.feed.is_gone:
            cursor.has_ended = True
        if not chunks:
            return b""
        cursor.id = chunks[-1].last_id
        # A run that was interrupted may go on after its end, while others keep the stream open.
        cursor.has_ended = chunks[-1].kind is EventKind.END or cursor.feed.is_gone
        return encoded

    def _read_kept(self, cursor: Cursor) -> tuple[Sequence[Chunk], bytes]:
        chunks = self._feeds.read_events(cursor.run, cursor.id, MAX_READ_EVENTS)
        # Less than was asked for is all there was: what is committed from now on is told by the feed.
        cursor.has_caught_up = sum(map(len, chunks)) < MAX_READ_EVENTS
        return chunks, self._wording(cursor).encode(chunks, cursor.id)

    def _wording(self, cursor: Cursor) -> Wording:
        is_batched = self._batch_s > 0
        if len(self._cursors) == 1 and not self._name:
            return Wording(is_batched)
        place = self._cursors.index(cursor)
        ids = [str(each.id) for each in self._cursors]
        before = ".".join([self._name, *ids[:place]]) + "."
        return Wording(is_batched, before, "".join(f".{number}" for number in ids[place + 1 :]), cursor.run)
