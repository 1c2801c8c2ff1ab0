"""A run as it stands: what the contract shows of it, and what is kept beside."""

from datetime import datetime
from enum import StrEnum

import msgspec

from app.training.config import RunConfig


class RunStatus(StrEnum):
    """Where a run is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def is_active(self) -> bool:
        """Whether the run still does something, or waits to."""
        return self in ACTIVE


ACTIVE = frozenset({RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.PAUSED})


class Line(msgspec.Struct, frozen=True):
    """The function y = slope * x + intercept that the tree is after the run."""

    slope: float
    intercept: float


class Overhead(msgspec.Struct, frozen=True):
    """What watching cost the run: shares of the time that it trained, from 0 to 1."""

    module_stats: float


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run in the fields of the contract.

    `loss` is that of the last epoch done, before its step; null with `nonfinite` where it is no finite number.
    `best_loss` is the lowest finite one. `checkpoint_epoch` is how many epochs the last checkpoint holds. `number`
    counts the runs of a tree from 1. `lr` is that of the last epoch done where a schedule moves it. `step` is the step
    that was taken, null before the first. `overhead` is null where no statistics of modules were asked for.
    """

    id: str
    tree: str
    tree_name: str
    tree_deleted: bool = False
    tree_revision: int
    number: int = 0
    status: RunStatus = RunStatus.QUEUED
    epochs: int
    epochs_done: int = 0
    loss: float | None = None
    nonfinite: str | None = None
    best_loss: float | None = None
    validation_loss: float | None = None
    best_validation_loss: float | None = None
    lr: float | None = None
    stopped_early: bool = False
    step: str | None = None
    num_module_stats: int = 0
    overhead: Overhead | None = None
    fit: Line | None = None
    checkpoint_epoch: int | None = None
    config: RunConfig
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error: str | None = None
    note: str | None = None
    result_revision: int | None = None


class KeptRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run with what only the server needs: the number of its last event and the names of its files.

    `is_held` says that it was paused when it was interrupted: it goes on only when somebody says so.
    """

    run: Run
    last_event: int = 0
    start_tensors: str
    result_tensors: str | None = None
    checkpoint: str | None = None
    is_held: bool = False


def encode_run(run: Run) -> bytes:
    """Return the run as JSON, the same in an answer and in the `end` event."""
    return msgspec.json.encode(run)
