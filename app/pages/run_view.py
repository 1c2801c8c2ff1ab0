"""A run as pages show it: its state in words, its chart, its epochs."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from app.pages import filters
from app.pages.fit_chart import FitChart, fit_chart
from app.pages.links import with_query
from app.pages.loss_chart import LossChart, Other, loss_chart
from app.pages.run_line import ICONS, WORDS, RunAct, acts, config_text, outcome, progress_text, remark, trouble
from app.pages.seen_epochs import MOST_ROWS, SeenEpochs
from app.training.log import EpochColumns, Floats
from app.training.pictures import Picture
from app.training.run import Run
from app.translation import gettext as _

EACH_EPOCH_UP_TO = 2_000
EACH_MODULE_UP_TO = 64
NEARLY_FLAT = 0.02


@dataclass(frozen=True, slots=True)
class EpochRow:
    """One epoch in the table; `change` is of the loss since the epoch before."""

    epoch: str
    loss: str
    change: str
    slope: str
    intercept: str
    gradient: str = ""


@dataclass(frozen=True, slots=True)
class RunView:
    """A run with its epochs, and where its events come from."""

    id: str
    tree_id: str
    url: str
    page_url: str
    number: int
    status: str
    word: str
    icon: str
    loss_function: str
    is_active: bool
    config: str
    epochs: int
    epochs_done: int
    progress: str
    progress_width: str
    each: str
    stream: str
    rows: tuple[EpochRow, ...]
    last_epoch: int
    words: tuple[str, str]
    has_gradients: bool
    chart: LossChart
    fit: FitChart | None
    note: str
    outcome: str
    remark: str
    trouble: str
    acts: tuple[RunAct, ...]


def run_view(
    run: Run,
    seen: SeenEpochs,
    back: str,
    x: float = math.nan,
    others: Sequence[Other] = (),
    line: tuple[float, float] | None = None,
) -> RunView:
    """Return the run with what is seen of its epochs so far, and others drawn over them.

    Its buttons lead back to `back`; its fit is marked at `x`, and is `line` where the tree has become another since.
    """
    picture, late = seen.picture, seen.late
    losses: Floats = np.empty(0) if late is None else late.loss
    rows = list(epoch_rows(late, max(0, len(late) - MOST_ROWS), seen.gradients)) if late is not None else []
    early = list(_early(seen.early)) if seen.early is not None else []
    return RunView(
        id=run.id,
        url=f"/trees/{run.tree}?run={run.id}",
        page_url=f"/runs/{run.id}",
        tree_id=run.tree,
        number=run.number,
        status=run.status.value,
        word=_(WORDS[run.status]),
        icon=ICONS[run.status],
        loss_function=run.config.loss,
        is_active=run.status.is_active,
        config=config_text(run.config),
        epochs=run.epochs,
        epochs_done=run.epochs_done,
        progress=progress_text(run),
        progress_width=filters.share_width(run.epochs_done, run.epochs, 120),
        each=_each(picture),
        stream=_stream(run, seen.num_watched),
        rows=tuple(rows),
        last_epoch=late.first + len(late) - 1 if late is not None else -1,
        words=("weight", "bias"),
        has_gradients=run.config.module_stats_every > 0,
        chart=loss_chart(
            picture.loss, run.epochs, others, validation=picture.validation_loss, is_over=not run.status.is_active
        ),
        fit=fit_chart(run.config.data, line or _line(run, late), early, x, seen.points),
        note=flat_note(losses),
        outcome=outcome(run),
        remark=remark(run),
        trouble=trouble(run),
        acts=tuple(acts(run, back)),
    )


def _stream(run: Run, num_watched: int) -> str:
    # With few epochs each comes with its own line; of many the page needs the losses and the latest line. Statistics of
    # many modules are megabytes an event, of which the page would show one number.
    batch = "50" if run.epochs > EACH_EPOCH_UP_TO else ""
    modules = "false" if num_watched > EACH_MODULE_UP_TO else ""
    return with_query(f"/api/runs/{run.id}/events", batch=batch, modules=modules)


def epoch_rows(
    columns: EpochColumns, start: int = 0, gradients: Mapping[int, float] = MappingProxyType({})
) -> Iterator[EpochRow]:
    """Yield the epochs from a place of the columns on; the one before it is only compared with."""
    before = float(columns.loss[start - 1]) if start else math.nan
    rows = zip(*(column[start:].tolist() for column in (columns.loss, columns.slope, columns.intercept)), strict=True)
    for place, (loss, slope, intercept) in enumerate(rows, columns.first + start):
        yield EpochRow(
            epoch=filters.exact(place),
            loss=filters.loss(loss),
            change=filters.change(loss / before - 1 if before else None),
            slope=_of_line(slope),
            intercept=_of_line(intercept),
            gradient=_of_gradient(gradients.get(place)),
        )
        before = loss


def _of_gradient(norm: float | None) -> str:
    if norm is None:
        return ""
    return _("none") if math.isnan(norm) else filters.significant(norm)


def _of_line(number: float) -> str:
    if not math.isfinite(number):
        return ""
    return f"{number:.3f}".replace("-", filters.MINUS) if abs(number) < 1000 else filters.significant(number)


def _early(columns: EpochColumns) -> Iterator[tuple[int, float, float]]:
    early = zip(columns.slope.tolist(), columns.intercept.tolist(), strict=True)
    yield from ((epoch, slope, intercept) for epoch, (slope, intercept) in enumerate(early) if math.isfinite(slope))


def _line(run: Run, columns: EpochColumns | None) -> tuple[float, float] | None:
    if run.fit is not None:
        return run.fit.slope, run.fit.intercept
    if columns is None or not len(columns):
        return None
    last = float(columns.slope[-1]), float(columns.intercept[-1])
    return last if all(map(math.isfinite, last)) else None


def _each(picture: Picture) -> str:
    passed = picture.seconds / (picture.num_epochs - 1) if picture.num_epochs > 1 else 0.0
    return _("%(time)s each", time=filters.seconds(passed)) if passed > 0 else ""


def flat_note(losses: Floats) -> str:
    """Return what the last epoch did, where it did nearly nothing."""
    if len(losses) < 3:
        return ""
    before, latest = losses[-2:].tolist()
    if not before or not math.isfinite(latest / before):
        return ""
    last = latest / before - 1
    if abs(last) >= NEARLY_FLAT:
        return ""
    return _("Nearly flat: %(change)s in the last epoch.", change=filters.change(last))
