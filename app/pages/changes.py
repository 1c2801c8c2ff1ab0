"""Forms sent: the change is made and the page shown again; what is refused comes back in its form, nothing lost."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse

from app.api.dependencies import DataDep, RunsDep, SettingsDep, TreesDep
from app.errors import Invalid, ModuletreeError, NotFound, TargetNotFound, TooLarge
from app.pages.forms import Form, invalid
from app.pages.inspector import inspector
from app.pages.inspector_page import InspectorPart
from app.pages.links import LONGEST_TARGET, module_url, with_query
from app.pages.look import Look, LookDep, row_of
from app.pages.module_forms import ModuleForms
from app.pages.prediction import tree_now
from app.pages.replay import heat_of
from app.pages.run_form import Around, RunForm, start_form
from app.pages.run_typed import config_of, watched
from app.pages.templating import READING, page
from app.pages.tensor_facts import ModuleParts
from app.pages.trees import tree_page
from app.pages.typed import ACTIONS, change_of, nearest
from app.problems import status_of
from app.storage.trees import OpenTree, Trees, structure_only
from app.storage.uploads import Received
from app.training.config import RunConfig
from app.training.run import Run
from app.training.runs import Runs
from app.translation import gettext as _
from app.translation import said

MAX_NAME = 200
PART = "inspector"
# Fields from which several may be picked.
SEVERAL = frozenset({"csv_x", "csv_y"})

router = APIRouter(include_in_schema=False)


async def _typed(request: Request) -> dict[str, str]:
    form = await request.form()
    typed = {name: value for name, value in form.items() if isinstance(value, str)}
    for name in SEVERAL & typed.keys():
        typed[name] = "\n".join(str(value) for value in form.getlist(name))
    if "name" in request.query_params:
        typed["name"] = request.query_params["name"]
    return typed


async def _files(request: Request) -> dict[str, UploadFile]:
    form = await request.form()
    return {name: value for name, value in form.items() if isinstance(value, UploadFile) and value.filename}


TypedDep = Annotated[Mapping[str, str], Depends(_typed)]
FilesDep = Annotated[Mapping[str, UploadFile], Depends(_files)]


def _at(look: LookDep, target: str = "", revision: int | None = None) -> Look:
    return replace(look, target=target, revision=revision)


AtDep = Annotated[Look, Depends(_at)]


@router.post("/trees/{tree_id}/undo")
def undo(trees: TreesDep, look: AtDep) -> Response:
    """Back to the revision before, the selection kept where it still is there."""
    trees.undo(look.tree_id)
    return _back(trees, look, look.target)


@router.post("/trees/{tree_id}/redo")
def redo(trees: TreesDep, look: AtDep) -> Response:
    """Forward to the revision that was undone last."""
    trees.redo(look.tree_id)
    return _back(trees, look, look.target)


@router.post("/trees/{tree_id}/rename")
def rename(trees: TreesDep, runs: RunsDep, look: AtDep, typed: TypedDep) -> Response:
    """Give the tree another name."""
    name = typed.get("name", "").strip()
    try:
        if not 1 <= len(name) <= MAX_NAME:
            raise invalid(
                [("name", _("expected 1 to %(most)s characters, got %(num)s", most=MAX_NAME, num=f"{len(name):,}"))]
            )
        trees.rename(look.tree_id, name)
    except Invalid as error:
        return _refused(trees, runs, look, "rename", typed, error)
    return _back(trees, look, "")


@router.post("/trees/{tree_id}/delete_tree")
def delete_tree(trees: TreesDep, look: AtDep) -> Response:
    """Delete the tree; its runs stay."""
    trees.delete(look.tree_id)
    return RedirectResponse("/", 303)


@router.post("/trees/{tree_id}/forward")
def forward(trees: TreesDep, runs: RunsDep, look: AtDep, typed: TypedDep) -> Response:
    """The page with what the tree answers at x; changes nothing."""
    asked = replace(look.asked, x=typed.get("x", ""), run=typed.get("run", ""), is_predicted=True, is_shut=False)
    shown = tree_page(trees, runs, replace(look, asked=asked))
    prediction = shown.dock.prediction
    if prediction is None:
        raise structure_only(trees.get(look.tree_id))
    return page(shown, 422 if prediction.problem else 200)


@router.post("/trees/{tree_id}/runs")
def start_run(trees: TreesDep, runs: RunsDep, look: AtDep, typed: TypedDep) -> Response:
    """Start a run, then show it."""
    try:
        run = runs.start(look.tree_id, config_of(typed, trees.get(look.tree_id).facts.num_modules))
    except NotFound:
        raise
    except ModuletreeError as error:
        form = _start_form(trees, runs, look, typed.get("upload", "")).filled(typed, error)
        asked = replace(look.asked, is_shut=False, start=form)
        return page(tree_page(trees, runs, replace(look, asked=asked)), status_of(error))
    return RedirectResponse(_url(trees, look, run), 303)


@router.post("/trees/{tree_id}/run_data")
def send_data(
    trees: TreesDep, runs: RunsDep, data: DataDep, settings: SettingsDep, look: AtDep, typed: TypedDep, files: FilesDep
) -> Response:
    """The page with the columns of a file that is sent, or of another upload, in the form of a run."""
    typed = {**typed, "kind": "csv"}
    try:
        if (file := files.get("file")) is not None:
            upload = data.receive(Received(file.filename or "", file.file), settings.max_upload).id
        else:
            upload = data.get(typed.get("upload", "")).id
        error = None
    except (Invalid, TooLarge, NotFound) as refused:
        upload, error = "", invalid([("file", refused.detail)])
    # What was chosen of another file's columns says nothing of this one's.
    kept = {name: text for name, text in typed.items() if error or name not in ("upload", "csv_x", "csv_y")}
    form = _start_form(trees, runs, look, upload).filled(kept, error)
    asked = replace(look.asked, is_shut=False, start=form)
    return page(tree_page(trees, runs, replace(look, asked=asked)), 200 if error is None else 422)


def _start_form(trees: Trees, runs: Runs, look: Look, upload: str) -> RunForm:
    """The form as it is without anything typed."""
    latest, _before = runs.list(look.tree_id, 1)
    with trees.reading(look.tree_id) as opened:
        now = tree_now(opened, look.asked.x)
    around = Around(look.tree_id, now.num_modules, next(iter(latest), None), look.asked.data, now.can_fuse)
    return start_form(around, watched(RunConfig(), now.num_modules), upload)


def _url(trees: Trees, look: Look, run: Run) -> str:
    with trees.reading(look.tree_id) as opened:
        return module_url(look.tree_id, nearest(opened, look.target), None, run=run.id, heat=heat_of(run))


@router.post("/trees/{tree_id}/{action}")
def change(trees: TreesDep, runs: RunsDep, look: AtDep, action: str, typed: TypedDep) -> Response:
    """Make the change that a form asks for, then show the module it was made at."""
    if action not in ACTIONS:
        raise NotFound(said("There is nothing at %(path)s to send a form to.", path=f"/trees/{look.tree_id}/{action}"))
    look = _with_target(trees, look)
    try:
        wanted = change_of(action, look.target, typed, trees.limits)
        record, _ = trees.edit(look.tree_id, wanted.make, note=wanted.note, if_match=look.revision)
    except TargetNotFound:
        raise
    except ModuletreeError as error:
        return _refused(trees, runs, look, action, typed, error)
    return _back(trees, look, wanted.target, made=record.revision)


@router.api_route("/trees/{tree_id}/{action}", methods=READING)
def form_page(look: AtDep, action: str) -> Response:
    """On to the page that holds the form: for who asks again for the address that one was sent to."""
    if action not in {*ACTIONS, "rename", "delete_tree", "undo", "redo", "forward", "runs", "run_data"}:
        raise NotFound(
            said("There is nothing at %(path)s. GET /docs shows what there is.", path=f"/trees/{look.tree_id}/{action}")
        )
    tab = "change" if action in {*ACTIONS, "rename", "delete_tree"} else ""
    return RedirectResponse(module_url(look.tree_id, look.target, look.row, tab=tab), 303)


def _with_target(trees: Trees, look: Look) -> Look:
    if look.row is None:
        return look
    with trees.reading(look.tree_id) as opened:
        row = row_of(opened, look.target, look.row, look.revision)
        return replace(look, target=opened.index.path(row), row=None)


def _refused(
    trees: Trees, runs: Runs, look: Look, action: str, typed: Mapping[str, str], error: ModuletreeError
) -> Response:
    """The page again, or its inspector, with the form that was sent: open, as it was filled in, its problems in it."""
    with trees.reading(look.tree_id) as opened:
        row = row_of(opened, look.target, look.row)
        form, tab = _form(opened, row, look, action, typed)
        again = replace(look, tab=tab, fn=typed.get("fn", ""), form=form.refused(typed, error))
        if look.part == PART:
            return page(InspectorPart(inspector(trees, runs, opened, again)), status_of(error))
    return page(tree_page(trees, runs, again), status_of(error))


def _form(opened: OpenTree, row: int, look: Look, action: str, typed: Mapping[str, str]) -> tuple[Form, str]:
    forms = ModuleForms(opened, row, look.target, look.origin, typed.get("fn", ""))
    parts = ModuleParts(opened.index, look.tree_id, row, look.target, look.tab)
    of_tab = {
        "parameters": lambda: forms.tensor_forms(tuple(parts.parameters()), are_buffers=False),
        "buffers": lambda: forms.tensor_forms(tuple(parts.buffers()), are_buffers=True),
    }.get(look.tab, tuple)()
    sent_to = with_query(f"/trees/{look.tree_id}/{action}", target=look.target, name=typed.get("name", ""))
    for form in of_tab:
        if form.url == sent_to:
            return form, look.tab
    found = {form.key: form for form in (*forms.change_forms(), *forms.quick_forms())}
    return found.get(action) or Form(action, action, look.target, _("Send")), "change"


def _back(trees: Trees, look: Look, target: str, made: int | None = None) -> Response:
    with trees.reading(look.tree_id) as opened:
        there = nearest(opened, target)
        row = opened.index.row(there)
    revision = str(made or "")
    if look.part != PART:
        return RedirectResponse(module_url(look.tree_id, there, row, made=revision), 303)
    by = {"row": str(row)} if len(there) > LONGEST_TARGET else {"target": there}
    return RedirectResponse(with_query(f"/trees/{look.tree_id}/inspector", **by, tab=look.tab, made=revision), 303)
