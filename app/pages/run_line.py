"""A run in words: as a line of a list, what became of it, what can be done with it now."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from app.pages import filters
from app.training.config import RunConfig
from app.training.run import Run, RunStatus

ICONS = {
    RunStatus.QUEUED: "circle-dashed",
    RunStatus.RUNNING: "circle-play",
    RunStatus.PAUSED: "circle-pause",
    RunStatus.SUCCEEDED: "circle-check",
    RunStatus.FAILED: "circle-x",
    RunStatus.CANCELLED: "circle-slash",
    RunStatus.INTERRUPTED: "circle-alert",
}


@dataclass(frozen=True, slots=True)
class RunAct:
    """Something that can be done with the run now: a form with one button."""

    url: str
    word: str
    icon: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run in a list."""

    id: str
    url: str
    tree_url: str
    tree_name: str
    number: int
    status: str
    icon: str
    config: str
    loss: str
    progress: str
    epochs: int
    is_active: bool
    is_current: bool
    created_at: datetime


def run_line(run: Run, current: str = "") -> RunLine:
    """Return a run as a list shows it; `current` is the id of the one that is open."""
    return RunLine(
        id=run.id,
        url=f"/trees/{run.tree}?run={run.id}" if not run.tree_deleted else f"/runs/{run.id}",
        tree_url="" if run.tree_deleted else f"/trees/{run.tree}",
        tree_name=run.tree_name,
        number=run.number,
        status=run.status.value,
        icon=ICONS[run.status],
        config=config_text(run.config),
        loss=filters.loss(run.loss, run.nonfinite),
        progress=_progress_in_list(run),
        epochs=run.epochs,
        is_active=run.status.is_active,
        is_current=run.id == current,
        created_at=run.created_at,
    )


def config_text(config: RunConfig) -> str:
    """Return what tells one run from another: `SGD, lr 0.01`."""
    return f"{config.optimizer}, lr {config.lr:g}"


def _progress_in_list(run: Run) -> str:
    done, all_of_it = filters.exact(run.epochs_done), filters.exact(run.epochs)
    match run.status:
        case RunStatus.SUCCEEDED:
            return f"{all_of_it} {filters.plural(run.epochs, 'epoch', 'epochs')}"
        case RunStatus.CANCELLED | RunStatus.FAILED | RunStatus.INTERRUPTED:
            return f"{run.status.value} at {done}"
        case _:
            return f"{done} / {all_of_it}"


def progress_text(run: Run) -> str:
    """Return where the run is: `epoch 9, 10 of 20 done`."""
    done, all_of_it = filters.exact(run.epochs_done), filters.exact(run.epochs)
    if not run.epochs_done:
        return f"{all_of_it} {filters.plural(run.epochs, 'epoch', 'epochs')} to come"
    return f"epoch {filters.exact(run.epochs_done - 1)}, {done} of {all_of_it} done"


def outcome(run: Run) -> str:
    """Return what became of the run's parameters."""
    if run.status is not RunStatus.SUCCEEDED:
        return ""
    if run.result_revision is not None:
        return f"Its parameters became revision {run.result_revision}."
    if run.tree_deleted:
        return "The tree is gone; the run is kept."
    return "The tree was changed meanwhile: the parameters stay with the run."


def trouble(run: Run) -> str:
    """Return what went wrong, in a sentence."""
    match run.status:
        case RunStatus.FAILED:
            return run.error or "The run failed."
        case RunStatus.INTERRUPTED:
            start = (
                "its start"
                if run.checkpoint_epoch is None
                else f"the checkpoint at {filters.exact(run.checkpoint_epoch)}"
            )
            return f"The server stopped at epoch {filters.exact(run.epochs_done)}. Resume from {start}."
        case _:
            return ""


def acts(run: Run, back: str) -> Iterator[RunAct]:
    """Yield what can be done with the run as it is."""
    url = f"/runs/{run.id}"
    match run.status:
        case RunStatus.RUNNING:
            yield RunAct(f"{url}/pause?back={back}", "Pause", "pause")
        case RunStatus.PAUSED | RunStatus.INTERRUPTED:
            yield RunAct(f"{url}/resume?back={back}", "Resume", "circle-play")
        case RunStatus.SUCCEEDED if run.result_revision is None and not run.tree_deleted:
            yield RunAct(f"{url}/apply?back={back}", "Apply to the tree", "check")
        case _:
            pass
    if run.status.is_active:
        yield RunAct(f"{url}/cancel?back={back}", "Cancel", "square")
