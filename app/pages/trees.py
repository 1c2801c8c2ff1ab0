"""The page of a tree: the tree on the left, what is selected on the right, its runs below."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

from fastapi import APIRouter, Query, Response
from starlette.convertors import Convertor, register_url_convertor
from starlette.responses import RedirectResponse

from app.api.dependencies import RunsDep, TreesDep
from app.pages import (
    build,
    compare,
    inspector_page,
    look_ups,
    origin,
    repeats,
    search,
    tensor_pages,
    trace_page,
    whole,
)
from app.pages.dock import Dock, dock
from app.pages.drawings import drawings_of
from app.pages.inspector import Inspector, inspector
from app.pages.links import module_url
from app.pages.listed_rows import ListedRows
from app.pages.look import Look, LookDep
from app.pages.map import TreeMap, tree_map
from app.pages.prediction import TreeNow, tree_now
from app.pages.templating import READING, Context, page
from app.pages.tree_head import TreeHead, tree_head
from app.pages.tree_rows import TreeView, tree_view
from app.storage.trees import OpenTree, Trees
from app.training.runs import Runs
from app.trees.runs_of_names import numbered


class TargetConvertor(Convertor[str]):
    """A dotted path to the end of the address: names may hold slashes and line breaks."""

    regex = r"[\s\S]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("target", TargetConvertor())
router = APIRouter(include_in_schema=False)
router.include_router(build.router)
router.include_router(compare.router)
router.include_router(inspector_page.router)
router.include_router(look_ups.router)
router.include_router(whole.router)
router.include_router(origin.router)
router.include_router(repeats.router)
router.include_router(search.router)
router.include_router(tensor_pages.router)
router.include_router(trace_page.router)


@dataclass(frozen=True, slots=True)
class TreePage(Context):
    """A tree with one of its modules selected; `listed` is what stands in the place of the tree, if anything does."""

    template: ClassVar[str] = "tree.html"

    tree: TreeHead
    view: TreeView
    listed: ListedRows | None
    map: TreeMap | None
    inspector: Inspector
    dock: Dock
    notes: tuple[str, ...]


def tree_page(
    trees: Trees, runs: Runs, look: Look, lens: str = "tree", listing: Callable[[OpenTree], ListedRows] | None = None
) -> TreePage:
    """Return the page of a tree, or of what `listing` lists of it.

    Raises `NotFound` where the tree, the target or the run is not there.
    """
    history = trees.history(look.tree_id)
    with trees.reading(look.tree_id) as opened:
        listed = listing(opened) if listing else None
        seen = _see(trees, runs, opened, look)
        drawings_of(trees).keep(opened)
        head = tree_head(opened, history, lens, seen.inspector.target)
    return TreePage(head, seen.view, listed, seen.map, seen.inspector, dock(runs, seen.now, look.asked), seen.notes)


@dataclass(frozen=True, slots=True)
class _Seen:
    view: TreeView
    map: TreeMap | None
    inspector: Inspector
    now: TreeNow
    notes: tuple[str, ...]


def _see(trees: Trees, runs: Runs, opened: OpenTree, look: Look) -> _Seen:
    index, name = opened.index, opened.record.name
    inspected = inspector(trees, runs, opened, look)
    return _Seen(
        view=tree_view(index, look.tree_id, name, inspected.row, look.start, look.unfold),
        map=tree_map(opened, inspected.row, look.map, look.traced.trace),
        inspector=inspected,
        now=tree_now(opened, look.asked.x, is_asked=look.asked.is_predicted),
        notes=tuple(opened.origin.notes),
    )


@router.api_route("/trees/{tree_id}", methods=READING)
def show_tree(trees: TreesDep, runs: RunsDep, look: LookDep) -> Response:
    """The tree with its root selected, or the module at `row`."""
    return page(tree_page(trees, runs, look), look.traced.status)


@router.api_route("/trees/{tree_id}/modules/{target:target}", methods=READING)
def show_module(trees: TreesDep, runs: RunsDep, look: LookDep, target: str) -> Response:
    """The tree with the module at `target` selected."""
    return page(tree_page(trees, runs, replace(look, target=target)), look.traced.status)


@router.api_route("/trees/{tree_id}/select", methods=READING)
def select(look: LookDep, target: str = "", number: Annotated[int | None, Query(ge=0)] = None) -> Response:
    """On to the page of a target that was typed into a form; `number` takes the place of the one that it ends in."""
    if number is not None and (first := numbered(target)):
        target = f"{first.prefix}{number}"
    return RedirectResponse(module_url(look.tree_id, target), 303)
