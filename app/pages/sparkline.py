"""The losses of a run in small, for lists."""

from dataclasses import dataclass

import numpy as np

from app.pages.plot import Plot, Size, px
from app.pages.scales import Scale, takes_log
from app.training.pictures import Curve
from app.training.run import Run
from app.training.runs import Runs

SIZE = Size(width=96, height=24, left=2, right=2, top=3, bottom=3)
COLUMNS = 48
MOST_READ = 500_000


@dataclass(frozen=True, slots=True)
class Spark:
    """A line of 96 x 24 without axes, its end a dot."""

    path: str
    x: str
    y: str


def sparkline(curve: Curve, epochs: int) -> Spark | None:
    """Return the losses in small, on the scale that the chart would take; None without a finite one."""
    is_finite = np.isfinite(curve.values)
    if not is_finite.any():
        return None
    drawn = curve.at(is_finite).thinned(COLUMNS)
    low, high = float(drawn.values.min()), float(drawn.values.max())
    # A loss that never changes is a line at the bottom.
    top = high if high > low else low + (abs(low) or 1.0)
    plot = Plot(SIZE, max(epochs - 1, 1), Scale(low, top, takes_log([low, high]), (), ()))
    last, loss = int(drawn.epochs[-1]), float(drawn.values[-1])
    return Spark(plot.path(drawn.epochs, drawn.values), px(plot.x(last)), px(plot.y(loss)))


class Sparks:
    """The sparklines of a page: of long runs only as many are read as a page may take, and those drawn lately."""

    def __init__(self, runs: Runs, most_read: int = MOST_READ) -> None:
        self._runs = runs
        self._room = most_read

    def of(self, run: Run) -> Spark | None:
        """Return the run's loss in small; None where there is nothing to draw, or too much to read for a list."""
        if not run.epochs_done:
            return None
        if run.status.is_active or not self._runs.pictures.has(run.id):
            self._room -= run.epochs_done
            if self._room < 0:
                return None
        return sparkline(self._runs.pictures.get(run.id).loss, run.epochs)
