"""A tree as a whole, each a page: repr, code, summary, state dict and skeleton."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, ClassVar

from fastapi import APIRouter, Query, Request, Response

from app.api.dependencies import TreesDep
from app.errors import CannotDo, TooLarge
from app.pages.calls import Call, in_pytorch, module_code, origin_of, over_http, shortened
from app.pages.links import with_query
from app.pages.marks import shape_text
from app.pages.templating import READING, Context, page
from app.pages.tree_head import TreeHead, tree_head
from app.pages.visible import printed
from app.storage.trees import OpenTree, Trees
from app.translation import gettext as _
from app.trees.code import python_of
from app.trees.state_dict import state_dict as entries_of
from app.trees.summary import DEFAULT_DEPTH, SummaryFormat, summarise, write
from app.trees.texts import repr_of

router = APIRouter(include_in_schema=False)

MOST_LINES = 2_000
MOST_CHARS = 200_000
MOST_ENTRIES = 500
TEXT_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class TextPage(Context):
    """A text of the tree, cut where it is long, and the address of all of it."""

    template: ClassVar[str] = "text.html"

    tree: TreeHead
    title: str
    about: str
    target: str
    text: str
    cut: str
    raw_url: str
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class StateEntryRow:
    """One entry of a state dict, without its values."""

    name: str
    shape: str
    dtype: str
    numel: int


@dataclass(frozen=True, slots=True)
class StateDictPage(Context):
    """What a state dict holds, and where to download it, "" where its values are not at hand."""

    template: ClassVar[str] = "state_dict.html"

    tree: TreeHead
    target: str
    entries: tuple[StateEntryRow, ...]
    is_cut: bool
    download_url: str
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class SkeletonPage(Context):
    """What the skeleton is, column by column."""

    template: ClassVar[str] = "skeleton.html"

    tree: TreeHead
    count: int
    num_shapes: int
    num_classes: int
    raw_url: str
    calls: tuple[Call, ...]


@router.api_route("/trees/{tree_id}/repr", methods=READING)
def show_repr(request: Request, trees: TreesDep, tree_id: str, target: str = "") -> Response:
    """What `print(module)` shows."""

    def text(opened: OpenTree) -> str:
        row = opened.index.row(target)
        return repr_of(opened.index, row) if opened.index.end[row] - row <= TEXT_ROWS else ""

    code = f"print({module_code(target)})"
    return page(_text(request, trees, tree_id, "repr", target, code, text, _("What print shows, at any depth.")))


@router.api_route("/trees/{tree_id}/code", methods=READING)
def show_code(request: Request, trees: TreesDep, tree_id: str) -> Response:
    """Python that rebuilds the tree."""

    def text(opened: OpenTree) -> str:
        return python_of(opened.index) if len(opened.index) <= TEXT_ROWS else ""

    return page(
        _text(request, trees, tree_id, "code", "", "", text, _("Python that rebuilds the tree, with its values."))
    )


@router.api_route("/trees/{tree_id}/summary", methods=READING)
def show_summary(
    request: Request,
    trees: TreesDep,
    tree_id: str,
    target: str = "",
    depth: Annotated[int, Query(ge=0, le=100_000)] = DEFAULT_DEPTH,
    fold: bool = True,
) -> Response:
    """A table to paste."""

    def text(opened: OpenTree) -> str:
        summary = summarise(opened.index, opened.index.row(target), depth, folded=fold)
        return write(summary, SummaryFormat.TEXT) if len(summary.rows) <= TEXT_ROWS else ""

    about = _(
        "A table to paste, %(depth)s levels of it; also as markdown, latex and json. fold=false lists every row.",
        depth=depth,
    )
    return page(_text(request, trees, tree_id, "summary", target, "", text, about))


@router.api_route("/trees/{tree_id}/state_dict", methods=READING)
def show_state_dict(request: Request, trees: TreesDep, tree_id: str, target: str = "") -> Response:
    """What the state dict holds."""
    history = trees.history(tree_id)
    with trees.reading(tree_id) as opened:
        row = opened.index.row(target)
        first = list(islice(entries_of(opened.index, row), MOST_ENTRIES + 1))
        entries = tuple(
            StateEntryRow(
                shortened(entry.name),
                shape_text(entry.kind.shape),
                entry.kind.dtype_name,
                entry.kind.numel,
            )
            for entry in first[:MOST_ENTRIES]
        )
        head = tree_head(opened, history, "state_dict", target)
    path = f"/api/trees/{tree_id}/state_dict"
    names = ", ".join(repr(entry.name) for entry in entries[:3]) + (", …" if len(entries) > 3 else "")
    calls = (
        in_pytorch(f"{module_code(target)}.state_dict().keys()", printed(f"odict_keys([{names}])")),
        over_http(origin_of(request), path, target=target),
    )
    url = with_query(path, target=target) if opened.index.is_live else ""
    return page(StateDictPage(head, target, entries, len(first) > MOST_ENTRIES, url, calls))


@router.api_route("/trees/{tree_id}/skeleton", methods=READING)
def show_skeleton(request: Request, trees: TreesDep, tree_id: str) -> Response:
    """What the skeleton is, and where it is had."""
    history = trees.history(tree_id)
    path = f"/api/trees/{tree_id}/skeleton"
    with trees.reading(tree_id) as opened:
        index = opened.index
        head = tree_head(opened, history, "skeleton")
        calls = (over_http(origin_of(request), path),)
        return page(SkeletonPage(head, len(index), len(index.shapes.ids), len(index.classes), path, calls))


def _text(
    request: Request,
    trees: Trees,
    tree_id: str,
    name: str,
    target: str,
    code: str,
    text: Callable[[OpenTree], str],
    about: str,
) -> TextPage:
    history = trees.history(tree_id)
    with trees.reading(tree_id) as opened:
        try:
            whole = text(opened)
        except TooLarge:
            whole = ""
        except CannotDo as error:
            head = tree_head(opened, history, name, target)
            return TextPage(head, name, error.detail, target, "", "", "", ())
        head = tree_head(opened, history, name, target)
    path = f"/api/trees/{tree_id}/{name}"
    shown = "\n".join(whole[:MOST_CHARS].split("\n")[:MOST_LINES])
    cut = "" if whole and len(shown) == len(whole) else "cut here" if whole else "too long for a page"
    http = over_http(origin_of(request), path, target=target)
    calls = (in_pytorch(code), http) if code else (http,)
    return TextPage(head, name, about, target, printed(shown), cut, with_query(path, target=target), calls)
