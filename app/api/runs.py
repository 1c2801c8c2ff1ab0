"""Runs: start, list, look at, cancel, pause, resume, delete; their epochs, and their results put on a tree."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Path, Query, Request, Response
from starlette.responses import StreamingResponse

from app.api import run_examples, run_schemas
from app.api.answers import JSON, TreeId
from app.api.bodies import JsonRoute, in_body
from app.api.dependencies import RunsDep
from app.api.documents import failures, view
from app.api.negotiation import media_type
from app.api.run_epochs import csv_lines, json_page
from app.api.run_examples import CANNOT_TRAIN, NO_SUCH_RUN, NOT_NOW, QUEUE_FULL
from app.training.run import Run, encode_run

router = APIRouter(prefix="/api", tags=["Runs"], route_class=JsonRoute)

CSV = "text/csv"
DEFAULT_EPOCHS = 1_000
MAX_EPOCHS = 100_000
NO_STORE = {"cache-control": "no-store"}

RunId = Annotated[str, Path(description="Id of the run.", examples=["r_ab2cd3ef4g"], max_length=64)]

LOCATION = {"description": "The new run.", "schema": {"type": "string"}, "example": "/api/runs/r_ab2cd3ef4g"}


def run_answer(run: Run, status: int = 200, **headers: str) -> Response:
    """Answer with a run."""
    return Response(encode_run(run), status, {**NO_STORE, **headers}, JSON)


def _shown(example: object) -> dict[str, Any]:
    return {"content": {JSON: {"example": example}}}


@router.post(
    "/trees/{tree_id}/runs",
    operation_id="start_run",
    status_code=202,
    response_model=run_schemas.Run,
    responses={
        202: {**_shown(run_examples.QUEUED), "headers": {"Location": LOCATION}},
        **failures(404, 413, 422),
        409: CANNOT_TRAIN,
        429: QUEUE_FULL,
    },
)
def start_run(
    runs: RunsDep,
    tree_id: TreeId,
    body: Annotated[
        run_schemas.NewRun, Body(default_factory=run_schemas.NewRun, openapi_examples=run_examples.NEW_RUNS)
    ],
) -> Response:
    """Train the tree as it is, in the background: now, or when a worker is free.

    When the run has succeeded, its parameters are the tree's next revision, unless the tree was changed meanwhile.
    """
    with in_body():
        run = runs.start(tree_id, body.config())
    return run_answer(run, 202, location=f"/api/runs/{run.id}")


@view(
    router,
    "/runs/{run_id}",
    response_model=run_schemas.Run,
    responses={200: _shown(run_examples.RUN), 404: NO_SUCH_RUN},
)
def get_run(runs: RunsDep, run_id: RunId) -> Response:
    """One run, as it is now."""
    return run_answer(runs.get(run_id))


@router.delete(
    "/runs/{run_id}",
    operation_id="delete_run",
    status_code=204,
    responses={204: {"description": "Deleted"}, 404: NO_SUCH_RUN, 409: NOT_NOW},
)
def delete_run(runs: RunsDep, run_id: RunId) -> Response:
    """Forget a run, with its epochs and its result; one that is queued, running or paused is a 409: cancel it first."""
    runs.delete(run_id)
    return Response(status_code=204)


def _command(name: str, more: Mapping[int | str, dict[str, Any]] | None = None) -> Callable[..., Any]:
    return router.post(
        f"/runs/{{run_id}}/{name}",
        operation_id=f"{name}_run",
        response_model=run_schemas.Run,
        responses={200: _shown(run_examples.RUN), 404: NO_SUCH_RUN, 409: NOT_NOW, **(more or {})},
    )


@_command("cancel")
def cancel_run(runs: RunsDep, run_id: RunId) -> Response:
    """End the run, within 200 ms; the epochs done so far stay in its log. One that is over is a 409."""
    return run_answer(runs.cancel(run_id))


@_command("pause")
def pause_run(runs: RunsDep, run_id: RunId) -> Response:
    """Let the run wait after its present epoch; where that one is long, the run is still `running` in the answer."""
    return run_answer(runs.pause(run_id))


@_command("resume", {429: QUEUE_FULL})
def resume_run(runs: RunsDep, run_id: RunId) -> Response:
    """Let a paused run go on, or an interrupted one: from its last checkpoint, or from its start where it has none.

    It is `queued` while as many runs train as may, and goes on when it is its turn. What is trained again gives the
    same losses and is not told again.
    """
    return run_answer(runs.resume(run_id))


@router.post(
    "/runs/{run_id}/apply",
    operation_id="apply_run",
    response_model=run_schemas.Applied,
    responses={200: _shown(run_examples.APPLIED), 404: NO_SUCH_RUN, 409: NOT_NOW},
)
def apply_run(runs: RunsDep, run_id: RunId) -> Response:
    """Put the parameters that the run ended with on its tree as that is now, where they still fit: a new revision."""
    return Response(msgspec.json.encode(runs.apply(run_id)), media_type=JSON)


@view(
    router,
    "/runs/{run_id}/epochs",
    response_model=run_schemas.EpochList,
    responses={
        200: {
            "content": {
                JSON: {"example": run_examples.EPOCHS},
                CSV: {"schema": {"type": "string"}, "example": run_examples.EPOCHS_CSV},
            }
        },
        404: NO_SUCH_RUN,
        **failures(422),
    },
)
def run_epochs(
    request: Request,
    runs: RunsDep,
    run_id: RunId,
    after: Annotated[int, Query(ge=-1, lt=2**62, description="Only epochs after this one.")] = -1,
    limit: Annotated[
        int | None,
        Query(ge=1, le=MAX_EPOCHS, description=f"Most epochs; {DEFAULT_EPOCHS:,} as JSON, all as CSV where left out."),
    ] = None,
) -> Response:
    """The epochs that are done, in order: as JSON a page at a time, with `Accept: text/csv` as one file."""
    headers = {**NO_STORE, "vary": "Accept"}
    if media_type(request.headers.get("accept"), (JSON, CSV)) == CSV:
        run = runs.get(run_id)
        headers["content-disposition"] = f'attachment; filename="run-{run.number}-epochs.csv"'
        return StreamingResponse(csv_lines(runs, run, after, limit), headers=headers, media_type=CSV)
    return Response(json_page(*runs.epochs(run_id, after, limit or DEFAULT_EPOCHS)), headers=headers, media_type=JSON)
