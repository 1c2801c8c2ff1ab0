"""Rows that are put together say what they said before, event by event and bit by bit."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.storage import compaction
from app.storage.compaction import LASTING_EPOCHS, ROWS_A_COMPACTION
from app.storage.database import Database
from app.storage.runs import RunStore
from app.training.events import Wording
from app.training.log import Chunk, joined, merged, unpack_epochs
from app.training.ports import Update
from app.training.run import RunStatus
from tests.storage.test_runs import kept_run
from tests.training.chunks import end_chunk, epochs_chunk, logs, status_chunk


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


@given(chunks=logs(ended=True), rows=st.integers(2, 5), lasting=st.integers(1, 8))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whoever_reads_sees_no_difference(store: RunStore, chunks: list[Chunk], rows: int, lasting: int) -> None:
    run_id = f"r_{store.count(None)}"
    store.insert(kept_run(run_id), b"", [])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compaction, "ROWS_A_COMPACTION", rows)
        patch.setattr(compaction, "LASTING_EPOCHS", lasting)
        write(store, run_id, chunks)
    found = store.events(run_id, 0, 10**6)
    assert said(found) == said(chunks)
    assert len(found) <= len(chunks)
    for after in range(chunks[-1].last_id):
        assert said(store.events(run_id, after, 1))[:1] == b"i"
        assert Wording().encode(store.events(run_id, after, 10**6), after) == Wording().encode(chunks, after)
    epochs = [chunk for chunk in chunks if chunk.first_epoch is not None]
    if epochs:
        losses = joined([unpack_epochs(chunk) for chunk in store.epochs(run_id, -1, 10**6)]).loss
        assert losses.tobytes() == joined([unpack_epochs(chunk) for chunk in epochs]).loss.tobytes()


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
