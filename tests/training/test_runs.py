"""Runs on kept trees: their results, their ends, and what a stop of the server leaves of them."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from app.errors import CannotDo, Invalid, NotFound, TooManyRuns
from app.storage.data_directory import DataDirectory
from app.storage.database import Database
from app.storage.records import TreeRecord
from app.storage.runs import RunStore
from app.storage.trees import OpenTree, Trees
from app.training.checkpoint import epoch_of
from app.training.config import RunConfig
from app.training.data import LineData
from app.training.events import Wording
from app.training.local_executor import LocalExecutor
from app.training.log import EventKind
from app.training.run import Run, RunStatus
from app.training.run_files import RunFiles
from app.training.runs import Runs
from app.trees.edit import delete, register_parameter, requires_grad_
from app.trees.limits import Limits
from app.trees.sources.checkpoint.readings import Readings
from app.trees.sources.opening import Sources
from app.trees.sources.workshop import Workshop
from app.trees.tutorial import NAME, SOURCE
from tests.training.chunks import Event, parse
from tests.training.test_executor import ENDLESS_EPOCH, WITHIN_S
from tests.training.tutorial_run import AT_TEN, LOSSES

LONG = RunConfig(epochs=10_000_000)


class World:
    """What a server keeps and runs, without the server."""

    def __init__(
        self,
        folder: Path,
        *,
        num_workers: int = 1,
        max_queued: int = 16,
        resume_interrupted: bool = False,
        checkpoint_s: float = 0,
        executor: LocalExecutor | None = None,
    ) -> None:
        self.directory = DataDirectory(folder)
        sources = Sources(Limits(), Workshop(), Readings())
        self.database = Database.open(f"sqlite:///{folder / 'moduletree.db'}")
        self.trees = Trees(self.database, self.directory.tensors, self.directory.uploads, sources)
        self.store = RunStore(self.database)
        self.executor = executor or LocalExecutor(num_workers)
        self.folder = folder / "runs"
        data = self.directory.data
        self.runs = Runs(
            self.store,
            self.trees,
            self.directory.tensors,
            self.folder,
            self.executor,
            data,
            max_queued=max_queued,
            checkpoint_s=checkpoint_s,
        )
        self.runs.open(resume_interrupted=resume_interrupted)

    def close(self) -> None:
        self.runs.close()
        self.database.close()
        self.directory.close()

    def tree(self) -> TreeRecord:
        return self.trees.open(SOURCE, NAME)

    def events(self, run: Run) -> list[Event]:
        return parse(Wording().encode(self.store.events(run.id, 0, 10**9), 0))

    def losses(self, run: Run) -> list[float]:
        """The losses in the log, after a look that events and epochs are there once each, in order."""
        events = self.events(run)
        assert [int(event.id) for event in events] == list(range(1, len(events) + 1))
        epochs = [event.data for event in events if event.event == "epoch"]
        assert [epoch["epoch"] for epoch in epochs] == list(range(len(epochs)))
        return [epoch["loss"] for epoch in epochs]

    def ended(self, run: Run) -> Run:
        """The run once it has ended."""
        return self._once(run, lambda now: not now.status.is_active)

    def under_way(self, run: Run, epochs: int = 1) -> Run:
        """The run once so many epochs are done."""
        return self._once(run, lambda now: now.epochs_done >= epochs or not now.status.is_active)

    def _once(self, run: Run, holds: object) -> Run:
        async def wait() -> None:
            while (live := self.runs._active.live.get(run.id)) is not None and not holds(live.run):  # type: ignore[operator]
                await live.has_moved.wait()

        self.runs._thread.call(wait(), WITHIN_S)
        return self.runs.get(run.id)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    found = World(tmp_path_factory.mktemp("data"))
    yield found
    found.close()


def test_the_tutorials_run_succeeds_and_its_result_is_the_trees_next_revision(world: World) -> None:
    tree = world.tree()
    run = world.ended(world.runs.start(tree.id, RunConfig()))
    assert (run.status, run.epochs_done, run.number, run.tree_revision) == ("succeeded", 10, 1, 1)
    assert run.loss == run.best_loss == pytest.approx(LOSSES[-1], rel=1e-5)
    assert world.losses(run) == pytest.approx(LOSSES, rel=1e-5)
    assert run.result_revision == world.trees.get(tree.id).revision == 2
    with world.trees.reading(tree.id) as opened, torch.no_grad():
        assert opened.module(torch.tensor([[10.0]])).item() == pytest.approx(AT_TEN, abs=5e-5)
        weight, bias = (float(opened.module.get_parameter(name)) for name in ("weight", "bias"))
    assert run.fit is not None
    assert (run.fit.slope, run.fit.intercept) == (weight, bias)


def test_undo_takes_the_result_back(world: World) -> None:
    tree = world.tree()
    world.ended(world.runs.start(tree.id, RunConfig()))
    world.trees.undo(tree.id)
    again = world.ended(world.runs.start(tree.id, RunConfig()))
    assert (again.number, again.tree_revision) == (2, 1)
    assert world.losses(again) == pytest.approx(LOSSES, rel=1e-5)


def test_events_of_a_run_begin_with_queued_and_end_with_the_run(world: World) -> None:
    run = world.ended(world.runs.start(world.tree().id, RunConfig(epochs=1)))
    events = world.events(run)
    assert [(event.event, event.data.get("status")) for event in events] == [
        ("status", "queued"),
        ("status", "running"),
        ("epoch", None),
        ("status", "succeeded"),
        ("end", "succeeded"),
    ]
    assert events[-1].data["id"] == run.id


def test_runs_wait_for_each_other_in_order(world: World) -> None:
    tree = world.tree()
    first = world.runs.start(tree.id, LONG)
    second, third = (world.runs.start(tree.id, RunConfig()) for _ in range(2))
    assert (second.status, third.status) == ("queued", "queued")
    world.under_way(first)
    assert world.runs.cancel(third.id).status == "cancelled"
    world.runs.cancel(first.id)
    assert world.ended(second).status == "succeeded"
    assert world.runs.get(third.id).epochs_done == 0


def test_a_run_on_a_tree_that_was_changed_keeps_its_result_to_itself(world: World) -> None:
    tree = world.tree()
    blocker = world.runs.start(tree.id, LONG)
    run = world.runs.start(tree.id, RunConfig())
    world.trees.edit(tree.id, lambda opened: register_parameter(opened.module, "", "extra", [1.0]), note="changed")
    world.runs.cancel(blocker.id)
    run = world.ended(run)
    assert (run.status, run.result_revision) == ("succeeded", None)

    applied = world.runs.apply(run.id)
    assert (applied.num_applied, applied.unfit) == (6, ())
    assert applied.revision == world.runs.get(run.id).result_revision == world.trees.get(tree.id).revision
    with world.trees.reading(tree.id) as opened, torch.no_grad():
        assert opened.module(torch.tensor([[10.0]])).item() == pytest.approx(AT_TEN, abs=5e-5)
        assert opened.module.get_parameter("extra").tolist() == [1.0]


def test_what_no_longer_fits_is_said_by_name(world: World) -> None:
    tree = world.tree()
    run = world.ended(world.runs.start(tree.id, RunConfig()))

    def change(opened: OpenTree) -> None:
        delete(opened.module, "sub1.sub2_1")
        delete(opened.module, "sub1.bias")
        register_parameter(opened.module, "sub1", "bias", [1.0, 2.0])

    world.trees.edit(tree.id, change, note="changed")
    applied = world.runs.apply(run.id)
    assert (applied.num_applied, applied.num_unfit) == (3, 3)
    assert {unfit.path: unfit.msg for unfit in applied.unfit} == {
        "sub1.bias": "(1,) float32 in the run, (2,) float32 in the tree",
        "sub1.sub2_1.weight": "the tree has no such parameter any more",
        "sub1.sub2_1.bias": "the tree has no such parameter any more",
    }


def test_a_result_is_put_on_its_tree_once_whenever_the_server_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path / "whole")
    put_result = world.trees.put_result

    def put(*arguments: Any) -> int | None:
        # The files as they are at these moments are what a kill would leave.
        shutil.copytree(tmp_path / "whole", tmp_path / "before")
        revision = put_result(*arguments)
        shutil.copytree(tmp_path / "whole", tmp_path / "after")
        return revision

    monkeypatch.setattr(world.trees, "put_result", put)
    tree = world.tree()
    run = world.ended(world.runs.start(tree.id, RunConfig(epochs=500)))
    losses = world.losses(run)
    world.close()
    for moment in ("before", "after"):
        left = World(tmp_path / moment)
        found = left.ended(run)
        assert msgspec.structs.replace(found, ended_at=run.ended_at) == run
        assert (found.status, found.result_revision) == ("succeeded", 2)
        assert [each.revision for each in left.trees.history(tree.id)] == [2, 1]
        assert left.losses(run) == losses
        assert [path.name for path in left.folder.iterdir()] == [f"{run.id}-result.safetensors"]
        assert len(list((tmp_path / moment / "tensors").iterdir())) == 2
        left.close()


def test_a_run_outlives_its_tree(world: World) -> None:
    tree = world.tree()
    run = world.under_way(world.runs.start(tree.id, RunConfig(epochs=5000)))
    world.trees.delete(tree.id)
    run = world.ended(run)
    assert (run.status, run.tree, run.tree_deleted, run.result_revision) == ("succeeded", tree.id, True, None)
    with pytest.raises(NotFound):
        world.runs.apply(run.id)


def test_a_run_that_raises_fails_with_torchs_message(world: World) -> None:
    run = world.ended(world.runs.start(world.tree().id, RunConfig(loss="BCELoss")))
    assert run.status == "failed"
    assert run.error is not None
    assert "between 0 and 1" in run.error
    assert world.events(run)[-2].data["error"] == run.error


def test_a_killed_worker_interrupts_its_run_which_can_be_resumed(world: World) -> None:
    tree, config = world.tree(), RunConfig(epochs=4000, checkpoint_every=100)
    run = world.under_way(world.runs.start(tree.id, config), 300)
    (pid,) = world.executor.pids
    os.kill(pid, signal.SIGKILL)
    run = world.ended(run)
    assert run.status == "interrupted"
    assert run.error == f"the worker process ended with signal 9 (SIGKILL) at epoch {run.epochs_done}"
    assert len(world.losses(run)) == run.epochs_done
    straight = world.ended(world.runs.start(world.tree().id, config))
    world.runs.resume(run.id)
    run = world.ended(run)
    assert (run.status, run.error) == ("succeeded", None)
    assert world.losses(run) == world.losses(straight)


def test_cancel_returns_the_run_as_it_ended(world: World) -> None:
    run = world.under_way(world.runs.start(world.tree().id, LONG))
    run = world.runs.cancel(run.id)
    assert (run.status, run.result_revision) == ("cancelled", None)
    assert run.ended_at is not None
    assert len(world.losses(run)) == run.epochs_done
    with pytest.raises(CannotDo, match="cancelled"):
        world.runs.cancel(run.id)
    with pytest.raises(CannotDo, match="cancelled"):
        world.runs.apply(run.id)


def test_a_run_in_an_endless_epoch_is_cancelled_too(world: World) -> None:
    config = RunConfig(optimizer="LBFGS", optimizer_args=ENDLESS_EPOCH, data=LineData(count=100_000))
    run = world.under_way(world.runs.start(world.tree().id, config))
    assert world.runs.cancel(run.id).status == "cancelled"


def test_a_paused_run_goes_on_as_if_nothing_had_been(world: World) -> None:
    tree = world.tree()
    config = RunConfig(epochs=6000, optimizer="Adam")
    run = world.under_way(world.runs.start(tree.id, config), 100)
    assert world.runs.pause(run.id).status == "paused"
    with pytest.raises(CannotDo, match="paused"):
        world.runs.pause(run.id)
    assert world.runs.resume(run.id).status == "running"
    run = world.ended(run)
    world.trees.undo(tree.id)
    straight = world.ended(world.runs.start(tree.id, config))
    assert world.losses(run) == world.losses(straight)
    statuses = [event.data["status"] for event in world.events(run) if event.event == "status"]
    assert statuses == ["queued", "running", "paused", "running", "succeeded"]


def test_losses_that_are_not_finite_do_not_stop_a_run(world: World) -> None:
    run = world.ended(world.runs.start(world.tree().id, RunConfig(lr=1e30)))
    assert (run.status, run.epochs_done, run.loss, run.nonfinite, run.fit) == ("succeeded", 10, None, "nan", None)
    assert run.best_loss == pytest.approx(LOSSES[0], rel=1e-5)
    epochs = [event.data for event in world.events(run) if event.event == "epoch"]
    assert [epoch.get("nonfinite") for epoch in epochs[:3]] == [None, "inf", "nan"]


def test_a_tree_without_anything_to_train_is_refused(world: World) -> None:
    tree = world.tree()
    world.trees.edit(tree.id, lambda opened: requires_grad_(opened.module, "", False), note="frozen")
    with pytest.raises(CannotDo, match="linear_model1"):
        world.runs.start(tree.id, RunConfig())


def test_a_config_that_does_not_fit_leaves_nothing(world: World) -> None:
    before = world.runs.count(), set(world.folder.iterdir())
    with pytest.raises(Invalid):
        world.runs.start(world.tree().id, RunConfig(lr=-1))
    with pytest.raises(NotFound):
        world.runs.start("t_none", RunConfig())
    assert (world.runs.count(), set(world.folder.iterdir())) == before


def test_a_deleted_run_leaves_nothing(world: World) -> None:
    run = world.under_way(world.runs.start(world.tree().id, LONG))
    with pytest.raises(CannotDo, match="cancel it"):
        world.runs.delete(run.id)
    world.runs.cancel(run.id)
    world.runs.delete(run.id)
    for ask in (world.runs.get, world.runs.delete, world.runs.cancel, world.runs.resume, world.runs.last_event):
        with pytest.raises(NotFound):
            ask(run.id)
    assert not list(world.folder.glob(f"{run.id}*"))


def test_only_the_result_of_a_run_stays_in_a_file(world: World) -> None:
    run = world.ended(world.runs.start(world.tree().id, RunConfig(epochs=30, checkpoint_every=10)))
    assert [path.name for path in world.folder.glob(f"{run.id}*")] == [f"{run.id}-result.safetensors"]
    assert run.checkpoint_epoch == 20


def test_what_a_killed_server_left_unfinished_is_swept_at_the_next_start(tmp_path: Path) -> None:
    world = World(tmp_path)
    run = world.ended(world.runs.start(world.tree().id, RunConfig()))
    (result,) = world.folder.iterdir()
    for name in ("r_gone-start.safetensors", ".r_gone-result.safetensors.123", f"{run.id}-5.checkpoint.safetensors"):
        (world.folder / name).touch()
    world.close()
    world = World(tmp_path)
    world.close()
    assert list(world.folder.iterdir()) == [result]


def test_epochs_come_a_page_at_a_time(world: World) -> None:
    run = world.ended(world.runs.start(world.tree().id, RunConfig(epochs=1000)))
    everything = world.losses(run)
    found: list[float] = []
    following: int | None = -1
    while following is not None:
        columns, following = world.runs.epochs(run.id, following, 300)
        assert columns is not None
        assert columns.first == len(found)
        found += columns.loss.tolist()
    assert found == everything
    assert world.runs.epochs(run.id, 999, 10) == (None, None)


def test_two_workers_train_two_runs_and_a_paused_one_gives_its_place_to_the_next(tmp_path: Path) -> None:
    world = World(tmp_path, num_workers=2, max_queued=1)
    try:
        tree = world.tree()
        first, second = (world.under_way(world.runs.start(tree.id, LONG)) for _ in range(2))
        third = world.runs.start(tree.id, LONG)
        assert third.status == "queued"
        with pytest.raises(TooManyRuns):
            world.runs.start(tree.id, LONG)
        assert world.runs.pause(first.id).status in {"running", "paused"}
        assert world.under_way(third).status == "running"
        assert world._once(first, lambda now: now.status == "paused").status == "paused"
        fourth = world.runs.start(tree.id, LONG)
        with pytest.raises(CannotDo, match="cancel it"):
            world.runs.delete(first.id)
        assert [world.runs.cancel(run.id).status for run in (fourth, first, second, third)] == ["cancelled"] * 4
        assert world.ended(world.runs.start(tree.id, RunConfig())).status == "succeeded"
    finally:
        world.close()


def test_more_statistics_of_modules_than_a_run_keeps_are_refused(world: World) -> None:
    config = RunConfig(epochs=10_000_000, module_stats_every=1)
    with pytest.raises(Invalid, match=r"module_stats_every: .* 2 or more"):
        world.runs.start(world.tree().id, config)


def test_a_full_queue_refuses_and_leaves_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, max_queued=1)
    try:
        tree = world.tree()
        world.under_way(world.runs.start(tree.id, LONG))
        world.runs.start(tree.id, LONG)
        files = set(world.folder.iterdir())
        with pytest.raises(TooManyRuns) as caught:
            world.runs.start(tree.id, LONG)
        assert caught.value.retry_after_s > 0
        assert world.runs.count() == 2
        assert set(world.folder.iterdir()) == files
    finally:
        world.close()


def test_a_stopped_server_writes_checkpoints_and_the_next_one_goes_on_from_them(tmp_path: Path) -> None:
    config = RunConfig(epochs=6000, optimizer="Adam", seed=1)
    world = World(tmp_path)
    tree = world.tree()
    run = world.under_way(world.runs.start(tree.id, config), 300)
    waiting = world.runs.start(tree.id, RunConfig())
    world.close()
    assert RunStore(Database.open(f"sqlite:///{tmp_path / 'moduletree.db'}")).get(run.id).run.status == "interrupted"

    world = World(tmp_path)
    try:
        run = world.runs.get(run.id)
        assert run.status == "interrupted"
        assert run.error == f"the server stopped at epoch {run.epochs_done}"
        assert run.checkpoint_epoch == run.epochs_done
        assert [event.event for event in world.events(run)][-2:] == ["status", "end"]
        done = world.losses(run)
        assert 300 <= len(done) < 6000

        # What had not begun was not interrupted: it waits as before.
        assert world.ended(waiting).status == "succeeded"
        assert world.runs.resume(run.id).status in {"queued", "running"}
        run = world.ended(run)
        assert (run.status, run.error, run.note) == ("succeeded", None, None)
        losses = world.losses(run)
        assert losses[: len(done)] == done
        events = world.events(run)
        assert [event.event for event in events].count("end") == 1
        assert [event.data["resumed_from"] for event in events if "resumed_from" in event.data] == [len(done)]
        statuses = [event.data["status"] for event in events if event.event == "status"]
        # The second of the same was the end.
        assert statuses == ["queued", "running", "interrupted", "interrupted", "queued", "running", "succeeded"]

        assert world.losses(world.ended(world.runs.start(world.tree().id, config))) == losses
    finally:
        world.close()


def test_a_server_that_is_to_resume_goes_on_with_all_but_what_was_paused(tmp_path: Path) -> None:
    world = World(tmp_path)
    paused = world.under_way(world.runs.start(world.tree().id, LONG), 10)
    world.runs.pause(paused.id)
    run = world.under_way(world.runs.start(world.tree().id, LONG), 10)
    world.close()

    world = World(tmp_path, resume_interrupted=True)
    try:
        before = world.losses(run)
        run = world.under_way(run, len(before) + 10)
        assert run.status == "running"
        assert world.losses(run)[: len(before)] == before
        held = world.runs.get(paused.id)
        assert (held.status, held.checkpoint_epoch) == ("interrupted", held.epochs_done)
        world.runs.cancel(run.id)
        world.runs.resume(held.id)
        assert world.under_way(held, held.epochs_done + 10).status == "running"
        assert len(world.losses(held)) >= held.epochs_done + 10
        world.runs.cancel(held.id)
    finally:
        world.close()


@pytest.mark.parametrize("damage", ["the last is cut off", "the last is changed", "all are gone"])
def test_a_run_goes_on_without_checkpoints_that_cannot_be_used_and_says_so(tmp_path: Path, damage: str) -> None:
    config = RunConfig(epochs=3000, checkpoint_every=400, optimizer="Adam")
    world = World(tmp_path)
    run = world.under_way(world.runs.start(world.tree().id, config), 1500)
    world.close()
    run = RunStore(Database.open(f"sqlite:///{tmp_path / 'moduletree.db'}")).get(run.id).run
    before, last = (world.folder / name for name in RunFiles(world.folder).checkpoints(run.id))
    match damage:
        case "the last is cut off":
            last.write_bytes(last.read_bytes()[:-5])
        case "the last is changed":
            last.write_bytes(last.read_bytes()[:-1] + b"?")
        case _:
            before.unlink()
            last.unlink()

    world = World(tmp_path)
    try:
        world.runs.resume(run.id)
        run = world.ended(run)
        assert run.status == "succeeded"
        resumed = [event.data for event in world.events(run) if "resumed_from" in event.data]
        expected = 0 if damage == "all are gone" else epoch_of(before.name)
        assert [data["resumed_from"] for data in resumed] == [expected]
        assert run.note is not None
        assert last.name in run.note
        assert run.note == resumed[0]["note"]
        assert world.losses(run) == world.losses(world.ended(world.runs.start(world.tree().id, config)))
    finally:
        world.close()


def test_a_run_writes_checkpoints_by_itself(tmp_path: Path) -> None:
    world = World(tmp_path, checkpoint_s=0.02)
    try:
        run = world.runs.start(world.tree().id, LONG)
        run = world._once(run, lambda now: now.checkpoint_epoch)
        assert run.checkpoint_epoch
        run = world._once(run, lambda now: now.checkpoint_epoch > run.checkpoint_epoch)
        world.runs.cancel(run.id)
        assert not list(world.folder.glob(f"{run.id}*"))
    finally:
        world.close()


def test_a_copy_of_the_data_taken_in_mid_run_holds_a_run_that_can_be_resumed(tmp_path: Path) -> None:
    world = World(tmp_path / "one")
    run = world.under_way(world.runs.start(world.tree().id, LONG), 500)
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    world.close()
    copied = World(tmp_path / "two")
    try:
        run = copied.runs.get(run.id)
        assert run.status is RunStatus.INTERRUPTED
        assert len(copied.losses(run)) == run.epochs_done >= 500
        copied.runs.resume(run.id)
        copied.under_way(run, run.epochs_done + 10)
        copied.runs.cancel(run.id)
        kinds = [chunk.kind for chunk in copied.store.events(run.id, 0, 10**9)]
        assert kinds.count(EventKind.END) == 1
        assert len(copied.losses(run)) > run.epochs_done
    finally:
        copied.close()
