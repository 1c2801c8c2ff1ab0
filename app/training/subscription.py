"""One stream over the events of one run or several: bytes for a client, from wherever it left off to the end.

the database (in pages, of what is older)  |  Feed (in memory)  ->  a task, until it is level with its feeds
a round of the feeds  ->  deliver, without a task            ->  a task again, where the client reads too slowly
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import TypeAlias

from app.training.events import Wording
from app.training.feed import MAX_READ_EVENTS, NOTHING, Feed, News, news_of
from app.training.feeds import HEARTBEAT_S, Feeds
from app.training.log import EventKind
from app.training.sending import Sending, begun

Write: TypeAlias = Callable[[bytes, bool], Awaitable[object]]

# Shared by all streams over one run.
SINGLE = {
    (is_batched, has_modules): Wording(is_batched, has_modules=has_modules)
    for is_batched in (False, True)
    for has_modules in (False, True)
}


@dataclass(slots=True, eq=False)
class Cursor:
    """How far one run was read: `id` is the number of the last event, and `has_ended` whether none follows it.

    `has_caught_up` says that the database holds nothing more that its feed will not tell.
    """

    run: str
    id: int = 0
    has_ended: bool = False
    has_caught_up: bool = False
    feed: Feed = field(init=False)


class Subscription:
    """One stream over one or several runs.

    `batch_s` is about the time between two pieces; where it is not 0, neighbouring epochs come as one event. `name`
    begins the ids of a stream over several runs. Without `has_modules` there are no events with statistics of modules.
    """

    __slots__ = (
        "_batch_s",
        "_cursors",
        "_due",
        "_feeds",
        "_is_left",
        "_name",
        "_sent_at",
        "_single",
        "_task",
        "_write",
    )

    def __init__(
        self,
        feeds: Feeds,
        cursors: Sequence[Cursor],
        *,
        batch_s: float = 0,
        name: str = "",
        has_modules: bool = True,
    ) -> None:
        self._feeds = feeds
        self._cursors = cursors
        self._batch_s = batch_s
        self._name = name
        self._single = SINGLE[batch_s > 0, has_modules]
        self._write: Write = _nowhere
        self._task: asyncio.Task[None] | None = None
        self._due = self._sent_at = -inf
        self._is_left = False

    def begin(self, write: Write) -> None:
        """Write all that there is and all that comes; `write` is given bytes, and whether more will follow.

        It is given no bytes as a sign of life, after 15 seconds without any, and at the end.
        """
        self._write = write
        self._feeds.num_followers += 1
        for cursor in self._cursors:
            cursor.feed = self._feeds.follow(cursor.run)
        self._go_on(None)

    def leave(self) -> None:
        """End, since whoever read this is gone; to be called once after `begin`, also where all was written."""
        self._is_left = True
        self._feeds.num_followers -= 1
        for cursor in self._cursors:
            self._feeds.leave(cursor.run, cursor.feed, self)
        if self._task is not None:
            self._task.cancel()

    def deliver(self, now: float, *, is_urgent: bool) -> float:
        """Send what is new, and return when to be asked again; epochs may first be collected for a while."""
        if self._batch_s and not is_urgent and now < self._due:
            return self._due
        # The same moments for all, so that they stand at the same place and get the same bytes.
        self._due = now - now % self._batch_s + self._batch_s if self._batch_s else now
        piece, sending = self._take(), None
        if piece:
            self._sent_at = now
            sending = begun(self._write(piece, True))
        if sending is not None or piece is None or not self._is_level() or self._is_over():
            self._go_on(sending)
        return inf

    def beat(self, now: float) -> None:
        """Send a sign of life where nothing else was sent for long."""
        if now - self._sent_at >= HEARTBEAT_S:
            self._sent_at = now
            if (sending := begun(self._write(b"", True))) is not None:
                self._go_on(sending)

    def wake(self) -> None:
        """Look whether this is the end."""
        self._go_on(None)

    def _go_on(self, sending: Sending | None) -> None:
        for cursor in self._cursors:
            cursor.feed.level.pop(self, None)
        self._task = asyncio.get_running_loop().create_task(self._catch_up(sending))

    async def _catch_up(self, sending: Sending | None) -> None:
        has_caught_up = False
        try:
            if sending is not None:
                await sending
            has_caught_up = await self._come_level()
        finally:
            # Whatever went wrong: a client whose stream ends comes back.
            if not has_caught_up and not self._is_left:
                await self._write(b"", False)

    async def _come_level(self) -> bool:
        """Return whether there is nothing left but what will come, and not the end."""
        loop = asyncio.get_running_loop()
        while not self._is_over():
            piece = self._take()
            if piece is None:
                piece = await self._read_kept()
            elif not piece and self._is_level():
                self._sent_at, self._task = loop.time(), None
                for cursor in self._cursors:
                    cursor.feed.level[self] = None
                return True
            if piece:
                await self._write(piece, True)
        return False

    def _is_over(self) -> bool:
        if self._is_left or self._feeds.is_closing:
            return True
        # A loop, here and below: a generator costs three times as much, for each of thousands.
        for cursor in self._cursors:  # noqa: SIM110
            if not (cursor.has_ended or cursor.feed.is_gone):
                return False
        return True

    def _is_level(self) -> bool:
        for cursor in self._cursors:  # noqa: SIM110
            if cursor.feed.last_id > cursor.id and not cursor.feed.is_gone:
                return False
        return True

    def _take(self) -> bytes | None:
        """Return what is new in memory, or None where nothing is before the database was read."""
        pieces = b""
        for cursor in self._cursors:
            news = self._news(cursor)
            if news is not None:
                # The very bytes that the others get, where there is but one run.
                pieces = pieces + _read(cursor, news) if pieces else _read(cursor, news)
            elif not cursor.feed.is_gone:
                return pieces or None
        return pieces

    def _news(self, cursor: Cursor) -> News | None:
        if not cursor.has_caught_up:
            cursor.has_caught_up = cursor.feed.holds(cursor.id)
        elif cursor.feed.last_id <= cursor.id:
            return NOTHING
        return cursor.feed.news(cursor.id, self._wording(cursor))

    async def _read_kept(self) -> bytes:
        """Return what the database has for the first cursor that needs it."""
        cursor = next(each for each in self._cursors if not each.feed.is_gone and self._news(each) is None)
        wording = self._wording(cursor)
        news, cursor.has_caught_up = await asyncio.to_thread(self._read_page, cursor, wording)
        if news is None:
            cursor.feed.is_gone = True
            return b""
        if not cursor.has_caught_up and not news.has_ended:
            cursor.feed.keep_page(cursor.id, wording, news)
        return _read(cursor, news)

    def _read_page(self, cursor: Cursor, wording: Wording) -> tuple[News | None, bool]:
        # Somebody else may have read it while this waited for its turn.
        if (page := cursor.feed.page(cursor.id, wording)) is not None:
            return page, False
        # From the event that was read last: a run without even that one was deleted.
        chunks = self._feeds.read_events(cursor.run, max(cursor.id - 1, 0), MAX_READ_EVENTS)
        if not chunks:
            return None, False
        has_modules = wording.has_modules and any(chunk.kind is EventKind.MODULES for chunk in chunks)
        paths = self._feeds.paths(cursor.run, cursor.feed) if has_modules else "[]"
        news = news_of(chunks, cursor.id, wording, paths)
        # Less than was asked for is all there was: what is committed from now on is told by the feed.
        is_all = sum(map(len, chunks)) < MAX_READ_EVENTS and news.last_id == chunks[-1].last_id
        return news, is_all

    def _wording(self, cursor: Cursor) -> Wording:
        if not self._name:
            return self._single
        place = self._cursors.index(cursor)
        ids = [str(each.id) for each in self._cursors]
        before = ".".join([self._name, *ids[:place]]) + "."
        after = "".join(f".{number}" for number in ids[place + 1 :])
        return replace(self._single, before=before, after=after, run=cursor.run)


def _read(cursor: Cursor, news: News) -> bytes:
    # Also where all that is new is left out of the stream.
    if news.last_id > cursor.id:
        cursor.id = news.last_id
        # A run that was interrupted may go on after its end, while others keep the stream open.
        cursor.has_ended = news.has_ended
    return news.encoded


async def _nowhere(piece: bytes, has_more: bool) -> None:
    """Write nothing: the stream has not begun."""
