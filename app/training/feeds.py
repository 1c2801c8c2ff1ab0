"""The feeds of all runs that somebody follows, and the rounds in which their followers are told what is new.

    publish (after the commit) -> Feed -> a round, one each 16 ms at most -> each follower that is level with it

All of this happens on the web server's event loop. A round is one task for all followers: a task, a future and a timer
for each would cost more than to write the bytes.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from math import inf
from typing import Any, TypeAlias

import msgspec

from app.errors import ModuletreeError
from app.training.feed import Feed, Follower
from app.training.log import Chunk, EventKind

TICK_S = 0.016
HEARTBEAT_S = 15.0
LOOK_S = 1.0
# After so many followers all else that the server does has its turn.
SLICE = 100

Published: TypeAlias = Sequence[tuple[str, Sequence[Chunk]]]
ReadEvents: TypeAlias = Callable[[str, int, int], Sequence[Chunk]]
PathsOf: TypeAlias = Callable[[str], Sequence[str]]


class Feeds:
    """Feeds by run. `paths_of` names the modules that the statistics of a run speak of, and is called in a thread."""

    def __init__(self, read_events: ReadEvents, paths_of: PathsOf) -> None:
        self.read_events = read_events
        self.num_followers = 0
        self.is_closing = False
        # Told after each round how long ago the oldest epoch was that it delivered.
        self.observe: Callable[[float], None] = lambda seconds: None
        self._paths_of = paths_of
        self._feeds: dict[str, Feed] = {}
        self._waiting: dict[Feed, None] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}

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
            for follower in tuple(feed.level):
                follower.wake()

    def follow(self, run: str) -> Feed:
        """Return the run's feed, for one follower more."""
        feed = self._feeds.setdefault(run, Feed())
        feed.num_followers += 1
        self._begin("beats", self._keep_open)
        return feed

    def leave(self, run: str, feed: Feed, follower: Follower) -> None:
        """Let go of a feed."""
        feed.level.pop(follower, None)
        feed.num_followers -= 1
        if not feed.num_followers and self._feeds.get(run) is feed:
            del self._feeds[run]

    def paths(self, run: str, feed: Feed) -> str:
        """Return the paths of a run's modules as JSON, made once; reads the database."""
        if feed.paths is None:
            feed.paths = msgspec.json.encode(self._paths_of(run)).decode()
        return feed.paths

    def _publish(self, published: Published) -> None:
        for run, chunks in published:
            feed = self._feeds.get(run)
            if feed is None or not chunks:
                continue
            if feed.held is not None:
                feed.held.extend(chunks)
            elif feed.paths is None and any(chunk.kind is EventKind.MODULES for chunk in chunks):
                feed.held = list(chunks)
                # Of this feed: another one of the run, whose followers have left, may still wait for its own.
                self._begin(f"paths for {id(feed)}", partial(self._read_paths, run, feed))
            else:
                feed.add(chunks)
                self._tell(feed)

    async def _read_paths(self, run: str, feed: Feed) -> None:
        with suppress(ModuletreeError):  # it may be gone by now
            await asyncio.to_thread(self.paths, run, feed)
        held, feed.held = feed.held or [], None
        feed.add(held)
        self._tell(feed)

    def _forget(self, run: str) -> None:
        if (feed := self._feeds.pop(run, None)) is not None:
            feed.is_gone = feed.is_urgent = True
            self._tell(feed)

    def _tell(self, feed: Feed) -> None:
        self._waiting[feed] = None
        self._begin("rounds", self._go_round)

    def _begin(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if name not in self._tasks:
            self._tasks[name] = asyncio.get_running_loop().create_task(self._until_done(name, work))

    async def _until_done(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        finally:
            # Not by a callback, which would run a little later: what is told meanwhile would wait for ever.
            del self._tasks[name]

    async def _go_round(self) -> None:
        clock = asyncio.get_running_loop().time
        while self._waiting:
            began = clock()
            feeds, self._waiting = self._waiting, {}
            for feed in feeds:
                await self._deliver(feed, began)
            await asyncio.sleep(max(began + TICK_S - clock(), 0))

    async def _deliver(self, feed: Feed, now: float) -> None:
        feed.begin_round()
        is_urgent, feed.is_urgent = feed.is_urgent, False
        oldest_at, feed.oldest_at = feed.oldest_at, None
        again_at = inf
        async for follower in _in_slices(feed):
            again_at = min(again_at, follower.deliver(now, is_urgent=is_urgent))
        if oldest_at is not None and feed.level:
            self.observe(max(time.time() - oldest_at, 0))
        if again_at < feed.again_at:
            feed.again_at = again_at
            asyncio.get_running_loop().call_at(again_at, self._look_again, feed)

    def _look_again(self, feed: Feed) -> None:
        feed.again_at = inf
        self._tell(feed)

    async def _keep_open(self) -> None:
        clock = asyncio.get_running_loop().time
        while self._feeds:
            await asyncio.sleep(LOOK_S)
            for feed in tuple(self._feeds.values()):
                async for follower in _in_slices(feed):
                    follower.beat(clock())


async def _in_slices(feed: Feed) -> AsyncIterator[Follower]:
    """Yield those who are level now, without those who leave meanwhile."""
    for place, follower in enumerate(tuple(feed.level), 1):
        if follower in feed.level:
            yield follower
        if place % SLICE == 0:
            await asyncio.sleep(0)
