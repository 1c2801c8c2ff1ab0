"""Runs and their logs come back from the database as they were put there."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import NotFound
from app.storage.database import Database
from app.storage.runs import RunStore
from app.training.config import RunConfig
from app.training.data import TableData
from app.training.log import Chunk, EventKind
from app.training.ports import Update
from app.training.run import KeptRun, Line, Run, RunStatus
from tests.training.chunks import end_chunk, epochs_chunk, logs, status_chunk

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    database = Database.open(f"sqlite:///{tmp_path / 'test.db'}")
    yield RunStore(database)
    database.close()


def kept_run(run_id: str = "r_1", tree: str = "t_1", config: RunConfig | None = None) -> KeptRun:
    config = config or RunConfig()
    run = Run(
        id=run_id,
        tree=tree,
        tree_name="linear_model1",
        tree_deleted=True,
        tree_revision=1,
        epochs=config.epochs,
        config=config,
        created_at=NOW,
    )
    return KeptRun(run=run, start_tensors=f"{run_id}-start")


def test_a_run_comes_back_as_it_was_kept(store: RunStore) -> None:
    config = RunConfig(
        data=TableData(x=((1.0,),), y=((0.5,),)),
        optimizer="Adam",
        optimizer_args={"betas": [0.9, 0.99]},
        seed=2**64 - 1,
    )
    kept = store.insert(kept_run(config=config), b"structure", [status_chunk(1, "queued")])
    assert store.get("r_1") == kept
    assert store.structure("r_1") == b"structure"
    assert kept.run.number == 1


def test_every_field_that_changes_is_written(store: RunStore) -> None:
    kept = store.insert(kept_run(), b"", [])
    run = msgspec.structs.replace(
        kept.run,
        status=RunStatus.SUCCEEDED,
        epochs_done=10,
        loss=0.5,
        nonfinite="nan",
        best_loss=0.25,
        fit=Line(2.0, 1.0),
        checkpoint_epoch=8,
        started_at=NOW,
        ended_at=NOW,
        error="none",
        result_revision=3,
    )
    changed = KeptRun(
        run=run,
        last_event=14,
        start_tensors="start",
        result_tensors="result",
        checkpoint="r_1-8.checkpoint.safetensors",
    )
    store.write([Update(changed, [])])
    assert store.get("r_1") == changed


def test_runs_of_a_tree_are_numbered_from_1(store: RunStore) -> None:
    kept = [store.insert(kept_run(f"r_{place}", tree), b"", []) for place, tree in enumerate(["t_1", "t_2", "t_1"])]
    assert [each.run.number for each in kept] == [1, 1, 2]


def test_the_newest_come_first_a_page_at_a_time(store: RunStore) -> None:
    for place in range(5):
        store.insert(kept_run(f"r_{place}", f"t_{place % 2}"), b"", [])
    found, before = [], None
    for _ in range(3):
        page, before = store.newest(None, 2, before)
        found += [run.id for run in page]
    assert found == ["r_4", "r_3", "r_2", "r_1", "r_0"]
    assert before is None
    assert [run.id for run in store.newest("t_1", 10, None)[0]] == ["r_3", "r_1"]
    assert (store.count(None), store.count("t_1")) == (5, 2)


def test_only_runs_that_do_something_are_active(store: RunStore) -> None:
    for status in RunStatus:
        kept = kept_run(f"r_{status}")
        store.insert(msgspec.structs.replace(kept, run=msgspec.structs.replace(kept.run, status=status)), b"", [])
    assert [kept.run.status for kept in store.active()] == ["queued", "running", "paused"]


def test_a_deleted_run_leaves_nothing(store: RunStore) -> None:
    store.insert(kept_run(), b"", [status_chunk(1, "queued")])
    store.delete("r_1")
    assert store.events("r_1", 0, 10) == []
    for ask in (store.get, store.structure, store.delete):
        with pytest.raises(NotFound, match="r_1"):
            ask("r_1")


@given(chunks=logs(), data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_reading_on_from_any_event_gives_the_chunks_that_hold_the_rest(
    store: RunStore, chunks: list[Chunk], data: st.DataObject
) -> None:
    run_id = f"r_{store.count(None)}"
    store.insert(kept_run(run_id), b"", chunks)
    after = data.draw(st.integers(0, chunks[-1].last_id + 1))
    expected = [chunk for chunk in chunks if chunk.last_id > after]
    assert store.events(run_id, after, 10**6) == expected
    limit = data.draw(st.integers(1, 10))
    some = store.events(run_id, after, limit)
    assert some == expected[: len(some)]
    assert sum(len(chunk) for chunk in some) >= min(limit, sum(len(chunk) for chunk in expected))


@given(chunks=logs(), data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_reading_on_from_any_epoch_gives_the_chunks_that_hold_the_rest(
    store: RunStore, chunks: list[Chunk], data: st.DataObject
) -> None:
    run_id = f"r_{store.count(None)}"
    store.insert(kept_run(run_id), b"", chunks)
    after = data.draw(st.integers(-1, 30))
    expected = [chunk for chunk in chunks if chunk.last_epoch is not None and chunk.last_epoch > after]
    assert store.epochs(run_id, after, 10**6) == expected


def test_a_page_of_epochs_has_as_many_as_were_asked_for(store: RunStore) -> None:
    store.insert(kept_run(), b"", [epochs_chunk(1 + 10 * part, 10 * part, [0.0] * 10) for part in range(5)])
    found = store.epochs("r_1", 14, 10)
    assert [(chunk.first_epoch, chunk.last_epoch) for chunk in found] == [(10, 19), (20, 29)]


def test_all_updates_of_a_tick_are_written_or_none(store: RunStore) -> None:
    kept = store.insert(kept_run(), b"", [status_chunk(1, "queued")])
    moved = msgspec.structs.replace(kept, last_event=2)
    with pytest.raises(Exception, match="UNIQUE"):
        store.write([Update(moved, [status_chunk(2, "running")]), Update(moved, [status_chunk(1, "queued")])])
    assert store.get("r_1") == kept
    assert len(store.events("r_1", 0, 10)) == 1


def test_the_end_of_a_run_that_goes_on_becomes_a_status(store: RunStore) -> None:
    kept = store.insert(kept_run(), b"", [status_chunk(1, "running"), end_chunk(2)])
    store.reopen(Update(msgspec.structs.replace(kept, last_event=3), [status_chunk(3, "queued")]))
    found = store.events("r_1", 0, 10)
    assert [chunk.kind for chunk in found] == [EventKind.STATUS] * 3
    assert found[1] == replace(end_chunk(2), kind=EventKind.STATUS, payload=b'{"status":"interrupted"}')
