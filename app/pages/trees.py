"""The page of a tree: the tree on the left, what is selected on the right, its runs below."""

from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.convertors import Convertor, register_url_convertor
from starlette.responses import RedirectResponse

from app.api.dependencies import RunsDep, TreesDep
from app.errors import Invalid, RevisionMismatch
from app.pages import lenses, look_ups, origin, repeats, search, tensor_pages, trace_page, whole
from app.pages.calls import origin_of
from app.pages.dock import Asked, Dock, TreeNow, dock, tree_now
from app.pages.drawings import drawings_of
from app.pages.forms import Form, invalid
from app.pages.inspector import TABS, Inspector, inspector
from app.pages.links import module_url
from app.pages.map import TreeMap, tree_map
from app.pages.module_forms import ModuleForms
from app.pages.templating import READING, Context, page
from app.pages.tree_head import TreeHead, tree_head
from app.pages.tree_rows import TreeView, tree_view
from app.storage.trees import OpenTree, Trees, structure_only
from app.training.runs import Runs
from app.trees.origin import num_stored
from app.trees.runs_of_names import numbered

DOCK_COOKIE = "moduletree-dock"


class TargetConvertor(Convertor[str]):
    """A dotted path to the end of the address: names may hold slashes and line breaks."""

    regex = r"[\s\S]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("target", TargetConvertor())
router = APIRouter(include_in_schema=False)
router.include_router(lenses.router)
router.include_router(look_ups.router)
router.include_router(whole.router)
router.include_router(origin.router)
router.include_router(repeats.router)
router.include_router(search.router)
router.include_router(tensor_pages.router)
router.include_router(trace_page.router)


@dataclass(frozen=True, slots=True)
class TreePage(Context):
    """A tree with one of its modules selected; `cannot` says why it is not changed and trained, "" where it can be."""

    template: ClassVar[str] = "tree.html"

    tree: TreeHead
    view: TreeView
    map: TreeMap | None
    inspector: Inspector
    quick_forms: tuple[Form, ...]
    change_forms: tuple[Form, ...]
    tensor_forms: tuple[Form, ...]
    dock: Dock | None
    cannot: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """What of a tree is looked at; `forms` stand in for those of the same key, filled in and refused."""

    tree_id: str
    target: str = ""
    row: int | None = None
    revision: int | None = None
    tab: str = "overview"
    start: int = 0
    unfold: int | None = None
    fn: str = ""
    opened: str = ""
    origin: str = ""
    asked: Asked = field(default_factory=Asked)
    form: Form | None = None


def tree_page(trees: Trees, runs: Runs, look: Look) -> TreePage:
    """Return the page of a tree; raises `NotFound` where the tree, the target or the run is not there."""
    history = trees.history(look.tree_id)
    with trees.reading(look.tree_id) as opened:
        seen = _see(opened, look)
        drawings_of(trees).keep(opened)
        head = tree_head(opened, history, "tree", seen.inspector.target)
    return TreePage(
        tree=head,
        view=seen.view,
        map=seen.map,
        inspector=seen.inspector,
        quick_forms=seen.quick_forms,
        change_forms=seen.change_forms,
        tensor_forms=seen.tensor_forms,
        dock=dock(runs, seen.now, look.asked) if seen.now else None,
        cannot=seen.cannot,
        notes=seen.notes,
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    view: TreeView
    map: TreeMap | None
    inspector: Inspector
    quick_forms: tuple[Form, ...]
    change_forms: tuple[Form, ...]
    tensor_forms: tuple[Form, ...]
    now: TreeNow | None
    cannot: str
    notes: tuple[str, ...]


def _see(opened: OpenTree, look: Look) -> _Seen:
    index, name, can = opened.index, opened.record.name, opened.record.facts.can
    row = row_of(opened, look.target, look.row, look.revision)
    stored = num_stored(opened.origin, index, row)
    inspected = inspector(index, look.tree_id, name, row, look.tab, look.origin, stored=stored)
    forms = ModuleForms(opened, row, inspected.target, look.origin, look.fn)
    tensors = inspected.buffers if look.tab == "buffers" else inspected.parameters
    wanted = forms.tensor_forms(tensors, are_buffers=look.tab == "buffers")
    return _Seen(
        view=tree_view(index, look.tree_id, name, row, look.start, look.unfold),
        map=tree_map(opened, row),
        inspector=inspected,
        quick_forms=forms.quick_forms(),
        change_forms=_with(forms.change_forms(), look) if look.tab == "change" else (),
        tensor_forms=_with(wanted, look) if look.tab in ("parameters", "buffers") else (),
        now=tree_now(opened, look.asked.x, is_asked=look.asked.is_predicted) if can.forward else None,
        cannot="" if can.edit else structure_only(opened.record).detail,
        notes=tuple(opened.origin.notes),
    )


def _with(forms: tuple[Form, ...], look: Look) -> tuple[Form, ...]:
    refused = look.form
    opened = (replace(form, is_open=form.key == look.opened) for form in forms)
    return tuple(refused if refused is not None and form.key == refused.key else form for form in opened)


def row_of(opened: OpenTree, target: str, row: int | None, revision: int | None = None) -> int:
    """Return the row of a target, or the row itself, for targets too long for an address.

    Raises `TargetNotFound`, `Invalid` for a row that is not there, and `RevisionMismatch` where the tree has left the
    revision that the row was counted at.
    """
    if row is None:
        return opened.index.row(target)
    if revision is not None and revision != opened.record.revision:
        raise RevisionMismatch(str(revision), opened.record.revision)
    if not 0 <= row < len(opened.index):
        raise invalid([("row", f"expected 0 to {len(opened.index) - 1:,}, got {row:,}")])
    return row


def _look(
    request: Request,
    tree_id: str,
    tab: str = "overview",
    start: Annotated[int, Query(alias="from", ge=0)] = 0,
    fn: str = "",
    opened: Annotated[str, Query(alias="open")] = "",
    run: str = "",
    row: Annotated[int | None, Query(ge=0)] = None,
    unfold: Annotated[int | None, Query(ge=0)] = None,
) -> Look:
    if tab not in TABS:
        raise Invalid(f"tab: expected one of {', '.join(TABS)}, got {tab!r}.")
    asked = Asked(run, is_shut=request.cookies.get(DOCK_COOKIE) == "shut")
    origin = origin_of(request)
    return Look(
        tree_id,
        row=row,
        tab=tab,
        start=start,
        unfold=unfold,
        fn=fn,
        opened=opened or ("apply" if fn else ""),
        origin=origin,
        asked=asked,
    )


LookDep = Annotated[Look, Depends(_look)]


@router.api_route("/trees/{tree_id}", methods=READING)
def show_tree(trees: TreesDep, runs: RunsDep, look: LookDep) -> Response:
    """The tree with its root selected, or the module at `row`."""
    return page(tree_page(trees, runs, look))


@router.api_route("/trees/{tree_id}/modules/{target:target}", methods=READING)
def show_module(trees: TreesDep, runs: RunsDep, look: LookDep, target: str) -> Response:
    """The tree with the module at `target` selected."""
    return page(tree_page(trees, runs, replace(look, target=target)))


@router.api_route("/trees/{tree_id}/select", methods=READING)
def select(look: LookDep, target: str = "", number: Annotated[int | None, Query(ge=0)] = None) -> Response:
    """On to the page of a target that was typed into a form; `number` takes the place of the one that it ends in."""
    if number is not None and (first := numbered(target)):
        target = f"{first.prefix}{number}"
    return RedirectResponse(module_url(look.tree_id, target), 303)
