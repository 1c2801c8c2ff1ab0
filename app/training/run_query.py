"""Which runs of all are asked for, and in which order."""

from dataclasses import dataclass
from enum import StrEnum

from app.training.run import RunStatus


class RunSort(StrEnum):
    """What runs can be sorted by. Runs without such a number come last, whichever way it goes."""

    STARTED = "started"
    LOSS = "loss"
    BEST_LOSS = "best_loss"
    EPOCHS = "epochs"
    DURATION = "duration"


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Runs that are all of this; what is empty or None is not asked.

    Each word of `q` is in the tree's name, or is the run's number or id. `duration` is known of runs that are over,
    `started` is the order in which they were asked for, `epochs` how many are done.
    """

    tree: str = ""
    statuses: tuple[RunStatus, ...] = ()
    optimizer: str = ""
    loss_function: str = ""
    q: str = ""
    min_loss: float | None = None
    max_loss: float | None = None
    sort: RunSort = RunSort.STARTED
    is_descending: bool = True

    @property
    def is_narrow(self) -> bool:
        """Whether anything is asked of the runs at all."""
        return self != RunQuery(sort=self.sort, is_descending=self.is_descending)


@dataclass(frozen=True, slots=True)
class RunPlace:
    """Where a page of sorted runs ended: the number that its last run is sorted by, and its own."""

    value: float | None
    seq: int


@dataclass(frozen=True, slots=True)
class RunChoice:
    """Something that runs can be asked for, as it is asked and as it is called, and how many have it."""

    value: str
    name: str
    num_runs: int


@dataclass(frozen=True, slots=True)
class RunChoices:
    """What there is to ask for among all runs; trees with the latest run first."""

    trees: tuple[RunChoice, ...]
    statuses: tuple[RunChoice, ...]
    optimizers: tuple[RunChoice, ...]
    losses: tuple[RunChoice, ...]
