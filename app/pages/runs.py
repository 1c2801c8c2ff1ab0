"""The pages of a run: what it is, its epochs; and the buttons that pause, resume, cancel and apply."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import RedirectResponse, StreamingResponse

from app.api.dependencies import RunsDep
from app.api.run_epochs import csv_lines
from app.errors import CannotDo
from app.pages import filters, run_compare, run_list
from app.pages.calls import Call, origin_of, over_http
from app.pages.fit_chart import FitChart, title_of
from app.pages.insights import Insights, insights_of
from app.pages.links import with_query
from app.pages.run_line import RunLine, run_line
from app.pages.run_view import EpochRow, RunView, epoch_rows, run_view
from app.pages.seen_epochs import seen_epochs
from app.pages.templating import READING, Context, page
from app.training.run import Run
from app.translation import gettext as _
from app.translation import said

router = APIRouter(include_in_schema=False)
router.include_router(run_list.router)
router.include_router(run_compare.router)

EPOCHS = 200


@dataclass(frozen=True, slots=True)
class RunFact:
    """A fact of a run."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class RunPage(Context):
    """One run."""

    template: ClassVar[str] = "run.html"

    run: RunView
    line: RunLine
    fit: FitChart | None
    insights: Insights
    facts: tuple[RunFact, ...]
    created_at: datetime
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class EpochsPage(Context):
    """A page of a run's epochs."""

    template: ClassVar[str] = "epochs.html"

    line: RunLine
    page_url: str
    rows: tuple[EpochRow, ...]
    total: int
    first_url: str
    next_url: str
    csv_url: str
    calls: tuple[Call, ...]


@router.api_route("/runs/{run_id}", methods=READING)
def show_run(request: Request, runs: RunsDep, run_id: str) -> Response:
    """One run."""
    seen = seen_epochs(runs, run_id)
    run = seen.run
    view = run_view(run, seen, "run")
    calls = (
        over_http(origin_of(request), f"/api/runs/{run_id}"),
        Call(_("As it happens"), f"curl -N {origin_of(request)}/api/runs/{run_id}/events"),
    )
    line, insights = run_line(run, run_id), insights_of(runs, run)
    return page(RunPage(view, line, view.fit, insights, facts_of(run), run.created_at, calls))


@router.api_route("/runs/{run_id}/epochs", methods=READING)
def show_epochs(
    request: Request,
    runs: RunsDep,
    run_id: str,
    after: Annotated[int, Query(ge=-1)] = -1,
    limit: Annotated[int, Query(ge=1, le=1_000)] = EPOCHS,
) -> Response:
    """A page of the run's epochs."""
    run = runs.get(run_id)
    # One more before the first, for the change since then.
    columns, following = runs.epochs(run_id, max(after - 1, -1), limit + (1 if after >= 0 else 0))
    rows = epoch_rows(columns, 1 if after >= 0 else 0) if columns is not None else ()
    path = f"/runs/{run_id}/epochs"
    size = "" if limit == EPOCHS else str(limit)
    return page(
        EpochsPage(
            line=run_line(run, run_id),
            page_url=f"/runs/{run_id}",
            rows=tuple(rows),
            total=run.epochs_done,
            first_url=path if after >= 0 else "",
            next_url="" if following is None else with_query(path, after=str(following), limit=size),
            csv_url=f"/runs/{run_id}/epochs.csv",
            calls=(over_http(origin_of(request), f"/api{path}", after="" if after < 0 else str(after)),),
        )
    )


@router.api_route("/runs/{run_id}/epochs.csv", methods=READING)
def download_epochs(runs: RunsDep, run_id: str) -> Response:
    """All epochs as a file."""
    run = runs.get(run_id)
    headers = {"Content-Disposition": f'attachment; filename="{run_id}-epochs.csv"', "Cache-Control": "no-store"}
    return StreamingResponse(csv_lines(runs, run, -1, None), headers=headers, media_type="text/csv")


@router.post("/runs/{run_id}/delete")
def delete(runs: RunsDep, run_id: str) -> Response:
    """Forget the run."""
    runs.delete(run_id)
    return RedirectResponse("/runs", 303)


@router.post("/runs/{run_id}/{command}")
def command(runs: RunsDep, run_id: str, command: str, back: str = "run") -> Response:
    """Pause, resume, cancel or apply, then back to where the button was."""
    commands = {"pause": runs.pause, "resume": runs.resume, "cancel": runs.cancel, "apply": runs.apply}
    if command not in commands:
        raise CannotDo(
            said("A run can be told %(commands)s; not %(command)r.", commands=", ".join(commands), command=command[:40])
        )
    commands[command](run_id)
    run = runs.get(run_id)
    to_tree = back == "tree" and not run.tree_deleted
    return RedirectResponse(f"/trees/{run.tree}?run={run_id}" if to_tree else f"/runs/{run_id}", 303)


def facts_of(run: Run) -> tuple[RunFact, ...]:
    """Return what is known of the run beside its epochs."""
    config = run.config
    facts = [
        RunFact(_("Epochs"), _of(run.epochs_done, run.epochs)),
        RunFact(_("Optimizer"), f"{config.optimizer}, lr {config.lr:g}"),
        RunFact(_("Loss function"), config.loss),
        RunFact(_("Seed"), _("none") if config.seed is None else str(config.seed)),
        RunFact(_("Data"), title_of(config.data)),
        RunFact(_("From revision"), str(run.tree_revision)),
        RunFact(_("Became revision"), _("none") if run.result_revision is None else str(run.result_revision)),
        RunFact(_("Loss"), filters.loss(run.loss, run.nonfinite) or _("none yet")),
        RunFact(_("Lowest loss"), filters.loss(run.best_loss) or _("none yet")),
    ]
    if run.best_validation_loss is not None:
        facts.append(RunFact(_("Validation loss"), filters.loss(run.validation_loss) or _("not finite")))
        facts.append(RunFact(_("Lowest validation loss"), filters.loss(run.best_validation_loss)))
    if run.step is not None:
        facts.append(RunFact(_("Step"), run.step))
    if run.fit is not None and math.isfinite(run.fit.slope):
        line = f"{filters.significant(run.fit.slope)} x {filters.signed(run.fit.intercept)}"
        facts.append(RunFact(_("The tree then"), line))
    if run.started_at is not None and run.ended_at is not None:
        facts.append(RunFact(_("Took"), filters.seconds((run.ended_at - run.started_at).total_seconds())))
    return tuple(facts)


def _of(done: int, epochs: int) -> str:
    return _("%(done)s of %(epochs)s", done=filters.exact(done), epochs=filters.exact(epochs))
