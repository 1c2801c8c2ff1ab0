"""Whoever follows a run gets every event once and in order, however late, slow or interrupted."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.training import feed as feed_module
from app.training import subscription as subscription_module
from app.training.feed import Feeds
from app.training.log import Chunk
from app.training.subscription import Cursor, Subscription
from tests.training.chunks import Event, end_chunk, epochs_chunk, logs, parse, status_chunk

RUN = "r_1"


class Log:
    """A committed log that grows, and who is told of it."""

    def __init__(self, *runs: str) -> None:
        self.kept: dict[str, list[Chunk]] = {run: [] for run in runs or (RUN,)}
        self.num_reads = 0
        self.feeds = Feeds(self.read)
        self.feeds.open()

    def read(self, run: str, after: int, limit: int) -> Sequence[Chunk]:
        self.num_reads += 1
        found: list[Chunk] = []
        for chunk in self.kept[run]:
            if chunk.last_id > after and sum(len(each) for each in found) < limit:
                found.append(chunk)
        return found

    async def until_read(self, times: int = 1) -> None:
        """Let the followers run until they have read the database."""
        for _ in range(10**6):
            if self.num_reads >= times:
                return
            await asyncio.sleep(0)

    def commit(self, *chunks: Chunk, run: str = RUN) -> None:
        self.kept[run].extend(chunks)
        self.feeds.publish([(run, chunks)])

    def follow(self, after: int = 0, batch_s: float = 0) -> Subscription:
        return Subscription(self.feeds, [Cursor(RUN, after)], batch_s=batch_s)


async def all_of(subscription: Subscription) -> list[Event]:
    async with aclosing(subscription.pieces()) as pieces:
        return parse(b"".join([piece async for piece in pieces]))


def ids(events: Sequence[Event]) -> list[int]:
    return [int(event.id) for event in events]


def some_log(num_epochs: int = 6) -> list[Chunk]:
    chunks = [status_chunk(1, "running")]
    chunks += [epochs_chunk(2 + epoch, epoch, [float(epoch)]) for epoch in range(num_epochs)]
    return [*chunks, end_chunk(num_epochs + 2)]


@given(logs(ended=True), st.data())
def test_any_interleaving_of_commits_and_followers_gives_everyone_everything(
    chunks: list[Chunk], data: st.DataObject
) -> None:
    last = chunks[-1].last_id
    joins = data.draw(st.lists(st.integers(0, len(chunks)), min_size=1, max_size=4))
    starts = [data.draw(st.integers(0, last - 1)) for _ in joins]
    pauses = [data.draw(st.integers(0, 3)) for _ in chunks]

    async def play() -> list[list[Event]]:
        log = Log()
        followers = []
        for place in range(len(chunks) + 1):
            for join, start in zip(joins, starts, strict=True):
                if join == place:
                    followers.append((start, asyncio.create_task(all_of(log.follow(start)))))
            if place < len(chunks):
                log.commit(chunks[place])
                for _ in range(pauses[place]):
                    await asyncio.sleep(0)
        return [[Event(str(start), "", None), *await task] for start, task in followers]

    for start, *events in asyncio.run(play()):
        assert ids(events) == list(range(int(start.id) + 1, last + 1))


def test_who_has_caught_up_reads_no_more_from_the_database() -> None:
    async def play() -> tuple[int, int]:
        log = Log()
        chunks = some_log(50)
        log.commit(chunks[0])
        async with aclosing(log.follow().pieces()) as pieces:
            await anext(pieces)
            log.commit(chunks[1])
            await anext(pieces)
            reads = log.num_reads
            for chunk in chunks[2:-1]:
                log.commit(chunk)
                await anext(pieces)
            return reads, log.num_reads

    before, after = asyncio.run(play())
    assert before == after


def test_all_that_is_new_comes_in_one_piece() -> None:
    async def play() -> bytes:
        log = Log()
        chunks = some_log(50)
        log.commit(chunks[0])
        async with aclosing(log.follow().pieces()) as pieces:
            await anext(pieces)
            following = asyncio.create_task(anext(pieces))
            await log.until_read(1)
            log.commit(*chunks[1:20])
            log.commit(*chunks[20:])
            return await following

    assert ids(parse(asyncio.run(play())))[-1] == 52


def test_bytes_are_made_once_for_all_who_stand_at_the_same_place() -> None:
    async def play() -> list[bytes]:
        log = Log()
        log.commit(status_chunk(1, "running"))
        streams = [log.follow(after=1).pieces() for _ in range(3)]
        waiting = [asyncio.create_task(anext(stream)) for stream in streams]
        await log.until_read(3)
        await asyncio.sleep(0)
        log.commit(epochs_chunk(2, 0, [1.0]))
        pieces = [await task for task in waiting]
        for stream in streams:
            await stream.aclose()
        return pieces

    first, *others = asyncio.run(play())
    assert all(piece is first for piece in others)


def test_a_slow_reader_is_served_from_the_database_when_memory_holds_it_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed_module, "MAX_FEED_BYTES", 50)

    async def play() -> list[Event]:
        log = Log()
        chunks = some_log(100)
        log.commit(*chunks[:5])
        received = b""
        async with aclosing(log.follow().pieces()) as pieces:
            received += await anext(pieces)
            for chunk in chunks[5:]:
                log.commit(chunk)
                await asyncio.sleep(0)
            async for piece in pieces:
                received += piece
        return parse(received)

    assert ids(asyncio.run(play())) == list(range(1, 103))


def test_a_batch_collects_until_its_time_or_something_else_than_an_epoch_comes() -> None:
    async def play() -> list[Event]:
        log = Log()
        chunks = some_log(30)
        log.commit(chunks[0])
        received = b""
        async with aclosing(log.follow(batch_s=60).pieces()) as pieces:
            received += await anext(pieces)
            for chunk in chunks[1:]:
                log.commit(chunk)
                await asyncio.sleep(0)
            async for piece in pieces:
                received += piece
        return parse(received)

    events = asyncio.run(play())
    assert [event.event for event in events] == ["status", "epochs", "end"]
    assert events[1].data["epoch"] == [0, 29]


def test_an_idle_stream_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscription_module, "HEARTBEAT_S", 0.001)

    async def play() -> list[bytes]:
        log = Log()
        async with aclosing(log.follow().pieces()) as pieces:
            return [await anext(pieces), await anext(pieces)]

    assert asyncio.run(play()) == [b"", b""]


@pytest.mark.parametrize("how", ["leave", "close", "forget"])
def test_a_stream_ends_when_its_reader_leaves_the_server_stops_or_the_run_is_deleted(how: str) -> None:
    async def play() -> tuple[list[Event], int]:
        log = Log()
        log.commit(status_chunk(1, "running"))
        subscription = log.follow()
        following = asyncio.create_task(all_of(subscription))
        await log.until_read(1)
        match how:
            case "leave":
                subscription.leave()
            case "close":
                log.feeds.close()
            case _:
                log.feeds.forget(RUN)
        return await following, log.feeds.num_followers

    events, num_followers = asyncio.run(play())
    assert ids(events) == [1]
    assert num_followers == 0


@given(logs(ended=True), logs(ended=True), st.data())
def test_a_stream_over_two_runs_gives_both_and_resumes_both_from_any_event(
    first: list[Chunk], second: list[Chunk], data: st.DataObject
) -> None:
    names = ["r_1", "r_2"]

    async def play(positions: Sequence[int]) -> list[Event]:
        log = Log(*names)
        cursors = [
            Cursor(name, position, position == chunks[-1].last_id)
            for name, position, chunks in zip(names, positions, (first, second), strict=True)
        ]
        subscription = Subscription(log.feeds, cursors, name="x")
        following = asyncio.create_task(all_of(subscription))
        for place in range(max(len(first), len(second))):
            for name, chunks in zip(names, (first, second), strict=True):
                if place < len(chunks):
                    log.commit(chunks[place], run=name)
            await asyncio.sleep(0)
        return await following

    events = asyncio.run(play([0, 0]))
    for place, (name, chunks) in enumerate(zip(names, (first, second), strict=True)):
        own = [int(event.id.split(".")[place + 1]) for event in events if event.data["run"] == name]
        assert own == list(range(1, chunks[-1].last_id + 1))
    cut = data.draw(st.integers(0, len(events) - 2))
    resumed = asyncio.run(play([int(part) for part in events[cut].id.split(".")[1:]]))
    for name in names:
        rest = [event.data for event in events[cut + 1 :] if event.data["run"] == name]
        assert [event.data for event in resumed if event.data["run"] == name] == rest
