"""A run of the lesson: its losses as the loop would print them, and their curve."""

from dataclasses import dataclass

from app.errors import NotFound
from app.pages.loss_chart import LossChart, loss_chart
from app.pages.run_line import ICONS
from app.training.config import RunConfig
from app.training.runs import Runs

MOST_EPOCHS = 200


@dataclass(frozen=True, slots=True)
class LessonRun:
    """A run with what it printed so far; `stream` is where the rest arrives."""

    id: str
    url: str
    number: int
    status: str
    icon: str
    is_active: bool
    epochs: int
    epochs_done: int
    stream: str
    lines: str
    chart: LossChart


def config_at(lr: float) -> RunConfig:
    """Return the tutorial's run at a learning rate."""
    return RunConfig(lr=lr)


def lesson_run(runs: Runs, run_id: str, tree_id: str) -> LessonRun | None:
    """Return a run of the tree; None where it is gone or another tree's."""
    try:
        run = runs.get(run_id)
        columns, _ = runs.epochs(run_id, -1, MOST_EPOCHS)
    except NotFound:
        return None
    if run.tree != tree_id:
        return None
    losses = [] if columns is None else columns.loss.tolist()
    return LessonRun(
        id=run.id,
        url=f"/runs/{run.id}",
        number=run.number,
        status=run.status.value,
        icon=ICONS[run.status],
        is_active=run.status.is_active,
        epochs=run.epochs,
        epochs_done=run.epochs_done,
        stream=f"/api/runs/{run.id}/events",
        lines="\n".join(f"epoch {epoch}: {loss}" for epoch, loss in enumerate(losses)),
        chart=loss_chart(losses, run.epochs),
    )
