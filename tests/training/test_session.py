"""What a worker says of a run: every epoch and its statistics once, whatever it went on from."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.training.config import EarlyStopping, RunConfig
from app.training.control import Control
from app.training.data import LineData
from app.training.messages import (
    Cancel,
    Checkpoint,
    Checkpointed,
    Done,
    Epochs,
    Failed,
    Frames,
    FromWorker,
    Interrupted,
    NotCheckpointed,
    Pause,
    Paused,
    Restored,
    Resume,
    Resumed,
    Start,
    from_worker,
)
from app.training.tensors_file import write_tensors
from app.training.worker import run
from app.trees import snapshot
from app.trees.index import TreeIndex
from tests.training.tutorial_run import chain

RUN = "r_1"
EVERYTHING: dict[str, Any] = {
    "epochs": 30,
    "lr": 1e-4,
    "optimizer": "Adam",
    "data": LineData(count=20),
    "seed": 3,
    "batch_size": 3,
    "validation_split": 0.25,
    "lr_scheduler": "CosineAnnealingLR",
    "lr_scheduler_args": {"T_max": 7},
    "early_stopping": EarlyStopping(20),
    "frozen": ("sub.sub",),
    "module_stats_every": 4,
    "checkpoint_every": 10,
}
COLUMNS = {"loss": "<f8", "validation_loss": "<f8", "lr": "<f8", "slope": "<f4", "intercept": "<f4"}


class Worker:
    """A worker's thread of this process, and what it says, message by message."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.control = Control()
        self.said: list[FromWorker] = []

    def started(self, config: RunConfig, **more: Any) -> Start:
        taken = snapshot.take(TreeIndex.of(chain([(1.0, 0.5), (0.5, 0.25), (1.5, 0.0)])))
        write_tensors(self.folder / "start", taken.tensors)
        files = {"tensors": str(self.folder / "start"), "result": str(self.folder / "result")}
        return Start(**{"run": RUN, "structure": taken.structure, "config": config, "seed": 3, **files, **more})

    def hear(self, start: Start, on: Callable[[FromWorker], None] = lambda message: None) -> list[FromWorker]:
        """All that is said of a run; `on` is called with each message as it comes."""
        self.control.begin(RUN)
        self.said = []
        read_fd, write_fd = os.pipe()
        thread = threading.Thread(target=self._run, args=(start, write_fd))
        thread.start()
        frames = Frames()
        while data := os.read(read_fd, 1 << 16):
            for body in frames.feed(data):
                self.said.append(from_worker.decode(body))
                on(self.said[-1])
        thread.join()
        os.close(read_fd)
        return self.said

    def _run(self, start: Start, fd: int) -> None:
        try:
            run(start, self.control, fd)
        finally:
            os.close(fd)


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    torch.set_num_threads(1)
    yield Worker(tmp_path)
    torch.set_num_threads(threads)
    torch.set_rng_state(before)


def columns(heard: Sequence[FromWorker]) -> dict[str, list[float]]:
    """All epochs by column, after a look that none is missing or told twice, and that statistics come with theirs."""
    found: dict[str, list[float]] = {name: [] for name in [*COLUMNS, "epochs", "figures"]}
    batches = [message for message in heard if isinstance(message, Epochs)]
    for batch in batches:
        assert batch.first == batches[0].first + len(found["loss"])
        for name, kind in COLUMNS.items():
            found[name] += np.frombuffer(getattr(batch, name), kind).tolist()
        epochs = np.frombuffer(batch.modules, "<i8", batch.num_modules).tolist()
        assert all(batch.first <= epoch < batches[0].first + len(found["loss"]) for epoch in epochs)
        found["epochs"] += epochs
        # NaN, where no gradient arrives, is equal to itself here.
        found["figures"] += np.nan_to_num(np.frombuffer(batch.modules, "<f4", offset=8 * len(epochs)), nan=-1).tolist()
    return found


def test_from_every_checkpoint_and_wherever_it_was_cut_the_rest_is_told_once_to_the_bit(worker: Worker) -> None:
    config = RunConfig(**EVERYTHING)
    heard = worker.hear(worker.started(config))
    whole = columns(heard)
    assert isinstance(heard[-1], Done)
    assert whole["epochs"] == list(range(0, 30, 4))
    assert len(whole["validation_loss"]) == len(whole["lr"]) == 30
    result = (worker.folder / "result").read_bytes()
    paths = [worker.folder / message.path for message in heard if isinstance(message, Checkpointed)]
    assert len(paths) == 2
    per_epoch = len(whole["figures"]) // len(whole["epochs"])
    for number, path in enumerate([None, *paths]):
        for emit_from in (10 * number, 10 * number + 3):
            path_or_none = (str(path),) if path else ()
            again = worker.hear(worker.started(config, checkpoints=path_or_none, emit_from=emit_from))
            if emit_from:
                assert again[0] == Restored(RUN, 10 * number)
            rest = columns(again)
            assert all(rest[name] == whole[name][emit_from:] for name in COLUMNS)
            assert rest["epochs"] == [epoch for epoch in whole["epochs"] if epoch >= emit_from]
            assert rest["figures"] == whole["figures"][len(whole["figures"]) - per_epoch * len(rest["epochs"]) :]
            assert (worker.folder / "result").read_bytes() == result


@pytest.mark.parametrize("step", ["autograd", "fused"])
def test_a_long_run_is_told_the_same_whatever_the_clock_makes_of_it(worker: Worker, step: str) -> None:
    config = RunConfig(epochs=3_000, lr=1e-5, step=step, module_stats_every=700, checkpoint_every=999)
    heard = worker.hear(worker.started(config))
    whole = columns(heard)
    assert len(whole["loss"]) == 3_000
    assert whole["epochs"] == [0, 700, 1400, 2100, 2800]
    assert not whole["lr"]
    assert not whole["validation_loss"]
    batches = [message for message in heard if isinstance(message, Epochs)]
    assert {batch.step for batch in batches} == {step}
    assert 0 < batches[-1].module_stats_s < batches[-1].trained_s
    ends = np.concatenate([batch.base_at + np.frombuffer(batch.at, "<f4").astype("f8") for batch in batches])
    assert (np.diff(ends) > -0.001).all()
    short = RunConfig(epochs=1_000, lr=1e-5, step="autograd" if step == "fused" else "fused")
    assert columns(worker.hear(worker.started(short)))["loss"] == whole["loss"][:1_000]
    path = next(str(worker.folder / message.path) for message in heard if isinstance(message, Checkpointed))
    rest = columns(worker.hear(worker.started(config, checkpoints=(path,), emit_from=1_200)))
    assert rest["loss"] == whole["loss"][1_200:]
    assert rest["epochs"] == [1400, 2100, 2800]


def test_a_short_run_tells_its_line_at_every_epoch_and_a_long_one_now_and_then(worker: Worker) -> None:
    short = columns(worker.hear(worker.started(RunConfig(epochs=50, lr=1e-5))))
    assert np.isfinite(short["slope"]).all()
    long = columns(worker.hear(worker.started(RunConfig(epochs=2_500, lr=1e-5, step="fused"))))
    assert 0 < np.isfinite(long["slope"]).sum() < 2_500


def test_told_to_stop_it_leaves_a_checkpoint_from_which_the_rest_is_the_same(worker: Worker) -> None:
    config = RunConfig(**{**EVERYTHING, "epochs": 150, "early_stopping": None, "checkpoint_every": 0})
    whole = columns(worker.hear(worker.started(config)))

    def stop(message: FromWorker) -> None:
        if isinstance(message, Epochs):
            worker.control.ask(Checkpoint(RUN, and_stop=True))

    heard = worker.hear(worker.started(config), stop)
    checkpointed, interrupted = heard[-2:]
    assert isinstance(checkpointed, Checkpointed)
    assert checkpointed.took_s > 0
    assert interrupted == Interrupted(RUN)
    told = columns(heard)
    assert len(told["loss"]) == checkpointed.epoch < 150
    path = str(worker.folder / checkpointed.path)
    rest = columns(worker.hear(worker.started(config, checkpoints=(path,), emit_from=checkpointed.epoch)))
    for name in whole:
        assert told[name] + rest[name] == whole[name]


def test_told_to_stop_before_its_first_epoch_it_needs_no_checkpoint(worker: Worker) -> None:
    def stop(message: FromWorker) -> None:
        worker.control.ask(Checkpoint(RUN, and_stop=True))

    heard = worker.hear(worker.started(RunConfig(epochs=10_000_000), emit_from=9_000_000), stop)
    assert isinstance(heard[0], Restored)
    assert isinstance(heard[-1], Interrupted)
    assert all(isinstance(message, Checkpointed) for message in heard[1:-1])


def test_a_paused_run_checkpoints_while_it_waits_and_goes_on_or_stops(worker: Worker) -> None:
    def ask(message: FromWorker) -> None:
        control = worker.control
        match message:
            case Epochs() if not any(isinstance(said, Paused) for said in worker.said):
                control.ask(Pause(RUN))
            case Paused() if sum(isinstance(said, Paused) for said in worker.said) == 1:
                control.ask(Checkpoint(RUN))
            case Checkpointed():
                control.ask(Resume(RUN))
            case Resumed():
                control.ask(Cancel(RUN))

    heard = worker.hear(worker.started(RunConfig(epochs=10_000_000, lr=1e-5)), ask)
    kinds = [type(message).__name__ for message in heard if not isinstance(message, Epochs)]
    assert kinds == ["Paused", "Checkpointed", "Resumed", "Cancelled"]
    assert len(columns(heard)["loss"]) >= next(m.epoch for m in heard if isinstance(m, Checkpointed))


def test_a_checkpoint_that_cannot_be_written_does_not_end_the_run(worker: Worker) -> None:
    config = RunConfig(epochs=12, lr=1e-5, checkpoint_every=5)
    (worker.folder / "gone").mkdir()
    start = worker.started(config, result=str(worker.folder / "gone" / "result"))
    (worker.folder / "gone").rmdir()
    heard = worker.hear(start)
    refused = [message for message in heard if isinstance(message, NotCheckpointed)]
    assert [(message.epoch, message.error) for message in refused] == [
        (5, "No such file or directory"),
        (10, "No such file or directory"),
    ]
    assert heard[-1] == Interrupted(RUN, "the result could not be written: No such file or directory")
    assert len(columns(heard)["loss"]) == 12


def test_a_run_that_stops_early_says_so(worker: Worker) -> None:
    config = RunConfig(epochs=100, lr=0.0, early_stopping=EarlyStopping(3))
    heard = worker.hear(worker.started(config))
    assert len(columns(heard)["loss"]) == 4
    done = heard[-1]
    assert isinstance(done, Done)
    assert done.stopped_early
    just = worker.hear(worker.started(RunConfig(epochs=4, lr=0.0, early_stopping=EarlyStopping(3))))
    assert isinstance(just[-1], Done)
    assert not just[-1].stopped_early


@pytest.mark.parametrize("asked", [{"loss": "BCELoss"}, {"lr_scheduler": "OneCycleLR", "epochs": 9}])
def test_a_failure_names_its_epoch_and_what_went_wrong(worker: Worker, asked: dict[str, Any]) -> None:
    args: dict[str, Any] = {"lr_scheduler_args": {"max_lr": 1e-5, "total_steps": 5}} if "lr_scheduler" in asked else {}
    (*_, failed) = worker.hear(worker.started(RunConfig(**asked, **args)))
    assert isinstance(failed, Failed)
    start, said = ("epoch 5: ", "Tried to step 6 times") if args else ("epoch 0: ", "between 0 and 1")
    assert failed.error.startswith(start)
    assert said in failed.error


def test_files_that_are_gone_or_damaged_are_named(worker: Worker) -> None:
    (failed,) = worker.hear(worker.started(RunConfig(), tensors=str(worker.folder / "gone")))
    assert failed == Failed(RUN, "The file that the run starts from cannot be read: No such file or directory.")
    (worker.folder / "cut").write_bytes(b"12345678")
    (failed,) = worker.hear(worker.started(RunConfig(), tensors=str(worker.folder / "cut")))
    assert failed == Failed(RUN, "The file that the run starts from is damaged.")
