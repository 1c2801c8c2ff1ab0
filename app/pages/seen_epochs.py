"""What a page needs of a run's epochs, of which there may be millions: their picture, the first ones, the latest."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from app.pages.fit_chart import Pairs, points_of_run
from app.training.log import EpochColumns
from app.training.pictures import Picture
from app.training.run import Run
from app.training.runs import Runs

EARLY = 3
MOST_ROWS = 100
MOST_PIECES = 2 * MOST_ROWS


@dataclass(frozen=True, slots=True)
class SeenEpochs:
    """The picture of a run, its first epochs, its latest with one more before them, and some of its points.

    `gradients` are the norms of all gradients together at those of the latest epochs that have statistics; NaN where no
    gradient arrived anywhere. `num_watched` is how many modules have statistics.
    """

    picture: Picture
    early: EpochColumns | None
    late: EpochColumns | None
    points: Pairs = ()
    gradients: Mapping[int, float] = field(default_factory=dict)
    num_watched: int = 0

    @property
    def run(self) -> Run:
        """The run as it was when its epochs were read."""
        return self.picture.run


def seen_epochs(runs: Runs, run_id: str) -> SeenEpochs:
    """Return what a page shows of a run's epochs; raises `NotFound`."""
    picture = runs.pictures.get(run_id)
    late = runs.epochs(run_id, max(picture.num_epochs - MOST_ROWS - 2, -1), MOST_ROWS + 1)[0]
    gradients = _gradients(runs, picture.run, late.first) if late is not None else {}
    early, points = runs.epochs(run_id, -1, EARLY)[0], points_of_run(runs, picture.run)
    num_watched = len(runs.holders(run_id).rows) if picture.run.config.module_stats_every else 0
    return SeenEpochs(picture, early, late, points, gradients, num_watched)


def _gradients(runs: Runs, run: Run, first: int) -> Mapping[int, float]:
    if not run.config.module_stats_every:
        return {}
    found: dict[int, float] = {}
    for columns in runs.module_stats_after(run.id, first - 1, MOST_PIECES):
        squares = np.square(columns.gradient_norm, dtype=np.float64)
        norms = np.where(np.isnan(squares).all(axis=1), math.nan, np.sqrt(np.nansum(squares, axis=1)))
        found.update(zip(columns.epochs.tolist(), norms.tolist(), strict=True))
    return found
