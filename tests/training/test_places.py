"""Runs that were paused and wait for a place: whatever becomes of their workers, they go on when it is their turn."""

import os
import signal
from pathlib import Path

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
