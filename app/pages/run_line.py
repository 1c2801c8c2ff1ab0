"""A run in words: as a line of a list or of a chart, what became of it, what can be done with it now."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from app.pages import filters
from app.pages.loss_chart import Other
from app.training.config import RunConfig
from app.training.pictures import Curve
from app.training.run import Run, RunStatus
from app.translation import N_, ngettext
from app.translation import gettext as _

ICONS = {
    RunStatus.QUEUED: "circle-dashed",
    RunStatus.RUNNING: "circle-play",
    RunStatus.PAUSED: "circle-pause",
    RunStatus.SUCCEEDED: "circle-check",
    RunStatus.FAILED: "circle-x",
    RunStatus.CANCELLED: "circle-slash",
    RunStatus.INTERRUPTED: "circle-alert",
}
WORDS = {
    RunStatus.QUEUED: N_("queued"),
    RunStatus.RUNNING: N_("running"),
    RunStatus.PAUSED: N_("paused"),
    RunStatus.SUCCEEDED: N_("succeeded"),
    RunStatus.FAILED: N_("failed"),
    RunStatus.CANCELLED: N_("cancelled"),
    RunStatus.INTERRUPTED: N_("interrupted"),
}


@dataclass(frozen=True, slots=True)
class RunAct:
    """Something that can be done with the run now: a form with one button."""

    url: str
    word: str
    icon: str


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run in a list."""

    id: str
    url: str
    tree_url: str
    tree_name: str
    number: int
    status: str
    word: str
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
        word=_(WORDS[run.status]),
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


def told_apart(config: RunConfig, other: RunConfig) -> str:
    """Return what tells a run from another one, shortly: `lr 0.001`, or `Adam, lr 0.02`."""
    return f"lr {config.lr:g}" if config.optimizer == other.optimizer else config_text(config)


def other_of(run: Run, config: RunConfig, curve: Curve) -> Other:
    """Return a run as it is drawn over one with `config`: its line, and its name at the end of it."""
    is_growing = bool(curve.values[-1] > curve.values[0]) or run.status is RunStatus.FAILED
    name = f"#{run.number}, {told_apart(run.config, config)}"
    return Other(run.id, curve, _("%(run)s: grows", run=name) if is_growing else name, is_growing)


def _progress_in_list(run: Run) -> str:
    done, all_of_it = filters.exact(run.epochs_done), filters.exact(run.epochs)
    match run.status:
        case RunStatus.SUCCEEDED if run.stopped_early:
            return _("stopped early at %(epoch)s", epoch=done)
        case RunStatus.SUCCEEDED:
            return ngettext("%(num)s epoch", "%(num)s epochs", run.epochs, num=all_of_it)
        case RunStatus.CANCELLED:
            return _("cancelled at %(epoch)s", epoch=done)
        case RunStatus.FAILED:
            return _("failed at %(epoch)s", epoch=done)
        case RunStatus.INTERRUPTED:
            return _("interrupted at %(epoch)s", epoch=done)
        case _:
            return f"{done} / {all_of_it}"


def progress_text(run: Run) -> str:
    """Return where the run is: `epoch 9, 10 of 20 done`."""
    done, all_of_it = filters.exact(run.epochs_done), filters.exact(run.epochs)
    if not run.epochs_done:
        return ngettext("%(num)s epoch to come", "%(num)s epochs to come", run.epochs, num=all_of_it)
    epoch = filters.exact(run.epochs_done - 1)
    return _("epoch %(epoch)s, %(done)s of %(epochs)s done", epoch=epoch, done=done, epochs=all_of_it)


def outcome(run: Run) -> str:
    """Return what became of the run's parameters."""
    if run.status is not RunStatus.SUCCEEDED:
        return ""
    if run.result_revision is not None:
        return _("Its parameters became revision %(number)s.", number=run.result_revision)
    if run.tree_deleted:
        return _("The tree is gone; the run is kept.")
    return _("The tree was changed meanwhile: the parameters stay with the run.")


def remark(run: Run) -> str:
    """Return what else is to be known of the run, in a sentence: `Went on from its start, because …`."""
    return f"{run.note[0].upper()}{run.note[1:].rstrip('.')}." if run.note else ""


def trouble(run: Run) -> str:
    """Return what went wrong, in a sentence."""
    match run.status:
        case RunStatus.FAILED:
            return run.error or _("The run failed.")
        case RunStatus.INTERRUPTED if run.error and not run.error.startswith("the server stopped"):
            return _("%(error)s. Resume from its last checkpoint.", error=run.error[0].upper() + run.error[1:])
        case RunStatus.INTERRUPTED if run.checkpoint_epoch is None:
            return _(
                "The server stopped at epoch %(epoch)s. Resume from its start.", epoch=filters.exact(run.epochs_done)
            )
        case RunStatus.INTERRUPTED:
            return _(
                "The server stopped at epoch %(epoch)s. Resume from the checkpoint at %(checkpoint)s.",
                epoch=filters.exact(run.epochs_done),
                checkpoint=filters.exact(run.checkpoint_epoch or 0),
            )
        case _:
            return ""


def acts(run: Run, back: str) -> Iterator[RunAct]:
    """Yield what can be done with the run as it is."""
    url = f"/runs/{run.id}"
    match run.status:
        case RunStatus.RUNNING:
            yield RunAct(f"{url}/pause?back={back}", _("Pause"), "pause")
        case RunStatus.PAUSED | RunStatus.INTERRUPTED:
            yield RunAct(f"{url}/resume?back={back}", _("Resume"), "circle-play")
        case RunStatus.SUCCEEDED if run.result_revision is None and not run.tree_deleted:
            yield RunAct(f"{url}/apply?back={back}", _("Apply to the tree"), "check")
        case _:
            pass
    if run.status.is_active:
        yield RunAct(f"{url}/cancel?back={back}", _("Cancel"), "square")
