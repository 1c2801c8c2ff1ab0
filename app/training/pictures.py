"""The losses of runs as pictures show them: a few thousand numbers of a million, and none of them lost from sight.

Runs.epochs() -> loss, time trained -> (smoothed) -> the places that a picture so wide needs -> Picture
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.training.events import kind_of
from app.training.log import EpochColumns, Floats
from app.training.run import Run
from app.training.smoothing import smoothed
from app.training.thinning import Places, kept_places
from app.training.trained_time import trained_s

COLUMNS = 1_000
MOST_KEPT = 128
EPOCHS_A_READ = 250_000

Spans = tuple[tuple[int, int, str], ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """Numbers at some epochs, in order; `seconds` is how long the run had trained then.

    `nonfinite` are first epoch, last epoch and kind of the stretches of numbers that are not finite.
    """

    epochs: NDArray[np.int64]
    seconds: Floats
    values: Floats
    nonfinite: Spans = ()

    def __len__(self) -> int:
        return len(self.epochs)

    def thinned(self, columns: int) -> "Curve":
        """Return what a picture of so many pixel columns shows of it."""
        return self.at(kept_places(self.values, columns))

    def at(self, places: Places | NDArray[np.bool_] | slice) -> "Curve":
        """Return the curve at some of its places."""
        return Curve(self.epochs[places], self.seconds[places], self.values[places], self.nonfinite)


@dataclass(frozen=True, slots=True)
class Picture:
    """A run as it was after the event `last_event`: its losses, also smoothed where that was asked for."""

    run: Run
    last_event: int
    num_epochs: int
    seconds: float
    factor: float
    loss: Curve
    smoothed: Curve | None
    validation_loss: Curve | None
    smoothed_validation_loss: Curve | None

    def curves(self) -> Iterator[tuple[str, Curve]]:
        """Yield the curves that there are, with their names."""
        for name in ("loss", "smoothed", "validation_loss", "smoothed_validation_loss"):
            curve = getattr(self, name)
            if curve is not None:
                yield name, curve


class Log(Protocol):
    """Where runs and their epochs are read."""

    def get(self, run_id: str) -> Run:
        """Return a run; raises `NotFound`."""

    def last_event(self, run_id: str) -> tuple[int, bool]:
        """Return the number of the run's last event, and whether it is the last of all; raises `NotFound`."""

    def epochs(self, run_id: str, after: int, limit: int) -> tuple[EpochColumns | None, int | None]:
        """Return up to `limit` epochs after the epoch `after`, and the last of them where more follow, else None."""


class Pictures:
    """Draws runs, and remembers what it drew lately. Safe to use from several threads."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._kept: OrderedDict[tuple[str, int, float], Picture] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, run_id: str, columns: int = COLUMNS, factor: float = 0.0) -> Picture:
        """Return the picture of a run, so many pixel columns wide, smoothed by a factor over 0; raises `NotFound`."""
        # The event first: what is read after it may hold more, and the stream after it then says that once more.
        last_event, _is_over = self._log.last_event(run_id)
        run, key = self._log.get(run_id), (run_id, columns, factor)
        with self._lock:
            kept = self._kept.get(key)
        if kept is None or kept.last_event != last_event:
            kept = self._draw(run, last_event, columns, factor)
        with self._lock:
            self._kept[key] = kept
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return replace(kept, run=run)

    def has(self, run_id: str) -> bool:
        """Return whether the run was drawn lately, so that it costs little to draw it again."""
        with self._lock:
            return (run_id, COLUMNS, 0.0) in self._kept

    def _draw(self, run: Run, last_event: int, columns: int, factor: float) -> Picture:
        loss, at, validation_loss = self._read(run)
        drawn = _Drawn(trained_s(at), columns)
        has_validation = bool(np.isfinite(validation_loss).any())
        return Picture(
            run=run,
            last_event=last_event,
            num_epochs=len(loss),
            seconds=float(drawn.seconds[-1]) if len(loss) else 0.0,
            factor=factor,
            loss=drawn.curve(loss),
            smoothed=drawn.curve(smoothed(loss, factor)) if factor else None,
            validation_loss=drawn.curve(validation_loss) if has_validation else None,
            smoothed_validation_loss=(
                drawn.curve(smoothed(validation_loss, factor)) if has_validation and factor else None
            ),
        )

    def _read(self, run: Run) -> tuple[Floats, Floats, Floats]:
        parts: list[EpochColumns] = []
        after: int | None = -1
        while after is not None and after + 1 < run.epochs_done:
            columns, after = self._log.epochs(run.id, after, min(run.epochs_done - after - 1, EPOCHS_A_READ))
            if columns is not None:
                parts.append(columns)
        loss, at, validation_loss = (
            np.concatenate([np.empty(0), *(getattr(part, name) for part in parts)])
            for name in ("loss", "at", "validation_loss")
        )
        return loss, at, validation_loss


class _Drawn:
    def __init__(self, seconds: Floats, columns: int) -> None:
        self.seconds = seconds
        self.columns = columns

    def curve(self, values: Floats) -> Curve:
        places = kept_places(values, self.columns)
        shown = values[places]
        return Curve(places, self.seconds[places], shown, _spans(values, places[~np.isfinite(shown)]))


def _spans(values: Floats, gaps: NDArray[np.intp]) -> Spans:
    """The stretches of numbers of one kind that are not finite in which the gaps lie."""
    if not len(gaps):
        return ()
    kinds = np.where(np.isfinite(values), 0, np.where(np.isnan(values), 1, np.where(values > 0, 2, 3)))
    starts = np.concatenate(([0], np.flatnonzero(np.diff(kinds)) + 1))
    ends = np.append(starts[1:], len(values)) - 1
    seen = np.unique(np.searchsorted(starts, gaps, "right") - 1)
    return tuple(
        (first, last, kind_of(float(values[first])))
        for first, last in zip(starts[seen].tolist(), ends[seen].tolist(), strict=True)
    )
