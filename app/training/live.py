"""A run while it is active: what happens to it becomes its next state and its next events."""

import asyncio
from datetime import UTC, datetime
from enum import StrEnum

import msgspec
import numpy as np

from app.training.events import kind_of
from app.training.log import Chunk, EventKind, pack_epochs
from app.training.messages import Epochs
from app.training.ports import Update
from app.training.run import KeptRun, Line, Run, RunStatus, encode_run


class Phase(StrEnum):
    """What an active run is up to; its status says as much as a client needs."""

    QUEUED = "queued"
    TRAINING = "training"
    CANCELLING = "cancelling"
    FINISHING = "finishing"


class LiveRun:
    """The present state of an active run; each method notes one thing that happened.

    `update` is what has to be written: the state, and the events that are not written yet.
    """

    def __init__(self, kept: KeptRun) -> None:
        self.kept = kept
        self.phase = Phase.QUEUED
        self.has_moved = asyncio.Event()
        self._chunks: list[Chunk] = []

    @property
    def run(self) -> Run:
        """The run as the contract shows it."""
        return self.kept.run

    def update(self) -> Update:
        """Return the state and the events that are not written yet."""
        return Update(self.kept, tuple(self._chunks))

    def written(self, update: Update) -> None:
        """Note that an update is written: whoever waits for the run to move looks again."""
        del self._chunks[: len(update.chunks)]
        self.has_moved.set()
        self.has_moved = asyncio.Event()

    def be(self, status: RunStatus) -> None:
        """Note that the run is in another state of its life."""
        now = datetime.now(UTC)
        changes: dict[str, object] = {"status": status}
        if status is RunStatus.RUNNING and self.run.started_at is None:
            changes["started_at"] = now
        if status is RunStatus.QUEUED:
            changes.update(ended_at=None, error=None)
        self._change(**changes)
        self._say_status(now)

    def end(self, status: RunStatus, *, error: str | None = None, result_revision: int | None = None) -> None:
        """Note that the run ended; the last event is the run itself."""
        now = datetime.now(UTC)
        self._change(status=status, ended_at=now, error=error, result_revision=result_revision)
        self._say_status(now)
        self._say(EventKind.END, encode_run(self.run))

    def train(self, message: Epochs) -> None:
        """Note epochs that are done."""
        loss = np.frombuffer(message.loss, "<f8")
        first_id = self.kept.last_event + 1
        chunk = Chunk(
            first_id=first_id,
            last_id=first_id + len(loss) - 1,
            kind=EventKind.EPOCHS,
            payload=pack_epochs(message.loss, message.at, message.slope, message.intercept),
            first_epoch=message.first,
            last_epoch=message.first + len(loss) - 1,
            base_at=message.base_at,
        )
        self._chunks.append(chunk)
        self.kept = msgspec.structs.replace(self.kept, last_event=chunk.last_id)
        last, finite = float(loss[-1]), loss[np.isfinite(loss)]
        best = [self.run.best_loss] if self.run.best_loss is not None else []
        self._change(
            epochs_done=message.first + len(loss),
            loss=last if np.isfinite(last) else None,
            nonfinite=None if np.isfinite(last) else kind_of(last),
            best_loss=min([*best, float(finite.min())]) if len(finite) else self.run.best_loss,
        )

    def keep_checkpoint(self, name: str, epoch: int) -> str | None:
        """Note the file of a checkpoint, and return the one that it takes the place of."""
        before = self.kept.checkpoint
        self.kept = msgspec.structs.replace(self.kept, checkpoint=name)
        self._change(checkpoint_epoch=epoch)
        return before

    def keep_result(self, name: str) -> None:
        """Note the file of the result."""
        self.kept = msgspec.structs.replace(self.kept, result_tensors=name)

    def fit(self, slope: float, intercept: float) -> None:
        """Note the line that the tree is after its last step, unless it is none."""
        if np.isfinite(slope) and np.isfinite(intercept):
            self._change(fit=Line(slope, intercept))

    def _change(self, **changes: object) -> None:
        run = msgspec.structs.replace(self.run, **changes)
        self.kept = msgspec.structs.replace(self.kept, run=run)

    def _say_status(self, now: datetime) -> None:
        said: dict[str, object] = {"status": self.run.status, "at": now}
        if self.run.error is not None:
            said["error"] = self.run.error
        self._say(EventKind.STATUS, msgspec.json.encode(said))

    def _say(self, kind: EventKind, payload: bytes) -> None:
        number = self.kept.last_event + 1
        self._chunks.append(Chunk(number, number, kind, payload))
        self.kept = msgspec.structs.replace(self.kept, last_event=number)
