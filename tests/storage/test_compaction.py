"""Rows that are put together say what they said before, event by event and bit by bit."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.storage import compaction
from app.storage.compaction import LASTING_BYTES, LASTING_EPOCHS, ROWS_A_COMPACTION
from app.storage.database import Database
from app.storage.runs import RunStore
from app.training.events import Wording
from app.training.log import Chunk, EventKind, joined, unpack_epochs
from app.training.merging import merged, parted
from app.training.module_columns import unpack_modules
from app.training.ports import Update
from app.training.run import RunStatus
from tests.storage.test_runs import kept_run
from tests.training.chunks import end_chunk, epochs_chunk, logs, modules_chunk, status_chunk


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    database = Database.open(f"sqlite:///{tmp_path / 'test.db'}")
    yield RunStore(database)
    database.close()


def write(store: RunStore, run_id: str, chunks: list[Chunk]) -> None:
    """Each chunk in a commit of its own, as they come."""
    kept = store.get(run_id)
    for chunk in chunks:
        run = msgspec.structs.replace(kept.run, status=RunStatus.RUNNING)
        store.write([Update(msgspec.structs.replace(kept, run=run, last_event=chunk.last_id), [chunk])])


def said(chunks: list[Chunk]) -> bytes:
    return Wording().encode(chunks, 0)


@given(chunks=logs(ended=True, watched=True), rows=st.integers(2, 5), lasting=st.integers(1, 8))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whoever_reads_sees_no_difference(store: RunStore, chunks: list[Chunk], rows: int, lasting: int) -> None:
    run_id = f"r_{store.count(None)}"
    store.insert(kept_run(run_id), b"", [])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compaction, "ROWS_A_COMPACTION", rows)
        patch.setattr(compaction, "LASTING_EPOCHS", lasting)
        patch.setattr(compaction, "LASTING_BYTES", 32 * lasting)
        patch.setattr(compaction, "REACH", 3 * lasting)
        write(store, run_id, chunks)
        look_at_events(store, run_id, chunks)
    look_at_statistics(store, run_id, chunks)
    epochs = [chunk for chunk in chunks if chunk.kind is EventKind.EPOCHS]
    if epochs:
        losses = joined([unpack_epochs(chunk) for chunk in store.epochs(run_id, -1, 10**6)]).loss
        assert losses.tobytes() == joined([unpack_epochs(chunk) for chunk in epochs]).loss.tobytes()


def look_at_events(store: RunStore, run_id: str, chunks: list[Chunk]) -> None:
    """They are the same from any event on, in pages of any size."""
    found = store.events(run_id, 0, 10**6)
    assert said(found) == said(chunks)
    assert len(found) <= len(chunks)
    for after in range(chunks[-1].last_id):
        some = store.events(run_id, after, 2)
        assert [chunk.first_id for chunk in some[1:]] == [chunk.last_id + 1 for chunk in some[:-1]]
        assert said(chunks).startswith(
            said(chunks)[: -len(Wording().encode(chunks, after))] + Wording().encode(some, after)
        )
        assert some[-1].last_id >= min(after + 2, chunks[-1].last_id)
        assert Wording().encode(store.events(run_id, after, 10**6), after) == Wording().encode(chunks, after)


def look_at_statistics(store: RunStore, run_id: str, chunks: list[Chunk]) -> None:
    """Those of every epoch are found, and those after it."""
    told = {
        int(epoch): figures.tobytes()
        for columns in map(unpack_modules, (chunk for chunk in chunks if chunk.kind is EventKind.MODULES))
        for epoch, figures in zip(columns.epochs, columns.parameter_norm, strict=True)
    }
    for epoch in range(-1, max(told, default=0) + 2):
        chunk = store.module_stats(run_id, epoch)
        known = [each for each in told if each <= epoch]
        assert (chunk is None) == (not known)
        if chunk is not None:
            columns = unpack_modules(chunk)
            place = columns.epochs.tolist().index(known[-1])
            assert columns.parameter_norm[place].tobytes() == told[known[-1]]
        later = [unpack_modules(chunk).epochs.tolist() for chunk in store.module_stats_after(run_id, epoch, 100)]
        assert [each for part in later for each in part if each > epoch] == [each for each in told if each > epoch]


def test_statistics_at_every_epoch_are_kept_in_few_rows_of_bounded_size(store: RunStore) -> None:
    store.insert(kept_run(), b"", [])
    count, num_modules = 3 * ROWS_A_COMPACTION, 40
    ticks: list[Chunk] = []
    for epoch in range(count):
        ticks += [epochs_chunk(1 + 2 * epoch, epoch, [0.5]), modules_chunk(2 + 2 * epoch, [epoch], num_modules)]
    write(store, "r_1", [*ticks, end_chunk(2 * count + 1)])
    rows = store.module_stats_after("r_1", -1, 10**6)
    assert max(len(row.payload) for row in rows) <= LASTING_BYTES
    assert len(rows) <= sum(len(chunk.payload) for chunk in ticks) // LASTING_BYTES + 1
    assert [len(row) for row in store.epochs("r_1", -1, 10**6)] == [count]
    assert said(store.events("r_1", 0, 10**6)) == said([*ticks, end_chunk(2 * count + 1)])
    # A page of events is made of what it holds, not of the whole rows that hold it.
    page = store.events("r_1", count, 10)
    assert [len(chunk) for chunk in page] == [1] * 10


def test_a_run_of_an_epoch_a_tick_is_kept_in_few_rows(store: RunStore) -> None:
    store.insert(kept_run(), b"", [])
    ticks = [epochs_chunk(1 + epoch, epoch, [float(epoch)]) for epoch in range(3 * ROWS_A_COMPACTION + 5)]
    write(store, "r_1", ticks)
    assert len(store.events("r_1", 0, 10**6)) <= 6
    write(store, "r_1", [end_chunk(ticks[-1].last_id + 1)])
    assert len(store.events("r_1", 0, 10**6)) == 2


def test_a_row_that_is_long_enough_stays_as_it_is(store: RunStore) -> None:
    store.insert(kept_run(), b"", [])
    many = [0.5] * (LASTING_EPOCHS // 2)
    write(store, "r_1", [epochs_chunk(1 + len(many) * part, len(many) * part, many) for part in range(5)])
    write(store, "r_1", [status_chunk(5 * len(many) + 1, "paused")])
    assert [len(chunk) for chunk in store.epochs("r_1", -1, 10**6)][:2] == [LASTING_EPOCHS] * 2


def test_instants_are_the_same_to_the_bit() -> None:
    parts = [epochs_chunk(1 + 3 * part, 3 * part, [0.1, 0.2, 0.3]) for part in range(4)]
    apart = joined([unpack_epochs(part) for part in parts])
    together = unpack_epochs(merged(parts))
    assert together.at.tobytes() == apart.at.tobytes()


@given(chunks=logs(watched=True), after=st.integers(0, 20), until=st.integers(0, 20))
def test_what_was_put_together_comes_apart_again(chunks: list[Chunk], after: int, until: int) -> None:
    for kind in (EventKind.EPOCHS, EventKind.MODULES):
        parts = [chunk for chunk in chunks if chunk.kind is kind]
        if parts:
            whole = merged(parts)
            assert len(whole) == sum(map(len, parts))
            pieces = list(parted(whole, 0, 10**6))
            assert said(pieces) == said(parts)
            assert len(pieces) <= len(parts)
            some = [piece for piece in pieces if piece.last_id > after and piece.first_id <= until]
            assert list(parted(whole, after, until)) == some or not whole.ids
