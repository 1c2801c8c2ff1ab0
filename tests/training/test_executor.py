"""Real worker processes: they train, answer at once, and whatever becomes of them the next run works."""

import asyncio
import os
import queue
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from app.training.config import RunConfig
from app.training.data import LineData
from app.training.local_executor import LocalExecutor
from app.training.loop_thread import LoopThread
from app.training.messages import (
    AboutRun,
    Cancelled,
    Checkpointed,
    Done,
    Epochs,
    Failed,
    Lost,
    Paused,
    Resumed,
    Start,
)
from app.training.tensors_file import read_tensors, write_tensors
from app.trees import snapshot
from app.trees.index import TreeIndex
from tests.training.tutorial_run import LOSSES, linear_model

WITHIN_S = 30.0
pytestmark = pytest.mark.usefixtures("spawning")

# An optimizer that evaluates for ever: one epoch of it never ends.
ENDLESS_EPOCH: dict[str, object] = {
    "max_iter": 10**9,
    "max_eval": 10**9,
    "tolerance_grad": -1.0,
    "tolerance_change": -1.0,
}


class Workers:
    """An executor and all that it told."""

    def __init__(self, folder: Path, num_workers: int = 1) -> None:
        self.folder = folder
        self.told: queue.SimpleQueue[AboutRun] = queue.SimpleQueue()
        self.free: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.executor = LocalExecutor(num_workers)
        self.thread = LoopThread("test")
        self.thread.start()
        self.thread.call(self.executor.open(self))

    def tell(self, messages: Sequence[AboutRun]) -> None:
        for message in messages:
            self.told.put(message)

    def is_free(self) -> None:
        self.free.put(None)

    def close(self) -> None:
        self.thread.call(self.executor.close())
        self.thread.stop()

    def start(self, run: str, config: RunConfig, then: Callable[[], None] = lambda: None, **more: object) -> None:
        """Places a run of a LinearModel when a worker is free, and does what is to be done in the same breath."""
        self.wait_until_free()
        taken = snapshot.take(TreeIndex.of(linear_model()))
        write_tensors(self.folder / "start", taken.tensors)
        values = {
            "run": run,
            "structure": taken.structure,
            "tensors": str(self.folder / "start"),
            "config": config,
            "seed": 0,
            "result": str(self.folder / f"{run}-result"),
            **more,
        }

        def place() -> None:
            self.executor.place(Start(**values))  # type: ignore[arg-type]
            then()

        self.do(place)

    def wait_until_free(self) -> None:
        while not self.executor.has_room:
            self.free.get(timeout=WITHIN_S)

    def do(self, function: Callable[[], None]) -> None:
        async def call() -> None:
            function()

        self.thread.call(call())

    def until(self, kind: type[AboutRun]) -> list[AboutRun]:
        """All that was told, up to the first message of the kind."""
        heard = [self.told.get(timeout=WITHIN_S)]
        while not isinstance(heard[-1], kind):
            heard.append(self.told.get(timeout=WITHIN_S))
        return heard


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    found = Workers(tmp_path_factory.mktemp("tensors"))
    yield found
    found.close()


def losses(heard: Sequence[AboutRun]) -> list[float]:
    """The losses told, after a look that no epoch is missing or told twice."""
    batches = [message for message in heard if isinstance(message, Epochs)]
    found: list[float] = []
    for batch in batches:
        assert batch.first == batches[0].first + len(found)
        found += np.frombuffer(batch.loss, "<f8").tolist()
    return found


def test_the_tutorials_run_gives_its_losses_and_its_parameters(workers: Workers) -> None:
    workers.start("r_tutorial", RunConfig())
    heard = workers.until(Done)
    assert losses(heard) == pytest.approx(LOSSES, rel=1e-5)
    done = heard[-1]
    assert isinstance(done, Done)
    weight, bias = read_tensors(workers.folder / "r_tutorial-result")[0]["float32"].tolist()
    assert (done.slope, done.intercept) == (weight, bias)


def test_the_same_config_gives_the_same_bits(workers: Workers) -> None:
    found = []
    for run in ("r_once", "r_twice"):
        workers.start(run, RunConfig(epochs=500, optimizer="Adam", seed=3))
        found.append((losses(workers.until(Done)), (workers.folder / f"{run}-result").read_bytes()))
    assert found[0] == found[1]
    assert len(found[0][0]) == 500


def test_the_line_told_with_an_epoch_is_the_one_before_its_step(workers: Workers) -> None:
    workers.start("r_line", RunConfig(epochs=100))
    heard = [message for message in workers.until(Done) if isinstance(message, Epochs)]
    x = np.arange(10)
    for batch in heard:
        columns = (np.frombuffer(column, "<f4") for column in (batch.slope, batch.intercept))
        expected = [
            float(np.mean((slope * x + intercept - 2 * x - 1) ** 2)) for slope, intercept in zip(*columns, strict=True)
        ]
        assert np.frombuffer(batch.loss, "<f8").tolist() == pytest.approx(expected, rel=1e-3, abs=1e-9)


def test_a_forward_that_fails_fails_the_run_with_torchs_message(workers: Workers) -> None:
    workers.start("r_bad", RunConfig(loss="BCELoss"))
    (failed,) = workers.until(Failed)
    assert isinstance(failed, Failed)
    assert "all elements of input should be between 0 and 1" in failed.error
    workers.start("r_next", RunConfig())
    assert len(losses(workers.until(Done))) == 10


def test_a_file_that_is_gone_fails_the_run(workers: Workers) -> None:
    workers.start("r_lost", RunConfig(), tensors=str(workers.folder / "gone"))
    assert isinstance(workers.until(Failed)[-1], Failed)


def test_cancel_is_answered_within_an_epoch(workers: Workers) -> None:
    workers.start("r_long", RunConfig(epochs=10_000_000))
    workers.until(Epochs)
    pids = workers.executor.pids
    workers.do(lambda: workers.executor.cancel("r_long"))
    workers.until(Cancelled)
    assert workers.executor.pids == pids


def lost_in_s(workers: Workers, run: str) -> float:
    """Cancel a run in an epoch that never ends, and return how long its worker took to be gone."""
    config = RunConfig(optimizer="LBFGS", optimizer_args=ENDLESS_EPOCH, data=LineData(count=100_000))
    workers.start(run, config)
    workers.until(Epochs)
    began = time.perf_counter()
    workers.do(lambda: workers.executor.cancel(run))
    workers.until(Lost)
    return time.perf_counter() - began


def test_a_run_whose_epoch_never_ends_is_cancelled_within_200_ms(workers: Workers) -> None:
    # A machine that is busy with others may take longer once, not each time.
    assert any(lost_in_s(workers, f"r_endless{number}") < 0.2 for number in range(3))
    workers.start("r_after", RunConfig())
    assert len(losses(workers.until(Done))) == 10


def test_a_worker_that_is_killed_loses_its_run_and_is_replaced(workers: Workers) -> None:
    workers.start("r_killed", RunConfig(epochs=10_000_000))
    workers.until(Epochs)
    (pid,) = workers.executor.pids
    os.kill(pid, signal.SIGKILL)
    lost = workers.until(Lost)[-1]
    assert isinstance(lost, Lost)
    assert lost.error == "the worker process ended with signal 9 (SIGKILL)"
    workers.start("r_again", RunConfig())
    assert len(losses(workers.until(Done))) == 10
    assert workers.executor.pids != [pid]


def test_a_paused_run_waits_where_it_is_and_leaves_the_worker_to_others(workers: Workers) -> None:
    workers.start("r_paused", RunConfig(epochs=10_000_000))
    before = workers.until(Epochs)
    workers.do(lambda: workers.executor.pause("r_paused"))
    before += workers.until(Paused)
    workers.start("r_between", RunConfig())
    assert len(losses(workers.until(Done))) == 10
    workers.do(lambda: workers.executor.resume("r_paused"))
    after = workers.until(Resumed) + workers.until(Epochs)
    assert isinstance(after[-1], Epochs)
    assert after[-1].first == len(losses(before))
    # There is one worker too many then.
    assert len(workers.executor.pids) == workers.executor.num_workers
    workers.do(lambda: workers.executor.pause("r_paused"))
    workers.until(Paused)
    workers.do(lambda: workers.executor.cancel("r_paused"))
    workers.until(Cancelled)


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "LBFGS"])
def test_a_run_that_goes_on_from_its_checkpoint_tells_only_what_is_new(workers: Workers, optimizer: str) -> None:
    config = RunConfig(epochs=25, optimizer=optimizer, checkpoint_every=10)
    workers.start("r_whole", config)
    heard = workers.until(Done)
    kept = [message for message in heard if isinstance(message, Checkpointed)]
    assert [message.epoch for message in kept] == [10, 20]
    path = str(workers.folder / kept[0].path)
    workers.start("r_rest", config, checkpoints=(path,), emit_from=17)
    again = workers.until(Done)
    assert losses(again) == losses(heard)[17:]
    assert [message.epoch for message in again if isinstance(message, Checkpointed)] == [20]
    results = [(workers.folder / f"{run}-result").read_bytes() for run in ("r_whole", "r_rest")]
    assert results[0] == results[1]


def test_what_is_asked_before_the_first_epoch_counts(workers: Workers) -> None:
    def place_and_pause() -> None:
        workers.executor.pause("r_early")
        workers.executor.resume("r_early")
        workers.executor.cancel("r_early")

    pids = workers.executor.pids
    workers.start("r_early", RunConfig(epochs=10_000_000), then=place_and_pause)
    workers.until(Cancelled)
    assert workers.executor.pids == pids


def test_a_request_about_another_run_is_stale(workers: Workers) -> None:
    workers.start("r_now", RunConfig(epochs=2000))
    workers.do(lambda: workers.executor.cancel("r_before"))
    assert len(losses(workers.until(Done))) == 2000


def test_workers_end_when_nobody_listens_any_more(tmp_path: Path) -> None:
    async def play() -> int:
        executor = LocalExecutor(1)
        ready = asyncio.Event()

        class Waits:
            def tell(self, messages: Sequence[AboutRun]) -> None: ...

            def is_free(self) -> None:
                ready.set()

        await executor.open(Waits())
        await asyncio.wait_for(ready.wait(), WITHIN_S)
        (pid,) = executor.pids
        # As when the server is killed: nobody tells the worker, its socket just closes.
        (worker,) = executor._workers
        process = worker._process
        worker.close()
        assert process is not None
        assert await asyncio.to_thread(process.wait, WITHIN_S) in {0, -signal.SIGKILL}
        await executor.close()
        return pid

    pid = asyncio.run(play())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
