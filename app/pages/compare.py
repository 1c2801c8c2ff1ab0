"""The page that compares modules of a tree side by side."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from fastapi import APIRouter, Query, Request, Response

from app.api.dependencies import TreesDep
from app.errors import TargetNotFound
from app.pages.calls import Call, in_pytorch, module_code, origin_of, over_http
from app.pages.comparison import Comparison, comparison
from app.pages.templating import READING, Context, page
from app.pages.tree_head import TreeHead, tree_head
from app.pages.visible import clipped
from app.storage.trees import OpenTree, Trees
from app.translation import said

router = APIRouter(include_in_schema=False)

MOST_TARGETS = 64


@dataclass(frozen=True, slots=True)
class ComparePage(Context):
    """Modules side by side, and the form that adds one; `typed` is what it could not find."""

    template: ClassVar[str] = "compare.html"

    tree: TreeHead
    targets: tuple[str, ...]
    comparison: Comparison | None
    typed: str
    problem: str
    calls: tuple[Call, ...]


@router.api_route("/trees/{tree_id}/compare", methods=READING)
def show_compare(
    request: Request,
    trees: TreesDep,
    tree_id: str,
    targets: Annotated[list[str] | None, Query(alias="target", max_length=MOST_TARGETS)] = None,
    typed: Annotated[str | None, Query(alias="and")] = None,
) -> Response:
    """The modules at the targets, `and` the one that was typed into the form; "" is the root."""
    asked = list(dict.fromkeys(targets or ()))
    shown = _page(trees, tree_id, asked, typed, origin_of(request))
    return page(shown, 404 if shown.problem else 200)


def _page(trees: Trees, tree_id: str, asked: list[str], typed: str | None, origin: str) -> ComparePage:
    history, problem = trees.history(tree_id), ""
    with trees.reading(tree_id) as opened:
        rows = [_row(opened, target) for target in asked]
        if typed is not None:
            try:
                rows.append(opened.index.row(typed.strip()))
                asked = list(dict.fromkeys([*asked, typed.strip()]))
            except TargetNotFound as error:
                problem = error.detail
        return ComparePage(
            tree=tree_head(opened, history, "compare"),
            targets=tuple(asked),
            comparison=comparison(opened.index, tree_id, opened.record.name, rows) if rows else None,
            typed=typed or "" if problem else "",
            problem=problem,
            calls=_calls(tree_id, asked, origin),
        )


def _row(opened: OpenTree, target: str) -> int:
    try:
        return opened.index.row(target)
    except TargetNotFound as error:
        raise TargetNotFound(
            said("%(place)s: %(msg)s", place=clipped(target, 120), msg=error.detail), target
        ) from error


def _calls(tree_id: str, targets: list[str], origin: str) -> tuple[Call, ...]:
    path = f"/api/trees/{tree_id}/get_submodule"
    names = [f"module{number}" for number in range(1, len(targets) + 1)]
    lines = [f"{name} = {module_code(target)}" for name, target in zip(names, targets, strict=True)]
    if len(names) > 1:
        lines.append(f"print({', '.join(f'repr({name})' for name in names)}, sep='\\n')")
    return (in_pytorch("\n".join(lines)), *(over_http(origin, path, target=target) for target in targets[:1]))
