"""What a run's log says about how it learns."""

from typing import Any

import msgspec
from fastapi import APIRouter, Response

from app.api import insight_schemas
from app.api.answers import JSON
from app.api.bodies import JsonRoute
from app.api.dependencies import RunsDep
from app.api.documents import view
from app.api.run_examples import NO_SUCH_RUN
from app.api.runs import NO_STORE, RunId
from app.training.insights.insight import Finding, Kind, Severity
from app.training.insights.words import words_of
from app.training.runs import Runs

router = APIRouter(prefix="/api", tags=["Runs"], route_class=JsonRoute)


class _Insight(msgspec.Struct):
    kind: Kind
    severity: Severity
    title: str
    detail: str
    rule: str
    figures: dict[str, float | None]
    modules: list[str]
    num_modules: int
    first_epoch: int
    last_epoch: int | None


class _Insights(msgspec.Struct):
    items: list[_Insight]


EXAMPLE: dict[str, Any] = {
    "items": [
        {
            "kind": "no_gradient",
            "severity": "warning",
            "title": "No gradient reaches 2 modules, sub1 the first.",
            "detail": "grad stays None: forward never calls it, or its output is detached from the loss. Its "
            "parameters keep their first values.",
            "rule": "grad is None for all its parameters; over when it has one at 2 looks in a row.",
            "figures": {},
            "modules": ["sub1", "sub1.sub2_1"],
            "num_modules": 2,
            "first_epoch": 0,
            "last_epoch": None,
        }
    ]
}


def paths_of(runs: Runs, run_id: str) -> dict[int, str]:
    """Return the paths of the modules that findings of a run can name, by row; none where it has no statistics."""
    if not runs.get(run_id).config.module_stats_every:
        return {}
    held = runs.holders(run_id)
    return dict(zip(held.rows, held.paths, strict=True))


@view(
    router,
    "/runs/{run_id}/insights",
    response_model=insight_schemas.InsightList,
    responses={200: {"content": {JSON: {"example": EXAMPLE}}}, 404: NO_SUCH_RUN},
)
def run_insights(runs: RunsDep, run_id: RunId) -> Response:
    """What the log of the run says up to now: what holds first, by how much it matters, then what is over.

    Rules about modules need `module_stats_every`. `last_epoch` is null while one holds.
    """
    paths = paths_of(runs, run_id)
    found = [_told(finding, paths) for finding in runs.watching.findings(run_id)]
    return Response(msgspec.json.encode(_Insights(found)), headers=NO_STORE, media_type=JSON)


def _told(finding: Finding, paths: dict[int, str]) -> _Insight:
    words = words_of(finding, paths)
    return _Insight(
        kind=finding.kind,
        severity=finding.severity,
        title=str(words.title),
        detail=str(words.detail),
        rule=str(words.rule),
        figures=dict(finding.figures),
        modules=[paths[row] for row in finding.rows],
        num_modules=finding.num_modules,
        first_epoch=finding.first_epoch,
        last_epoch=finding.last_epoch,
    )
