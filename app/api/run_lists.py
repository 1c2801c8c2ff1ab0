"""All runs: which of them, and in which order."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Response

from app.api import run_examples, run_schemas
from app.api.answers import JSON
from app.api.dependencies import RunsDep
from app.api.documents import failures, view
from app.api.run_cursors import run_cursor, run_place
from app.training.run import Run, RunStatus
from app.training.run_query import RunQuery, RunSort

router = APIRouter(prefix="/api", tags=["Runs"])

MAX_LIMIT = 1_000
SORTS = [f"{sign}{sort}" for sort in RunSort for sign in ("-", "")]


def asked_runs(
    tree: Annotated[str, Query(description="Only those of the tree of this id.", max_length=64)] = "",
    status: Annotated[
        list[RunStatus] | None, Query(description="Only those of this status, or of one of these.", examples=["failed"])
    ] = None,
    optimizer: Annotated[
        str, Query(description="Only those with this class of `torch.optim`.", max_length=64, examples=["Adam"])
    ] = "",
    loss_function: Annotated[
        str, Query(description="Only those with this class of `torch.nn` as their loss.", max_length=64)
    ] = "",
    q: Annotated[
        str,
        Query(
            description="Each word is in the tree's name, or is the number or the id of the run.",
            max_length=200,
            examples=["linear #3"],
        ),
    ] = "",
    min_loss: Annotated[
        float | None, Query(description="Only with a latest loss of so much or more.", allow_inf_nan=False)
    ] = None,
    max_loss: Annotated[
        float | None, Query(description="Only with a latest loss of so much or less.", allow_inf_nan=False)
    ] = None,
    sort: Annotated[
        str,
        Query(
            description="What to sort by, the largest first with a `-`: `started` is when a run was asked for, `epochs`"
            " how many are done, `duration` from start to end. Runs without such a number come last either way.",
            pattern=f"^(?:{'|'.join(SORTS)})$",
            examples=["-best_loss"],
        ),
    ] = "-started",
) -> RunQuery:
    """Return what a request asks of all runs."""
    return RunQuery(
        tree=tree,
        statuses=tuple(status or ()),
        optimizer=optimizer,
        loss_function=loss_function,
        q=q,
        min_loss=min_loss,
        max_loss=max_loss,
        sort=RunSort(sort.removeprefix("-")),
        is_descending=sort.startswith("-"),
    )


class RunPage(msgspec.Struct):
    """A page of runs as it is encoded."""

    items: list[Run]
    total: int
    next: str | None


@view(
    router,
    "/runs",
    response_model=run_schemas.RunList,
    responses={200: {"content": {JSON: {"example": run_examples.RUNS}}}, **failures(422)},
)
def list_runs(
    runs: RunsDep,
    asked: Annotated[RunQuery, Depends(asked_runs)],
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Most items of a page.")] = 100,
    cursor: Annotated[
        str | None, Query(description="`next` of the page before, with all else as it was.", max_length=200)
    ] = None,
) -> Response:
    """All runs, or those asked for; newest first unless `sort` says otherwise. Those of trees that are gone too."""
    found, place = runs.find(asked, limit, run_place(asked, cursor))
    page = RunPage(list(found), runs.num_found(asked), run_cursor(asked, place))
    return Response(msgspec.json.encode(page), headers={"cache-control": "no-store"}, media_type=JSON)
