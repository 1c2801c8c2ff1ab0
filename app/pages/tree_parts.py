"""What stands around a tree on its page, apart from the rest: fetched again when the tree or a run has changed."""

from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter, Response

from app.api.dependencies import RunsDep, TreesDep
from app.pages.dock import Dock, dock
from app.pages.look import LookDep
from app.pages.prediction import tree_now
from app.pages.templating import READING, Context, page
from app.pages.tree_head import TreeHead, tree_head

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class TreeParts(Context):
    """The head of a tree's page and its runs."""

    template: ClassVar[str] = "tree_parts.html"

    tree: TreeHead
    dock: Dock


@router.api_route("/trees/{tree_id}/parts", methods=READING)
def show_parts(trees: TreesDep, runs: RunsDep, look: LookDep, target: str = "") -> Response:
    """The head of the tree's page with `target` selected, and its runs, as the page has them."""
    history = trees.history(look.tree_id)
    with trees.reading(look.tree_id) as opened:
        head = tree_head(opened, history, "tree", target)
        now = tree_now(opened, look.asked.x)
    return page(TreeParts(head, dock(runs, now, look.asked)))
