"""A run while it is active: what happens to it becomes its next state and its next events."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np

from app.training.checkpoint import epoch_of, name_of
from app.training.events import kind_of
from app.training.log import LAYOUT, Chunk, EventKind, Floats, pack_epochs
from app.training.messages import Epochs
from app.training.ports import Update
from app.training.run import KeptRun, Line, Overhead, Run, RunStatus, encode_run

# The last one, and the one before it in case that turns out to be damaged.
KEPT_CHECKPOINTS = 2


def now() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)


class Phase(StrEnum):
    """What an active run is up to; its status says as much as a client needs."""

    QUEUED = "queued"
    TRAINING = "training"
    PAUSED = "paused"
    # Resumed, and held by its worker until it may go on.
    WAITING = "waiting"
    CANCELLING = "cancelling"
    FINISHING = "finishing"


class LiveRun:
    """The present state of an active run; each method notes one thing that happened.

    `update` is what has to be written: the state, and the events that are not written yet.
    """

    def __init__(self, kept: KeptRun, checkpoints: Sequence[str] = (), clock: Callable[[], datetime] = now) -> None:
        self.kept = kept
        self.phase = Phase.QUEUED
        self.has_moved = asyncio.Event()
        # The files of its checkpoints, the one to go on from last.
        self.checkpoints = list(checkpoints)
        # How many workers were lost since it last trained.
        self.num_lost = 0
        self._clock = clock
        self._latest = max(filter(None, (self.run.created_at, self.run.started_at, self.run.ended_at)))
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
        self.look()

    def look(self) -> None:
        """Let whoever waits for the run look again."""
        self.has_moved.set()
        self.has_moved = asyncio.Event()

    def be(self, status: RunStatus, **more: object) -> None:
        """Note that the run is in another state of its life; `more` is said with it."""
        now = self._now()
        changes: dict[str, object] = {"status": status}
        if status is RunStatus.RUNNING and self.run.started_at is None:
            changes["started_at"] = now
        if status is RunStatus.QUEUED and self.run.ended_at is not None:
            changes.update(ended_at=None, error=None, note=None)
            self.kept = msgspec.structs.replace(self.kept, is_held=False)
        self._change(**changes)
        self._say_status(now, **more)

    def end(self, status: RunStatus, *, error: str | None = None, result_revision: int | None = None) -> None:
        """Note that the run ended; the last event is the run itself."""
        now = self._now()
        is_held = status is RunStatus.INTERRUPTED and self.run.status is RunStatus.PAUSED
        self.kept = msgspec.structs.replace(self.kept, is_held=is_held)
        self._change(status=status, ended_at=now, error=error, result_revision=result_revision)
        self._say_status(now)
        self._say(EventKind.END, encode_run(self.run))

    def train(self, message: Epochs) -> None:
        """Note epochs that are done, and the statistics of modules that came with them."""
        columns = _columns(message)
        loss = columns["loss"]
        names, payload = pack_epochs(columns)
        last_epoch = message.first + len(loss) - 1
        self.num_lost = 0
        base_at = self._after_all(message.base_at, columns["at"])
        self._append(EventKind.EPOCHS, len(loss), payload, message.first, last_epoch, base_at, names)
        if message.num_modules:
            told = np.frombuffer(message.modules, "<i8", message.num_modules)
            self._append(EventKind.MODULES, len(told), message.modules, int(told[0]), int(told[-1]))
        last = float(loss[-1])
        self._change(
            epochs_done=last_epoch + 1,
            loss=last if np.isfinite(last) else None,
            nonfinite=None if np.isfinite(last) else kind_of(last),
            best_loss=_lowest(self.run.best_loss, loss),
            validation_loss=_latest(columns.get("validation_loss")),
            best_validation_loss=_lowest(self.run.best_validation_loss, columns.get("validation_loss")),
            lr=_latest(columns.get("lr")),
            step=message.step,
            num_module_stats=self.run.num_module_stats + message.num_modules,
            overhead=_overhead(message) if self.run.config.module_stats_every else None,
        )

    def comes_after(self, at: float) -> None:
        """Note when the last event of its log was, in seconds since 1970."""
        self._latest = max(self._latest, datetime.fromtimestamp(at, UTC))

    def _after_all(self, base_at: float, at: Floats) -> float:
        """Return when a batch began, which is not before what came before it."""
        base_at = max(base_at, self._latest.timestamp() - float(at[0]))
        self.comes_after(base_at + float(at[-1]))
        return base_at

    def _append(self, kind: EventKind, count: int, payload: bytes, *about: Any) -> None:
        first_id = self.kept.last_event + 1
        last_id = first_id + count - 1
        self._chunks.append(Chunk(first_id, last_id, kind, payload, *about))
        self.kept = msgspec.structs.replace(self.kept, last_event=last_id)

    def keep_checkpoint(self, name: str, epoch: int) -> Sequence[str]:
        """Note the file of a checkpoint, and return those that nobody needs beside it and the one before."""
        self.kept = msgspec.structs.replace(self.kept, checkpoint=name)
        self._change(checkpoint_epoch=epoch)
        self.checkpoints = [*(each for each in self.checkpoints if each != name), name]
        obsolete, self.checkpoints = self.checkpoints[:-KEPT_CHECKPOINTS], self.checkpoints[-KEPT_CHECKPOINTS:]
        return obsolete

    def restore(self, epoch: int, damaged: Sequence[str]) -> None:
        """Note that the run is trained again, after `epoch` epochs, and why not from a later checkpoint."""
        name = name_of(self.run.id, epoch) if epoch else None
        # Those that are damaged are the first to go.
        self.checkpoints.sort(key=lambda each: (epoch_of(each) <= epoch, epoch_of(each)))
        self.kept = msgspec.structs.replace(self.kept, checkpoint=name)
        where = f"from the checkpoint after {epoch:,} epochs" if epoch else "from its start"
        note = f"went on {where}, because others could not be used: {'; '.join(damaged)}" if damaged else None
        self._change(checkpoint_epoch=epoch or None, note=note)
        self.be(RunStatus.RUNNING, resumed_from=epoch)

    def remark(self, note: str) -> None:
        """Note what else is to be known of the run, and say it with its status."""
        self._change(note=note)
        self._say_status(self._now())

    def keep_result(self, name: str) -> None:
        """Note the file of the result."""
        self.kept = msgspec.structs.replace(self.kept, result_tensors=name)

    def stop_early(self) -> None:
        """Note that the run was over before its last epoch, because its loss fell no further."""
        self._change(stopped_early=True)

    def fit(self, slope: float, intercept: float) -> None:
        """Note the line that the tree is after its last step, unless it is none."""
        if np.isfinite(slope) and np.isfinite(intercept):
            self._change(fit=Line(slope, intercept))

    def _change(self, **changes: object) -> None:
        run = msgspec.structs.replace(self.run, **changes)
        self.kept = msgspec.structs.replace(self.kept, run=run)

    def _now(self) -> datetime:
        # A clock that is set back stands still for a run until it has caught up: no event comes before the last one.
        self._latest = max(self._clock(), self._latest)
        return self._latest

    def _say_status(self, now: datetime, **more: object) -> None:
        said: dict[str, object] = {"status": self.run.status, "at": now}
        told = {"error": self.run.error, "note": self.run.note}
        said |= {name: text for name, text in told.items() if text is not None} | more
        self._say(EventKind.STATUS, msgspec.json.encode(said))

    def _say(self, kind: EventKind, payload: bytes) -> None:
        number = self.kept.last_event + 1
        self._chunks.append(Chunk(number, number, kind, payload))
        self.kept = msgspec.structs.replace(self.kept, last_event=number)


def _columns(message: Epochs) -> dict[str, Floats]:
    packed = {name: getattr(message, name) for name in LAYOUT}
    return {name: np.frombuffer(column, LAYOUT[name]) for name, column in packed.items() if column}


def _lowest(before: float | None, column: Floats | None) -> float | None:
    finite = column[np.isfinite(column)] if column is not None else ()
    known = [] if before is None else [before]
    return min([*known, float(np.min(finite))]) if len(finite) else before


def _latest(column: Floats | None) -> float | None:
    return float(column[-1]) if column is not None and np.isfinite(column[-1]) else None


def _overhead(message: Epochs) -> Overhead | None:
    return Overhead(message.module_stats_s / message.trained_s) if message.trained_s > 0 else None
