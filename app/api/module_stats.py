"""Statistics of modules at one epoch of a run."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response

from app.api import module_stats_schemas
from app.api.answers import JSON
from app.api.dependencies import ModuleRowsDep, RunsDep
from app.api.documents import failures, view
from app.api.run_examples import NO_SUCH_RUN
from app.api.runs import NO_STORE, RunId
from app.errors import CannotDo
from app.training.figures import figures_json
from app.training.run import Run
from app.training.runs import Runs
from app.translation import said

router = APIRouter(prefix="/api", tags=["Runs"])

EXAMPLE: dict[str, Any] = {
    "epoch": 9,
    "epochs": {"first": 0, "last": 9, "every": 1, "count": 10},
    "ranges": {"parameter_norm": [0.4, 2.16], "gradient_norm": [0.177, 65.9], "update_ratio": [0.0008, 0.62]},
    "rows": [0, 1, 2],
    "paths": ["", "sub1", "sub1.sub2_1"],
    "parameter_norm": [2.16, 0.7, 1.02],
    "gradient_norm": [0.177, None, None],
    "update_ratio": [0.0008, 0, 0],
    "has_gradient": [True, False, False],
}


def every_of(run: Run) -> int:
    """Return after how many epochs a run keeps statistics of modules; raises `CannotDo` where it keeps none."""
    if not run.config.module_stats_every:
        raise CannotDo(
            said("The run %(run_id)s keeps no statistics of modules: start one with module_stats_every.", run_id=run.id)
        )
    return run.config.module_stats_every


@view(
    router,
    "/runs/{run_id}/modules",
    response_model=module_stats_schemas.ModuleStats,
    responses={
        200: {"content": {JSON: {"example": EXAMPLE}}},
        404: NO_SUCH_RUN,
        **failures(409, 422),
    },
)
def run_modules(
    runs: RunsDep,
    module_rows: ModuleRowsDep,
    run_id: RunId,
    epoch: Annotated[
        int | None, Query(ge=0, lt=2**62, description="At this epoch or the nearest before; left out: the latest.")
    ] = None,
    paths: Annotated[bool, Query(description="Whether to name the modules; `rows` tell as much.")] = True,
) -> Response:
    """Parameter norm, gradient norm and update ratio of each module with parameters of its own, at one epoch.

    A run without `module_stats_every` is a 409. `epoch` is null, and the figures are empty, while there are none.
    """
    every = every_of(runs.get(run_id))
    columns = runs.module_stats(run_id, epoch)
    members = [f'"epoch":{columns.epochs[0] if columns is not None else "null"}', *_about(runs, run_id, every)]
    members.append(f'"rows":{_json(module_rows.of(run_id))}')
    if paths:
        members.append(f'"paths":{_json(runs.holders(run_id).paths)}')
    members.append(figures_json(columns, 0) if columns is not None else NOTHING)
    return Response(f"{{{','.join(members)}}}", headers=NO_STORE, media_type=JSON)


NOTHING = '"parameter_norm":[],"gradient_norm":[],"update_ratio":[],"has_gradient":[]'


def _about(runs: Runs, run_id: str, every: int) -> list[str]:
    span = runs.module_stats_span(run_id)
    first, last = span if span is not None else (None, None)
    epochs = {"first": first, "last": last, "every": every, "count": runs.get(run_id).num_module_stats}
    return [f'"epochs":{_json(epochs)}', f'"ranges":{_json(runs.watching.ranges(run_id))}']


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
