"""What repeats and what it costs, each a page: the folded tree, its distinct shapes, numbers with their receipt."""

from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter, Request, Response

from app.api.dependencies import TreesDep
from app.pages.calls import Call, in_pytorch, module_code, origin_of, over_http
from app.pages.counted import ReceiptLine, receipt_lines
from app.pages.folded_rows import FoldedView, folded_view
from app.pages.links import with_query
from app.pages.shape_rows import ShapesView, shapes_view
from app.pages.templating import READING, Context, page
from app.pages.tree_head import TreeHead, tree_head
from app.trees.origin import num_stored
from app.trees.receipts import receipt

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class FoldedPage(Context):
    """The folded tree, every row of it to be opened."""

    template: ClassVar[str] = "folded.html"

    tree: TreeHead
    target: str
    view: FoldedView
    text_url: str
    raw_url: str
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class ShapesPage(Context):
    """The distinct shapes, and what is shared."""

    template: ClassVar[str] = "shapes.html"

    tree: TreeHead
    target: str
    view: ShapesView
    raw_url: str
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class ReceiptPage(Context):
    """Every number with how it was counted."""

    template: ClassVar[str] = "receipt.html"

    tree: TreeHead
    target: str
    lines: tuple[ReceiptLine, ...]
    raw_url: str
    calls: tuple[Call, ...]


@router.api_route("/trees/{tree_id}/folded", methods=READING)
def show_folded(request: Request, trees: TreesDep, tree_id: str, target: str = "") -> Response:
    """The tree with runs of like siblings folded."""
    history = trees.history(tree_id)
    path = f"/api/trees/{tree_id}/folded"
    with trees.reading(tree_id) as opened:
        row = opened.index.row(target)
        shown = FoldedPage(
            tree=tree_head(opened, history, "folded", target),
            target=target,
            view=folded_view(opened.index, tree_id, opened.record.name, row),
            text_url=with_query(path, target=target, format="text"),
            raw_url=with_query(path, target=target),
            calls=(over_http(origin_of(request), path, target=target, format="text"),),
        )
    return page(shown)


@router.api_route("/trees/{tree_id}/shapes", methods=READING)
def show_shapes(request: Request, trees: TreesDep, tree_id: str, target: str = "") -> Response:
    """The distinct shapes of the tree."""
    history = trees.history(tree_id)
    path = f"/api/trees/{tree_id}/shapes"
    with trees.reading(tree_id) as opened:
        shown = ShapesPage(
            tree=tree_head(opened, history, "shapes", target),
            target=target,
            view=shapes_view(opened.index, tree_id, opened.index.row(target)),
            raw_url=with_query(path, target=target),
            calls=(over_http(origin_of(request), path, target=target),),
        )
    return page(shown)


@router.api_route("/trees/{tree_id}/receipt", methods=READING)
def show_receipt(request: Request, trees: TreesDep, tree_id: str, target: str = "") -> Response:
    """Every number with how it was counted."""
    history = trees.history(tree_id)
    path = f"/api/trees/{tree_id}/receipt"
    code = f"sum(p.numel() for p in {module_code(target)}.parameters())"
    with trees.reading(tree_id) as opened:
        row = opened.index.row(target)
        found = receipt(opened.index, row, stored=num_stored(opened.origin, opened.index, row))
        head = tree_head(opened, history, "receipt", target)
    calls = (in_pytorch(code, str(found.parameters.value)), over_http(origin_of(request), path, target=target))
    return page(ReceiptPage(head, target, receipt_lines(found), with_query(path, target=target), calls))
