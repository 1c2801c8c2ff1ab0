"""Statistics of modules on pages: what replays them beside a tree, and a table of one epoch."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, ClassVar

from fastapi import APIRouter, Query, Request, Response

from app.api.dependencies import RunsDep
from app.api.module_stats import every_of
from app.pages import filters
from app.pages.calls import Call, origin_of, over_http
from app.pages.links import module_url, with_query
from app.pages.run_line import RunLine, run_line
from app.pages.templating import READING, Context, page
from app.pages.visible import clipped
from app.training.module_columns import ModuleColumns
from app.training.run import Run
from app.training.runs import Runs
from app.translation import gettext as _

router = APIRouter(include_in_schema=False)

ROWS_A_PAGE = 200
MOST_OF_A_PATH = 80
MILLION = 1_000_000
# A run of less says nothing of what statistics cost.
LEAST_S = 1.0


@dataclass(frozen=True, slots=True)
class Replay:
    """The epochs at which a run has statistics of modules; `cost` is the share of its time that they took, or ""."""

    page_url: str
    first: int
    last: int
    every: int
    cost: str


@dataclass(frozen=True, slots=True)
class ModuleRow:
    """The figures of one module."""

    path: str
    url: str
    parameter_norm: str
    gradient_norm: str
    update_ratio: str
    has_gradient: bool


@dataclass(frozen=True, slots=True)
class ModuleStatsPage(Context):
    """Statistics of modules at one epoch, a page of them; `epoch` is "" while there are none."""

    template: ClassVar[str] = "run_modules.html"

    line: RunLine
    page_url: str
    replay: Replay
    epoch: str
    rows: tuple[ModuleRow, ...]
    total: int
    before_url: str
    after_url: str
    next_url: str
    calls: tuple[Call, ...]


def replay_of(runs: Runs, run: Run) -> Replay | None:
    """Return the epochs of a run's statistics, None for a run that keeps none."""
    return _replay(runs, run) if run.config.module_stats_every else None


def heat_of(run: Run) -> str:
    """Return the statistic by which the tree is coloured when a run was just started, "" for one that keeps none."""
    return "gradient_norm" if run.config.module_stats_every else ""


def _replay(runs: Runs, run: Run) -> Replay:
    first, last = runs.module_stats_span(run.id) or (0, 0)
    return Replay(
        page_url=f"/runs/{run.id}/modules",
        first=first,
        last=last,
        every=run.config.module_stats_every,
        cost=cost_of(run),
    )


def cost_of(run: Run) -> str:
    """Return the share of a run's time that its statistics took; "" for a short one, which is mostly first calls."""
    if run.overhead is None or run.started_at is None:
        return ""
    took = (run.ended_at or datetime.now(UTC)) - run.started_at
    if took.total_seconds() < LEAST_S:
        return ""
    return filters.percent(round(run.overhead.module_stats * MILLION), MILLION)


@router.api_route("/runs/{run_id}/modules", methods=READING)
def show_module_stats(
    request: Request,
    runs: RunsDep,
    run_id: str,
    epoch: Annotated[int | None, Query(ge=0, lt=2**62)] = None,
    start: Annotated[int, Query(ge=0, lt=2**62)] = 0,
) -> Response:
    """The statistics of modules at an epoch, or the nearest before it: without one the latest."""
    run = runs.get(run_id)
    every_of(run)
    replay = _replay(runs, run)
    columns = runs.module_stats(run_id, epoch)
    at = None if columns is None else int(columns.epochs[0])
    paths = runs.holders(run_id).paths
    path = f"/runs/{run_id}/modules"
    is_more = columns is not None and start + ROWS_A_PAGE < len(paths)
    return page(
        ModuleStatsPage(
            line=run_line(run, run_id),
            page_url=f"/runs/{run_id}",
            replay=replay,
            epoch="" if at is None else filters.exact(at),
            rows=tuple(_rows(runs, run, columns, start)) if columns is not None else (),
            total=len(paths),
            before_url=_at(path, None if at is None else at - replay.every, replay),
            after_url=_at(path, None if at is None else at + replay.every, replay),
            next_url=with_query(path, epoch=str(at), start=str(start + ROWS_A_PAGE)) if is_more else "",
            calls=(over_http(origin_of(request), f"/api{path}", epoch="" if at is None else str(at)),),
        )
    )


def _rows(runs: Runs, run: Run, columns: ModuleColumns, start: int) -> list[ModuleRow]:
    held = runs.holders(run.id)
    part = slice(start, start + ROWS_A_PAGE)
    figures = zip(
        held.rows[part],
        held.paths[part],
        columns.parameter_norm[0, part].tolist(),
        columns.gradient_norm[0, part].tolist(),
        columns.update_ratio[0, part].tolist(),
        strict=True,
    )
    return [
        ModuleRow(
            path=clipped(path, MOST_OF_A_PATH) or _("the root"),
            url=module_url(run.tree, path, row),
            parameter_norm=filters.significant(norm),
            gradient_norm=filters.significant(gradient),
            update_ratio=filters.significant(ratio) if not math.isnan(ratio) else "",
            has_gradient=not math.isnan(gradient),
        )
        for row, path, norm, gradient, ratio in figures
    ]


def _at(path: str, epoch: int | None, replay: Replay) -> str:
    return with_query(path, epoch=str(epoch)) if epoch is not None and replay.first <= epoch <= replay.last else ""
