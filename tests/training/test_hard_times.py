"""A disk that is full, a database that another process holds, a clock that is set back: runs wait, and lose nothing."""

import resource
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest

from app.errors import CannotStore
from app.training.config import RunConfig
from app.training.events import Wording
from app.training.live import LiveRun
from app.training.log import EventKind, unpack_epochs
from app.training.messages import Epochs
from app.training.run import Run, RunStatus
from app.training.trained_time import trained_s
from tests.training.chunks import parse
from tests.training.test_live import live_run
from tests.training.test_runs import LONG, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    found = World(tmp_path)
    yield found
    found.close()


def await_failure(world: World, fails: bool = True) -> None:
    """Return when a commit of the runs has failed, or when all is written again."""
    pause = threading.Event()
    for _ in range(3000):
        if (world.runs._active._commits.failure is not None) is fails:
            return
        pause.wait(0.01)
    raise AssertionError("nothing happened to the commits")


def set_on_writer(world: World, pragma: str) -> None:
    with world.database.write() as connection:
        connection.exec_driver_sql(f"PRAGMA {pragma}")


def looks_untouched(world: World, run: Run, config: RunConfig) -> None:
    """The run ends with the losses of one that nothing happened to."""
    run = world.ended(run)
    assert run.status == "succeeded"
    assert world.losses(run) == world.losses(world.ended(world.runs.start(world.tree().id, config)))


def test_runs_wait_while_the_disk_is_full_and_go_on_when_it_has_room(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "app.training.commits")
    config = RunConfig(epochs=5000, optimizer="Adam")
    run = world.under_way(world.runs.start(world.tree().id, config), 200)
    # SQLite is given no page more, as on a full disk.
    set_on_writer(world, "max_page_count = 1")
    await_failure(world)
    written = world.runs.get(run.id)
    assert written.status == "running"
    assert len(world.losses(run)) == written.epochs_done
    set_on_writer(world, "max_page_count = 1000000")
    await_failure(world, fails=False)
    looks_untouched(world, run, config)
    told = [record.message for record in caplog.records if record.name == "app.training.commits"]
    assert len(told) == 2
    assert "database or disk is full" in told[0]


def test_a_run_that_is_cancelled_while_the_disk_is_full_is_cancelled_when_that_can_be_written(world: World) -> None:
    run = world.under_way(world.runs.start(world.tree().id, LONG), 200)
    set_on_writer(world, "max_page_count = 1")
    await_failure(world)
    with pytest.raises(CannotStore):
        world.runs.cancel(run.id)
    assert world.runs.get(run.id).status == "running"
    set_on_writer(world, "max_page_count = 1000000")
    await_failure(world, fails=False)
    assert world.runs.get(run.id).status == "cancelled"
    assert len(world.losses(run)) == world.runs.get(run.id).epochs_done


def test_runs_wait_for_another_process_that_holds_the_database(world: World) -> None:
    config = RunConfig(epochs=5000, optimizer="Adam")
    run = world.under_way(world.runs.start(world.tree().id, config), 200)
    set_on_writer(world, "busy_timeout = 20")
    with sqlite3.connect(world.directory.path / "moduletree.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        await_failure(world)
        # Who only reads does not notice.
        assert len(world.losses(run)) == world.runs.get(run.id).epochs_done
        other.execute("ROLLBACK")
    other.close()
    looks_untouched(world, run, config)


def test_a_checkpoint_that_does_not_fit_on_the_disk_is_told_and_the_run_goes_on(world: World) -> None:
    world.under_way(world.runs.start(world.tree().id, RunConfig()), 10)
    (pid,) = world.executor.pids
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
    run = world.ended(world.runs.start(world.tree().id, RunConfig(epochs=100, checkpoint_every=40)))
    # Its result does not fit either, and is all that is missing.
    assert (run.status, run.epochs_done) == ("interrupted", 100)
    assert run.error == "the result could not be written: File too large"
    assert run.note == "the checkpoint after 80 epochs could not be written: File too large"
    assert [path.name for path in world.folder.glob(f"{run.id}*")] == [f"{run.id}-start.safetensors"]

    resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    world.runs.resume(run.id)
    run = world.ended(run)
    assert (run.status, run.error, run.note) == ("succeeded", None, None)
    assert len(world.losses(run)) == 100


def test_no_time_is_negative_where_the_clock_is_set_back() -> None:
    began = datetime(2026, 1, 1, 12, tzinfo=UTC)
    clock = iter(began + timedelta(seconds=seconds) for seconds in (0, -3600, -3500))
    live = LiveRun(msgspec.structs.replace(live_run().kept), clock=lambda: next(clock))
    live.be(RunStatus.RUNNING)
    nothing = np.full(2, np.nan, "<f4").tobytes()
    for first, base_s in ((0, 1), (2, -3600), (4, -3599)):
        losses, at = np.ones(2, "<f8").tobytes(), np.array([0, 0.25], "<f4").tobytes()
        live.train(Epochs("r_1", first, began.timestamp() + base_s, losses, at, nothing, nothing))
    live.be(RunStatus.PAUSED)
    live.end(RunStatus.SUCCEEDED)
    chunks = live.update().chunks
    said = [datetime.fromisoformat(event.data["at"]) for event in parse(Wording().encode(chunks, 0))[:-1]]
    assert said == sorted(said)
    instants = np.concatenate([unpack_epochs(chunk).at for chunk in chunks if chunk.kind is EventKind.EPOCHS])
    assert trained_s(instants).tolist() == [0, 0.25, 0.25, 0.5, 0.5, 0.75]
    assert live.run.started_at is not None
    assert live.run.ended_at is not None
    assert live.run.ended_at > live.run.started_at
