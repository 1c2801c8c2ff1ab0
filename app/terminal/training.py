"""A run while it happens: a progress bar in a terminal, lines elsewhere.

Event -> Progress (what is known so far) -> Bar | Lines
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress
from rich.text import Text

from app.client import EndEvent, EpochEvent, EpochsEvent, Event, Run, StatusEvent
from app.terminal.figures import loss_text

MOST_LINES = 20
NARROW = 90


@dataclass(slots=True)
class Told:
    """What the events have told so far."""

    epochs: int
    status: str = "queued"
    epochs_done: int = 0
    loss: float | None = None
    best_loss: float | None = None
    validation_loss: float | None = None

    def read(self, event: Event) -> None:
        """Take in one event more."""
        match event:
            case StatusEvent():
                self.status = event.status
            case EpochEvent():
                self._take(event.epoch, [event.loss], [event.validation_loss])
            case EpochsEvent():
                self._take(event.epoch[1], event.loss, event.validation_loss or [])
            case EndEvent():
                self.status = event.run.status

    def _take(self, last: int, losses: Sequence[float | None], validation: Sequence[float | None]) -> None:
        self.epochs_done = last + 1
        self.loss = losses[-1]
        self.validation_loss = validation[-1] if validation else None
        finite = [loss for loss in (*losses, self.best_loss) if loss is not None and math.isfinite(loss)]
        self.best_loss = min(finite, default=None)

    def losses_text(self, *, with_best: bool) -> str:
        """Return the losses in words."""
        parts = [f"loss {loss_text(self.loss)}"]
        if self.validation_loss is not None:
            parts.append(f"validation {loss_text(self.validation_loss)}")
        if with_best:
            parts.append(f"best {loss_text(self.best_loss)}")
        return "  ".join(parts)


class View(Protocol):
    """Where a run is shown."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...
    def show(self, event: Event) -> None:
        """Show what an event changes."""


def view_of(console: Console, run: Run) -> View:
    """Return the view that a console can have: a bar in a terminal, else lines."""
    return Bar(console, run) if console.is_terminal else Lines(console, run)


def watch(events: Iterable[Event], view: View) -> Run | None:
    """Show all events, and return the run as it ended; None where the stream says nothing of it."""
    ended = None
    with view:
        for event in events:
            view.show(event)
            if isinstance(event, EndEvent):
                ended = event.run
    return ended


class Bar:
    """A bar that fills, with the loss and how long it will take."""

    def __init__(self, console: Console, run: Run) -> None:
        self._told = Told(run.epochs)
        self._is_wide = console.width >= NARROW
        self._progress = RichProgress(
            TextColumn("{task.fields[status]:<9}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.completed:,.0f}/{task.total:,.0f}", markup=False),
            TextColumn("{task.fields[losses]}", style="bold", markup=False),
            *([_Rate()] if self._is_wide else []),
            TimeRemainingColumn(compact=True),
            console=console,
            expand=True,
        )
        self._task = self._progress.add_task("", total=run.epochs, status=run.status, losses="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, event: Event) -> None:
        """Fill the bar as far as the run is."""
        self._told.read(event)
        losses = self._told.losses_text(with_best=self._is_wide) if self._told.epochs_done else ""
        self._progress.update(
            self._task, completed=self._told.epochs_done, status=self._told.status, losses=losses
        )  # fmt: skip


class _Rate(ProgressColumn):
    """Epochs a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s", "dim")


class Lines:
    """A line for each state and for some twenty epochs, whatever their number."""

    def __init__(self, console: Console, run: Run) -> None:
        self._console = console
        self._told = Told(run.epochs)
        self._every = math.ceil(run.epochs / MOST_LINES)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return None

    def show(self, event: Event) -> None:
        """Print a line where one is due."""
        status, done = self._told.status, self._told.epochs_done
        self._told.read(event)
        if self._told.status != status:
            self._print(self._told.status)
        elif self._told.epochs_done // self._every > done // self._every or (done == 0 < self._told.epochs_done):
            losses = self._told.losses_text(with_best=False)
            self._print(f"epoch {self._told.epochs_done:,}/{self._told.epochs:,}  {losses}")

    def _print(self, line: str) -> None:
        self._console.print(line, soft_wrap=True, markup=False, highlight=False)
