"""The losses of a run in small, for lists."""

from dataclasses import dataclass

import numpy as np

from app.pages.plot import px
from app.pages.scales import scale_of
from app.training.pictures import Curve
from app.training.run import Run
from app.training.runs import Runs

WIDTH, HEIGHT = 96, 24
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
    drawn = Curve(curve.epochs[is_finite], curve.seconds[is_finite], curve.values[is_finite]).thinned(COLUMNS)
    low, high = float(drawn.values.min()), float(drawn.values.max())
    places = np.log10(drawn.values) if scale_of([low, high]).is_log else drawn.values
    low, high = float(places.min()), float(places.max())
    xs = 2 + (WIDTH - 4) * drawn.epochs / max(epochs - 1, 1)
    ys = 3 + (HEIGHT - 6) * (1 - (places - low) / ((high - low) or 1.0))
    points = [(px(x), px(y)) for x, y in zip(xs.tolist(), ys.tolist(), strict=True)]
    path = "".join(f"{'L' if number else 'M'}{x} {y}" for number, (x, y) in enumerate(points))
    return Spark(path, *points[-1])


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
