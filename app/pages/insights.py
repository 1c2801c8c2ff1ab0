"""What a run's log says, on the pages of the run, of its tree, and of the modules that it names."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter, Request, Response

from app.api.dependencies import RunsDep
from app.api.insights import paths_of
from app.pages import filters
from app.pages.calls import Call, origin_of, over_http
from app.pages.links import module_url
from app.pages.run_line import RunLine, run_line
from app.pages.templating import READING, Context, page
from app.pages.visible import clipped
from app.training.insights.insight import Finding, Kind, Severity
from app.training.insights.words import words_of
from app.training.run import Run
from app.training.runs import Runs
from app.translation import gettext as _

router = APIRouter(include_in_schema=False)

# The log of a longer run is read after the page is there.
MOST_EPOCHS = 100_000
MOST_NAMED = 4
MOST_OF_A_PATH = 60
MOST_OF_A_MODULE = 3
ICONS = {Severity.ERROR: "circle-x", Severity.WARNING: "triangle-alert", Severity.INFO: "info"}


@dataclass(frozen=True, slots=True)
class NamedModule:
    """A module that an insight is about."""

    target: str
    path: str
    url: str


@dataclass(frozen=True, slots=True)
class InsightLine:
    """One insight in words."""

    severity: Severity
    icon: str
    title: str
    detail: str
    rule: str
    when: str
    is_over: bool
    modules: tuple[NamedModule, ...]
    num_more: int


@dataclass(frozen=True, slots=True)
class Insights:
    """The insights of a run; `is_read` is false where the log is too long to be read for the page."""

    url: str
    is_read: bool
    lines: tuple[InsightLine, ...]


@dataclass(frozen=True, slots=True)
class InsightsPage(Context):
    """All insights of a run."""

    template: ClassVar[str] = "insights.html"

    line: RunLine
    page_url: str
    insights: Insights
    needs_stats: bool
    calls: tuple[Call, ...]


@router.api_route("/runs/{run_id}/insights", methods=READING)
def show_insights(request: Request, runs: RunsDep, run_id: str) -> Response:
    """What the run's log says up to now."""
    run = runs.get(run_id)
    return page(
        InsightsPage(
            line=run_line(run, run_id),
            page_url=f"/runs/{run_id}",
            insights=read_insights(runs, run),
            needs_stats=not run.config.module_stats_every,
            calls=(over_http(origin_of(request), f"/api/runs/{run_id}/insights"),),
        )
    )


def insights_of(runs: Runs, run: Run) -> Insights:
    """Return the insights of a run for a page that shows more than them."""
    if run.epochs_done > MOST_EPOCHS:
        return Insights(f"/runs/{run.id}/insights", False, ())
    return read_insights(runs, run)


def read_insights(runs: Runs, run: Run) -> Insights:
    """Return the insights of a run, however long its log is."""
    paths = paths_of(runs, run.id)
    lines = [_line(finding, paths, run.tree) for finding in runs.watching.findings(run.id)]
    return Insights(f"/runs/{run.id}/insights", True, tuple(lines))


def insights_about(runs: Runs, run: Run, path: str, but: Container[Kind] = ()) -> tuple[InsightLine, ...]:
    """Return what the log of a run says of one module, `but` what is known of it anyway."""
    if not run.config.module_stats_every or run.epochs_done > MOST_EPOCHS:
        return ()
    paths = paths_of(runs, run.id)
    about = runs.watching.about(run.id, path)
    found = [finding for finding in about if finding.last_epoch is None and finding.kind not in but]
    return tuple(_line(finding, paths, run.tree) for finding in found[:MOST_OF_A_MODULE])


def _line(finding: Finding, paths: Mapping[int, str], tree: str) -> InsightLine:
    words = words_of(finding, {row: clipped(paths[row], MOST_OF_A_PATH) for row in finding.rows})
    named = [_named(tree, row, paths[row]) for row in finding.rows[:MOST_NAMED]]
    return InsightLine(
        severity=finding.severity,
        icon=ICONS[finding.severity],
        title=words.title,
        detail=words.detail,
        rule=words.rule,
        when=_when(finding),
        is_over=finding.last_epoch is not None,
        modules=tuple(named),
        num_more=finding.num_modules - len(named),
    )


def _named(tree: str, row: int, path: str) -> NamedModule:
    return NamedModule(path, clipped(path, MOST_OF_A_PATH) or _("the root"), module_url(tree, path, row))


def _when(finding: Finding) -> str:
    first = filters.exact(finding.first_epoch)
    if finding.last_epoch is None:
        return _("since epoch %(epoch)s", epoch=first)
    return _("epochs %(first)s to %(last)s", first=first, last=filters.exact(finding.last_epoch))
