"""The page of all runs: filtered, sorted, and picked to be compared."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from fastapi import APIRouter, Depends, Query, Request, Response

from app.api.dependencies import RunsDep
from app.api.run_cursors import run_cursor, run_place
from app.api.run_pictures import MAX_COMPARED
from app.pages import filters
from app.pages.calls import Call, origin_of, over_http
from app.pages.run_filters import Asked, RunFilters, asked_of_list, run_filters
from app.pages.run_line import RunLine, run_line
from app.pages.sparkline import Spark, Sparks
from app.pages.templating import READING, Context, page
from app.training.run import Run

router = APIRouter(include_in_schema=False)

PAGE = 50


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in the table of all; `is_chosen` where it is picked to be compared, `least` its lowest loss to the bit."""

    line: RunLine
    spark: Spark | None
    best: str
    least: str
    took: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class RunsPage(Context):
    """Runs that were asked for; `elsewhere` are those that were picked and stand on other pages."""

    template: ClassVar[str] = "runs.html"

    runs: tuple[RunRow, ...]
    filters: RunFilters
    elsewhere: tuple[str, ...]
    num_found: int
    num_runs: int
    most_compared: int
    first_url: str
    next_url: str
    calls: tuple[Call, ...]


@router.api_route("/runs", methods=READING)
def list_runs(
    request: Request,
    runs: RunsDep,
    asked: Annotated[Asked, Depends(asked_of_list)],
    limit: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """All runs, or those that were asked for; newest first unless they are sorted otherwise."""
    query, sparks = asked.query(), Sparks(runs)
    found, place = runs.find(query, limit, run_place(query, cursor or None))
    following = run_cursor(query, place)
    here = {run.id for run in found}
    return page(
        RunsPage(
            runs=tuple(_row(run, sparks, asked) for run in found),
            filters=run_filters(asked, runs.choices()),
            elsewhere=tuple(run for run in asked.chosen if run not in here),
            num_found=runs.num_found(query),
            num_runs=runs.count(),
            most_compared=MAX_COMPARED,
            first_url=asked.url() if cursor else "",
            next_url=asked.url(cursor=following) if following else "",
            calls=(over_http(origin_of(request), "/api/runs", **asked.words()),),
        )
    )


def _row(run: Run, sparks: Sparks, asked: Asked) -> RunRow:
    took = ""
    if run.started_at is not None and run.ended_at is not None:
        took = filters.seconds((run.ended_at - run.started_at).total_seconds())
    return RunRow(
        line=run_line(run),
        spark=sparks.of(run),
        best=filters.loss(run.best_loss),
        least="" if run.best_loss is None else repr(run.best_loss),
        took=took,
        is_chosen=run.id in asked.chosen,
    )
