"""Runs that were paused and wait for a place: whatever becomes of their workers, they go on when it is their turn."""

import os
import signal
from pathlib import Path

import pytest

from app.training.local_executor import LocalExecutor
from app.training.messages import Start
from app.training.reports import MOST_LOST
from tests.training.test_runs import LONG, World


def test_who_waits_to_go_on_waits_also_without_a_worker_and_after_a_stop(tmp_path: Path) -> None:
    world = World(tmp_path)
    tree = world.tree().id
    runs = [world.under_way(world.runs.start(tree, LONG), 50)]
    for _ in range(2):
        world.runs.pause(runs[-1].id)
        runs.append(world.under_way(world.runs.start(tree, LONG), 50))
    first, second, third = runs
    (killed,) = (worker.pid for worker in world.executor._workers if worker.run == first.id)
    assert [world.runs.resume(run.id).status for run in (first, second)] == ["queued", "queued"]
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    world.under_way(third, world.runs.get(third.id).epochs_done + 500)
    world.close()

    world = World(tmp_path)
    try:
        assert world.runs.get(third.id).status == "interrupted"
        before = {run.id: world.losses(run) for run in (first, second)}
        assert world.runs.get(first.id).checkpoint_epoch is None
        assert world.runs.get(second.id).checkpoint_epoch == len(before[second.id])
        for run in (first, second):
            done = before[run.id]
            assert world.under_way(run, len(done) + 10).status == "running"
            assert world.losses(run)[: len(done)] == done
            resumed = [event.data for event in world.events(run) if "resumed_from" in event.data]
            assert [data["resumed_from"] for data in resumed] == [0 if run is first else len(done)]
            world.runs.pause(run.id)
    finally:
        world.close()


class Deadly(LocalExecutor):
    """Its first workers are killed before they hear of the run that they are given."""

    def __init__(self, num_deaths: int) -> None:
        super().__init__(1)
        self.num_deaths = num_deaths
        self.num_placed = 0

    def place(self, start: Start) -> None:
        """Start a run."""
        self.num_placed += 1
        if self.num_placed <= self.num_deaths:
            (worker,) = self._workers
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGKILL)
        super().place(start)


@pytest.mark.parametrize("num_deaths", [MOST_LOST, MOST_LOST + 1])
def test_a_run_whose_worker_is_lost_before_it_goes_on_waits_for_another(tmp_path: Path, num_deaths: int) -> None:
    world = World(tmp_path)
    run = world.under_way(world.runs.start(world.tree().id, LONG), 50)
    world.close()
    world = World(tmp_path, executor=(deadly := Deadly(num_deaths)))
    try:
        before = world.losses(run)
        world.runs.resume(run.id)
        if num_deaths <= MOST_LOST:
            assert world.under_way(run, len(before) + 10).status == "running"
            assert world.losses(run)[: len(before)] == before
        else:
            ended = world.ended(run)
            assert ended.status == "interrupted"
            assert "SIGKILL" in str(ended.error)
        assert deadly.num_placed == MOST_LOST + 1
    finally:
        world.close()
