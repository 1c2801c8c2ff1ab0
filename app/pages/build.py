"""The builder: a tree of LinearModels grown by hand, each row a form, each change a revision, its Python beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Annotated, ClassVar

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import RedirectResponse

from app.api.dependencies import TreesDep
from app.errors import Invalid, ModuletreeError, NameRefused, NotFound, RevisionMismatch
from app.pages.build_plan import plan_of
from app.pages.build_rows import MOST_ROWS, BuildRow, build_rows, fits, shown_rows
from app.pages.calls import origin_of
from app.pages.links import module_url, tree_url, with_query
from app.pages.spec_link import SpecLink, spec_link
from app.pages.templating import READING, Context, page
from app.pages.tree_head import TreeHead, tree_head
from app.pages.typed import nearest
from app.problems import status_of
from app.storage.trees import OpenTree, Trees, structure_only
from app.translation import said, told
from app.trees.code import program_of, python_of
from app.trees.index import TreeIndex
from app.trees.spec_text import spec_text

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Program:
    """The Python of a tree: what it begins with, then the lines of each row, and all of it as one text."""

    head: str
    lines: tuple[tuple[int, str], ...]
    text: str


@dataclass(frozen=True, slots=True)
class BuildPage(Context):
    """A tree with its rows as forms; `at` is the row that is at hand.

    `top` is the row that the shown part begins with, and `above` the path of what it hangs in. `program` makes the
    tree, or of a larger one what is shown (`is_part`); it is empty where that is too much too.
    """

    template: ClassVar[str] = "build.html"

    tree: TreeHead
    rows: tuple[BuildRow, ...]
    at: int
    top: int
    above: str
    above_url: str
    most_rows: int
    back_url: str
    program: Program
    is_part: bool
    link: SpecLink
    problem: str


@dataclass(frozen=True, slots=True)
class Sight:
    """What of a tree is looked at: from which row on, and which row is at hand."""

    tree_id: str
    origin: str
    top: int = 0
    row: int | None = None
    revision: int | None = None


async def _sight(
    request: Request,
    tree_id: str,
    top: Annotated[int, Query(ge=0)] = 0,
    row: Annotated[int | None, Query(ge=0)] = None,
    revision: int | None = None,
) -> Sight:
    return Sight(tree_id, origin_of(request), top, row, revision)


async def _typed(request: Request) -> Mapping[str, str]:
    form = await request.form()
    return {name: value for name, value in form.items() if isinstance(value, str)}


SightDep = Annotated[Sight, Depends(_sight)]
TypedDep = Annotated[Mapping[str, str], Depends(_typed)]


@router.api_route("/trees/{tree_id}/build", methods=READING)
def show_builder(trees: TreesDep, sight: SightDep, target: str | None = None) -> Response:
    """The tree as rows to type in; with `target`, that module at hand."""
    if target is not None:
        with trees.reading(sight.tree_id) as opened:
            target = nearest(opened, target)
        return RedirectResponse(_url_at(trees, sight.tree_id, target), 303)
    return page(_build_page(trees, sight))


@router.post("/trees/{tree_id}/build")
def change(trees: TreesDep, sight: SightDep, typed: TypedDep) -> Response:
    """Make what a row's form asks for as one change, then show the row that is at hand; a refusal stands at its row."""
    try:
        path = _changed(trees, sight, typed)
    except NotFound:
        raise
    except ModuletreeError as error:
        return page(_build_page(trees, sight, typed, error), status_of(error))
    return RedirectResponse(_url_at(trees, sight.tree_id, path, sight.top), 303)


@router.post("/trees/{tree_id}/build/{step}")
def undo_or_redo(trees: TreesDep, sight: SightDep, step: str) -> Response:
    """Back to the revision before, or forward to the one that was undone last."""
    if step not in ("undo", "redo"):
        raise NotFound(
            said("There is nothing at %(path)s to send a form to.", path=f"/trees/{sight.tree_id}/build/{step}")
        )
    (trees.undo if step == "undo" else trees.redo)(sight.tree_id)
    return RedirectResponse(_url(sight.tree_id, sight.top, sight.row or 0), 303)


@router.api_route("/trees/{tree_id}/build/spec.json", methods=READING)
def spec(trees: TreesDep, tree_id: str) -> Response:
    """The tree as a LinearSpec, to keep or to send."""
    with trees.reading(tree_id) as opened:
        text = spec_text(opened.index)
    headers = {"Content-Disposition": f'attachment; filename="{tree_id}.json"', "Cache-Control": "no-cache"}
    return Response(text.encode(), 200, headers, "application/json")


@router.api_route("/trees/{tree_id}/build/{step}", methods=READING)
def step_page(tree_id: str, step: str) -> Response:
    """On to the builder: for who asks again for the address that a form was sent to."""
    return RedirectResponse(_url(tree_id, 0, 0), 303)


def _changed(trees: Trees, sight: Sight, typed: Mapping[str, str]) -> str:
    record = trees.get(sight.tree_id)
    if not record.facts.can.edit:
        raise structure_only(record)
    if sight.revision is not None and sight.revision != record.revision:
        raise RevisionMismatch(str(sight.revision), record.revision)
    with trees.reading(sight.tree_id) as opened:
        plan = plan_of(opened, _row_at(opened, sight.row or 0), typed, trees.limits)
    if not plan.steps:
        return plan.target
    _, path = trees.edit(sight.tree_id, plan.make, note=plan.note, if_match=record.revision)
    return path


def _build_page(
    trees: Trees, sight: Sight, typed: Mapping[str, str] | None = None, error: ModuletreeError | None = None
) -> BuildPage:
    history = trees.history(sight.tree_id)
    with trees.reading(sight.tree_id) as opened:
        if not opened.record.facts.can.edit:
            raise structure_only(opened.record)
        index, revision = opened.index, opened.record.revision
        top, at = (_row_at(opened, row) for row in (sight.top, sight.row or 0))
        url = tree_url(sight.tree_id)
        rows = build_rows(index, top, url, revision)
        is_here = error is not None and not isinstance(error, RevisionMismatch)
        if error is not None and typed is not None and is_here:
            problems = _problems(error)
            rows = tuple(row.with_typed(typed, problems) if row.row == at else row for row in rows)
        shown = {row.row for row in rows}
        parent = index.parent[top]
        return BuildPage(
            tree=tree_head(opened, history, "build", index.path(at)),
            rows=rows,
            at=at if at in shown else top,
            top=top,
            above=index.path(parent) if top else "",
            above_url=_url(sight.tree_id, parent, top) if top else "",
            most_rows=MOST_ROWS,
            back_url=module_url(sight.tree_id, index.path(at), at),
            program=_program(index, top),
            is_part=len(index) > MOST_ROWS,
            link=spec_link(opened, sight.origin),
            problem=told(error.detail) if error is not None and (not is_here or at not in shown) else "",
        )


def _program(index: TreeIndex, top: int) -> Program:
    if fits(index):
        return _lines(index, 0)
    is_part = len(index) > MOST_ROWS and fits(index, top)
    return _lines(TreeIndex.of(index.modules[top]), top) if is_part else Program("", (), "")


def _lines(index: TreeIndex, top: int) -> Program:
    head, statements = program_of(index)
    by_row = groupby(statements, key=itemgetter(0))
    lines = tuple((top + row, "\n".join(text for _, text in of_row)) for row, of_row in by_row)
    return Program(head, lines, python_of(index))


def _problems(error: ModuletreeError) -> dict[str, str]:
    if isinstance(error, NameRefused):
        return {"name": told(error.detail)}
    if not isinstance(error, Invalid) or not error.errors:
        return {"": told(error.detail)}
    problems: dict[str, str] = {}
    for misfit in error.errors:
        key = str(misfit.loc[0]) if misfit.loc else ""
        problems[key] = f"{problems[key]}; {told(misfit.msg)}" if key in problems else told(misfit.msg)
    return problems


def _row_at(opened: OpenTree, row: int) -> int:
    # A tree that was changed elsewhere may have lost the row that an old address names.
    return row if row < len(opened.index) else 0


def _url_at(trees: Trees, tree_id: str, target: str, top: int | None = None) -> str:
    """The builder with `target` at hand, from `top` on where it shows there."""
    with trees.reading(tree_id) as opened:
        index, row = opened.index, opened.index.row(target)
        if len(index) <= MOST_ROWS:
            return _url(tree_id, 0, row)
        if top is None:
            return _url(tree_id, row, row)
        return _url(tree_id, top if row in shown_rows(index, top) else index.parent[row], row)


def _url(tree_id: str, top: int, row: int) -> str:
    # Without a fragment, for which browsers would leave the focus of the page alone.
    return with_query(f"{tree_url(tree_id)}/build", top=str(top) if top else "", row=str(row) if row else "")
