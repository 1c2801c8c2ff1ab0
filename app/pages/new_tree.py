"""New trees from forms: every kind of source has its tab, its form, and what is said when it is refused."""

from collections.abc import Mapping
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Query, Response
from starlette.background import BackgroundTask
from starlette.responses import RedirectResponse

from app.api.dependencies import RunsDep
from app.errors import Invalid, Misfit, ModuletreeError
from app.pages import new_checkpoint, new_config, new_factory, new_linear
from app.pages.links import tree_url, with_query
from app.pages.new_desk import Asked, Desk, DeskDep, Sent, SentDep
from app.pages.replay import heat_of
from app.pages.run_typed import watched
from app.pages.templating import READING, Context, page
from app.problems import status_of
from app.storage.records import TreeRecord
from app.training.config import RunConfig
from app.translation import said
from app.trees import tutorial

router = APIRouter(include_in_schema=False)

# The links that are made here are shorter.
MOST_SPEC = 30_000


class Way(Protocol):
    """One kind of source: its form as it is first shown, what it opens, and the form with what is wrong."""

    def blank(self, desk: Desk, asked: Asked) -> Context: ...

    def open_tree(self, desk: Desk, sent: Sent) -> TreeRecord: ...

    def refused(self, desk: Desk, sent: Sent, error: ModuletreeError) -> Context: ...


WAYS: Mapping[str, Way] = {
    **dict.fromkeys(new_linear.KINDS, new_linear),
    "factory": new_factory,
    "config": new_config,
    "checkpoint": new_checkpoint,
}


async def _asked(
    kind: str = "",
    q: Annotated[str, Query(max_length=1_000)] = "",
    target: Annotated[str, Query(max_length=1_000)] = "",
    example: str = "",
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    spec: Annotated[str, Query(max_length=MOST_SPEC)] = "",
    forward: Annotated[str, Query(max_length=20)] = "",
    name: Annotated[str, Query(max_length=1_000)] = "",
) -> Asked:
    kind = kind or ("spec" if spec else "linear")
    _check(kind)
    return Asked(kind, q, target, example, cursor, spec, forward, name)


@router.api_route("/trees/new", methods=READING)
def show_form(desk: DeskDep, asked: Annotated[Asked, Depends(_asked)]) -> Response:
    """The form for a new tree; meanwhile the process that builds gets ready."""
    try:
        response = page(WAYS[asked.kind].blank(desk, asked))
    except ModuletreeError as error:
        response = page(WAYS[asked.kind].refused(desk, Sent(asked.typed), error), status_of(error))
    response.background = BackgroundTask(desk.workshop.start)
    return response


@router.post("/trees")
def open_tree(desk: DeskDep, runs: RunsDep, sent: SentDep) -> Response:
    """Open what the form describes and show it; what is refused comes back in the form, nothing lost."""
    kind = sent.typed.get("kind", "")
    if kind == "tutorial":
        record = desk.trees.open(tutorial.SOURCE, tutorial.NAME)
        run = runs.start(record.id, watched(RunConfig(), record.facts.num_modules))
        return RedirectResponse(with_query(tree_url(record.id), run=run.id, heat=heat_of(run)), 303)
    _check(kind)
    if "more" in sent.typed and kind in new_linear.KINDS:
        return page(new_linear.with_more_rows(desk, sent))
    try:
        if "preview" in sent.typed and kind == "spec":
            return page(new_linear.previewed(desk, sent))
        record = WAYS[kind].open_tree(desk, sent)
    except ModuletreeError as error:
        return page(WAYS[kind].refused(desk, sent, error), status_of(error))
    is_built = sent.typed.get("then") == "build" and record.facts.can.edit
    return RedirectResponse(f"{tree_url(record.id)}/build" if is_built else tree_url(record.id), 303)


@router.post("/trees/upload")
def upload(desk: DeskDep, sent: SentDep) -> Response:
    """Open an uploaded checkpoint and show it."""
    try:
        record = new_checkpoint.open_upload(desk, sent)
    except ModuletreeError as error:
        return page(new_checkpoint.upload_refused(desk, sent, error), status_of(error))
    return RedirectResponse(tree_url(record.id), 303)


@router.api_route("/trees/upload", methods=READING)
def upload_form() -> Response:
    """On to the page that holds the form: for who asks again for the address that it is sent to."""
    return RedirectResponse("/trees/new?kind=checkpoint", 303)


def _check(kind: str) -> None:
    if kind not in WAYS:
        msg = said("expected one of %(ways)s, got %(kind)r", ways=", ".join(WAYS), kind=kind)
        raise Invalid(said("kind: %(msg)s.", msg=msg), (Misfit(("query", "kind"), msg),))
