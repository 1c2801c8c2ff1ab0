"""Whoever follows a run gets every event once and in order, however late, slow or interrupted."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.training import feed as feed_module
from app.training import feeds as feeds_module
from app.training import subscription as subscription_module
from app.training.feeds import Feeds
from app.training.log import Chunk, EventKind
from app.training.module_columns import pack_modules
from app.training.subscription import Cursor, Subscription
from tests.training.chunks import Event, end_chunk, epochs_chunk, logs, parse, status_chunk

RUN = "r_1"


@pytest.fixture(autouse=True, scope="module")
def without_pauses() -> Iterator[None]:
    """Rounds follow each other at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feeds_module, "TICK_S", 0)
        yield


class Log:
    """A committed log that grows, and who is told of it."""

    def __init__(self, *runs: str) -> None:
        self.kept: dict[str, list[Chunk]] = {run: [] for run in runs or (RUN,)}
        self.num_reads = self.num_named = 0
        self.feeds = Feeds(self.read, self.name)
        self.feeds.open()

    def read(self, run: str, after: int, limit: int) -> Sequence[Chunk]:
        self.num_reads += 1
        found: list[Chunk] = []
        count = 0
        for chunk in self.kept[run]:
            if chunk.last_id > after and count < limit:
                found.append(chunk)
                count += len(chunk)
        return found

    def name(self, run: str) -> Sequence[str]:
        self.num_named += 1
        return ["", "sub1"]

    def commit(self, *chunks: Chunk, run: str = RUN) -> None:
        self.kept[run].extend(chunks)
        self.feeds.publish([(run, chunks)])

    def follow(self, after: int = 0, batch_s: float = 0, *, has_modules: bool = True) -> "Reader":
        return Reader(Subscription(self.feeds, [Cursor(RUN, after)], batch_s=batch_s, has_modules=has_modules))


class Reader:
    """A client of a stream that has begun; it reads nothing while `is_stuck`."""

    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription
        self.pieces: list[bytes] = []
        self.is_over = False
        self.can_read = asyncio.Event()
        self.can_read.set()
        self.subscription.begin(self.write)

    async def write(self, piece: bytes, has_more: bool) -> None:
        await self.can_read.wait()
        self.pieces.append(piece)
        self.is_over = not has_more

    async def until(self, number: int) -> None:
        """Returns when so many pieces have come."""
        await until(lambda: len(self.pieces) >= number)

    def has(self, number: int) -> bool:
        """Whether the event of that number is the last that came."""
        last = self.pieces[-1] if self.pieces else b""
        return last.startswith(f"id: {number}\n".encode(), last.rfind(b"id: "))

    async def to_the_end(self) -> list[Event]:
        await until(lambda: self.is_over)
        self.subscription.leave()
        return self.events()

    def events(self) -> list[Event]:
        return parse(b"".join(self.pieces))


async def until(is_so: Callable[[], bool]) -> None:
    """Let the followers run until it is so."""
    for _ in range(10**6):
        if is_so():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never was")


def ids(events: Sequence[Event]) -> list[int]:
    return [int(event.id) for event in events]


def some_log(num_epochs: int = 6) -> list[Chunk]:
    chunks = [status_chunk(1, "running")]
    chunks += [epochs_chunk(2 + epoch, epoch, [float(epoch)]) for epoch in range(num_epochs)]
    return [*chunks, end_chunk(num_epochs + 2)]


def modules_chunk(first_id: int, epochs: Sequence[int]) -> Chunk:
    """Statistics of two modules; no gradient arrived at the second."""
    figures = [np.array([[1.0, 2.0], [0.5, np.nan], [0.25, epoch]]) for epoch in epochs]
    last_id = first_id + len(epochs) - 1
    return Chunk(first_id, last_id, EventKind.MODULES, pack_modules(epochs, figures), epochs[0], epochs[-1])


@given(logs(ended=True), st.data())
def test_any_interleaving_of_commits_and_followers_gives_everyone_everything(
    chunks: list[Chunk], data: st.DataObject
) -> None:
    last = chunks[-1].last_id
    joins = data.draw(st.lists(st.integers(1, len(chunks)), min_size=1, max_size=4))
    starts = [data.draw(st.integers(0, chunks[join - 1].last_id - (join == len(chunks)))) for join in joins]
    pauses = [data.draw(st.integers(0, 3)) for _ in chunks]

    async def play() -> list[list[Event]]:
        log = Log()
        readers = []
        for place, chunk in enumerate(chunks, 1):
            log.commit(chunk)
            readers += [log.follow(start) for join, start in zip(joins, starts, strict=True) if join == place]
            for _ in range(pauses[place - 1]):
                await asyncio.sleep(0)
        return [await reader.to_the_end() for reader in readers]

    order = sorted(range(len(joins)), key=lambda place: joins[place])
    for place, events in zip(order, asyncio.run(play()), strict=True):
        assert ids(events) == list(range(starts[place] + 1, last + 1))


def test_who_has_caught_up_reads_no_more_from_the_database() -> None:
    async def play() -> tuple[int, int]:
        log = Log()
        chunks = some_log(50)
        log.commit(chunks[0])
        reader = log.follow()
        await reader.until(1)
        log.commit(chunks[1])
        await reader.until(2)
        reads = log.num_reads
        for number, chunk in enumerate(chunks[2:-1], 3):
            log.commit(chunk)
            await reader.until(number)
        reader.subscription.leave()
        return reads, log.num_reads

    before, after = asyncio.run(play())
    assert before == after


def test_who_comes_late_reads_what_others_have_read_and_nothing_that_is_still_in_memory() -> None:
    async def play() -> tuple[int, int, list[Event]]:
        log = Log()
        log.commit(*some_log(5000)[:-1])
        first = log.follow()
        await until(lambda: first.has(5001))
        log.commit(epochs_chunk(5002, 5000, [0.0]))
        reads = log.num_reads
        second = log.follow()
        await until(lambda: second.has(5002))
        events = second.events()
        for reader in (first, second):
            reader.subscription.leave()
        return reads, log.num_reads, events

    before, after, events = asyncio.run(play())
    assert before > 5
    assert after <= before + 1
    assert ids(events) == list(range(1, 5003))


def test_all_that_is_new_comes_in_one_piece() -> None:
    async def play() -> bytes:
        log = Log()
        chunks = some_log(50)
        log.commit(chunks[0])
        reader = log.follow()
        await reader.until(1)
        log.commit(*chunks[1:20])
        log.commit(*chunks[20:])
        await reader.to_the_end()
        return reader.pieces[1]

    assert ids(parse(asyncio.run(play())))[-1] == 52


def test_bytes_are_made_once_for_all_who_stand_at_the_same_place() -> None:
    async def play() -> list[bytes]:
        log = Log()
        log.commit(status_chunk(1, "running"))
        readers = [log.follow() for _ in range(3)]
        for reader in readers:
            await reader.until(1)
        log.commit(epochs_chunk(2, 0, [1.0]))
        for reader in readers:
            await reader.until(2)
            reader.subscription.leave()
        return [reader.pieces[1] for reader in readers]

    first, *others = asyncio.run(play())
    assert all(piece is first for piece in others)


def test_all_stay_at_the_same_place_however_much_is_committed_while_they_are_told() -> None:
    async def play() -> list[list[bytes]]:
        log = Log()
        log.commit(status_chunk(1, "running"))
        readers = [log.follow() for _ in range(3 * feeds_module.SLICE)]
        for reader in readers:
            await reader.until(1)
        for epoch in range(20):
            log.commit(epochs_chunk(2 + epoch, epoch, [1.0]))
            await asyncio.sleep(0)
        log.commit(end_chunk(22))
        for reader in readers:
            await reader.to_the_end()
        return [reader.pieces for reader in readers]

    first, *others = asyncio.run(play())
    for pieces in others:
        assert all(piece is own for piece, own in zip(pieces[1:], first[1:], strict=True))


def test_a_slow_reader_is_served_from_the_database_when_memory_holds_it_no_more_and_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed_module, "MAX_FEED_BYTES", 50)

    async def play() -> tuple[list[Event], list[Event]]:
        log = Log()
        chunks = some_log(100)
        log.commit(*chunks[:5])
        slow, quick = log.follow(), log.follow()
        await slow.until(1)
        slow.can_read.clear()
        for chunk in chunks[5:]:
            log.commit(chunk)
            await asyncio.sleep(0)
        events = await quick.to_the_end()
        assert len(slow.events()) < len(events)
        slow.can_read.set()
        return await slow.to_the_end(), events

    for events in asyncio.run(play()):
        assert ids(events) == list(range(1, 103))


def test_a_batch_collects_until_its_time_or_something_else_than_an_epoch_comes() -> None:
    async def play() -> list[Event]:
        log = Log()
        chunks = some_log(30)
        log.commit(chunks[0])
        reader = log.follow(batch_s=60)
        await reader.until(1)
        log.commit(chunks[1])
        # The first batch may be over at any moment, as all batches of a run are over together.
        await reader.until(2)
        for chunk in chunks[2:]:
            log.commit(chunk)
            await asyncio.sleep(0)
        return await reader.to_the_end()

    events = asyncio.run(play())
    assert [event.event for event in events] == ["status", "epochs", "epochs", "end"]
    assert [event.data["epoch"] for event in events[1:3]] == [[0, 0], [1, 29]]


def test_a_batch_comes_when_its_time_is_over() -> None:
    async def play() -> list[Event]:
        log = Log()
        chunks = some_log(4)
        log.commit(chunks[0])
        reader = log.follow(batch_s=0.02)
        for chunk in chunks[1:-1]:
            log.commit(chunk)
            await until(lambda: reader.has(log.kept[RUN][-1].last_id))
        reader.subscription.leave()
        return reader.events()

    assert ids(asyncio.run(play())) == [1, 2, 3, 4, 5]


def test_statistics_of_modules_name_them_and_their_names_are_read_once() -> None:
    async def play() -> tuple[list[Event], list[Event], int]:
        log = Log()
        log.commit(status_chunk(1, "running"))
        readers = [log.follow() for _ in range(5)]
        for reader in readers:
            await reader.until(1)
        log.commit(epochs_chunk(2, 0, [1.0, 1.0]), modules_chunk(4, [0, 1]))
        log.commit(epochs_chunk(6, 2, [1.0]), modules_chunk(7, [2]), end_chunk(8))
        events = [await reader.to_the_end() for reader in readers]
        assert all(each == events[0] for each in events)
        return events[0], await log.follow(after=4).to_the_end(), log.num_named

    live, late, num_named = asyncio.run(play())
    assert ids(live) == list(range(1, 9))
    assert live[4].event == "modules"
    assert (
        live[4].data.items()
        >= {
            "epoch": 1,
            "paths": ["", "sub1"],
            "parameter_norm": [1.0, 2.0],
            "gradient_norm": [0.5, None],
            "update_ratio": [0.25, 1.0],
        }.items()
    )
    assert late == live[4:]
    assert num_named == 2


def test_who_comes_while_names_are_read_for_one_who_has_left_gets_the_statistics_too() -> None:
    async def play() -> list[Event]:
        log, can_name = Log(), threading.Event()

        def name(run: str) -> Sequence[str]:
            paths = log.name(run)
            assert can_name.wait(30)
            return paths

        log.feeds = Feeds(log.read, name)
        log.feeds.open()
        log.commit(status_chunk(1, "running"))
        early = log.follow()
        await early.until(1)
        log.commit(modules_chunk(2, [0]))
        await until(lambda: log.num_named == 1)
        early.subscription.leave()
        late, num_reads = log.follow(after=2), log.num_reads
        await until(lambda: log.num_reads > num_reads)
        log.commit(modules_chunk(3, [1]))
        await until(lambda: log.feeds._feeds[RUN].held is not None)
        can_name.set()
        log.commit(end_chunk(4))
        return await late.to_the_end()

    assert ids(asyncio.run(play())) == [3, 4]


def test_statistics_are_left_out_for_who_does_not_want_them_and_come_to_the_others() -> None:
    async def play() -> tuple[list[Event], list[Event], list[Event]]:
        log = Log()
        log.commit(status_chunk(1, "running"))
        without, whole = log.follow(has_modules=False), log.follow()
        for reader in (without, whole):
            await reader.until(1)
        log.commit(epochs_chunk(2, 0, [1.0, 1.0]), modules_chunk(4, [0, 1]))
        log.commit(modules_chunk(6, range(1_500)), epochs_chunk(1_506, 2, [1.0]))
        await whole.until(4)
        log.commit(end_chunk(1_507))
        late = log.follow(after=3, has_modules=False)
        return await whole.to_the_end(), await without.to_the_end(), await late.to_the_end()

    whole, without, late = asyncio.run(play())
    assert ids(whole) == list(range(1, 1_508))
    assert without == [event for event in whole if event.event != "modules"]
    assert late == without[3:]


def test_a_run_that_is_deleted_before_a_slow_reader_has_caught_up_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed_module, "MAX_FEED_BYTES", 1)

    async def play() -> list[Event]:
        log = Log("r_1", "r_2")
        for run in log.kept:
            log.commit(status_chunk(1, "running"), run=run)
        reader = Reader(Subscription(log.feeds, [Cursor("r_1"), Cursor("r_2")], name="x"))
        await reader.until(2)
        reader.can_read.clear()
        for chunk in some_log()[1:]:
            log.commit(chunk)
            await asyncio.sleep(0.001)
        log.kept["r_1"].clear()
        log.feeds.forget("r_1")
        await asyncio.sleep(0.001)
        reader.can_read.set()
        await asyncio.sleep(0.001)
        log.commit(end_chunk(2), run="r_2")
        return await reader.to_the_end()

    assert asyncio.run(play())[-1].id.endswith(".2")


def test_an_idle_stream_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscription_module, "HEARTBEAT_S", 0)
    monkeypatch.setattr(feeds_module, "LOOK_S", 0)

    async def play() -> list[bytes]:
        log = Log()
        log.commit(status_chunk(1, "running"))
        reader = log.follow(after=1)
        await reader.until(2)
        reader.subscription.leave()
        return reader.pieces[:2]

    assert asyncio.run(play()) == [b"", b""]


@pytest.mark.parametrize("how", ["close", "forget", "deleted before it began"])
def test_a_stream_ends_when_the_server_stops_or_the_run_is_deleted(how: str) -> None:
    async def play() -> tuple[list[Event], int]:
        log = Log()
        log.commit(status_chunk(1, "running"))
        reader = log.follow()
        await reader.until(1)
        match how:
            case "close":
                log.feeds.close()
            case "forget":
                log.feeds.forget(RUN)
            case _:
                reader.subscription.leave()
                log.kept[RUN].clear()
                reader = log.follow(after=1)
        return await reader.to_the_end(), log.feeds.num_followers

    events, num_followers = asyncio.run(play())
    assert ids(events) == ([1] if how in {"close", "forget"} else [])
    assert num_followers == 0


def test_who_leaves_is_told_no_more_however_far_they_were() -> None:
    async def play() -> int:
        log = Log()
        log.commit(status_chunk(1, "running"))
        at_once, stuck, level = log.follow(), log.follow(), log.follow()
        at_once.subscription.leave()
        await level.until(1)
        stuck.can_read.clear()
        for chunk in some_log(3)[1:-1]:
            log.commit(chunk)
            await asyncio.sleep(0.005)
        for reader in (stuck, level):
            reader.subscription.leave()
        pieces = [list(reader.pieces) for reader in (at_once, stuck, level)]
        stuck.can_read.set()
        log.commit(end_chunk(5))
        await asyncio.sleep(0.005)
        assert [list(reader.pieces) for reader in (at_once, stuck, level)] == pieces
        return log.feeds.num_followers

    assert asyncio.run(play()) == 0


@given(logs(ended=True), logs(ended=True), st.data())
def test_a_stream_over_two_runs_gives_both_and_resumes_both_from_any_event(
    first: list[Chunk], second: list[Chunk], data: st.DataObject
) -> None:
    names = ["r_1", "r_2"]

    async def play(positions: Sequence[int]) -> list[Event]:
        log = Log(*names)
        logged = dict(zip(names, (first, second), strict=True))
        for (name, chunks), position in zip(logged.items(), positions, strict=True):
            log.commit(*(chunk for chunk in chunks if chunk.first_id <= max(position, 1)), run=name)
        cursors = [
            Cursor(name, position, position == chunks[-1].last_id)
            for (name, chunks), position in zip(logged.items(), positions, strict=True)
        ]
        reader = Reader(Subscription(log.feeds, cursors, name="x"))
        for place in range(1, max(len(first), len(second))):
            for name, chunks in logged.items():
                if len(log.kept[name]) <= place < len(chunks):
                    log.commit(chunks[place], run=name)
            await asyncio.sleep(0)
        return await reader.to_the_end()

    events = asyncio.run(play([0, 0]))
    for place, (name, chunks) in enumerate(zip(names, (first, second), strict=True)):
        own = [int(event.id.split(".")[place + 1]) for event in events if event.data["run"] == name]
        assert own == list(range(1, chunks[-1].last_id + 1))
    cut = data.draw(st.integers(0, len(events) - 2))
    resumed = asyncio.run(play([int(part) for part in events[cut].id.split(".")[1:]]))
    for name in names:
        rest = [event.data for event in events[cut + 1 :] if event.data["run"] == name]
        assert [event.data for event in resumed if event.data["run"] == name] == rest
