"""`get_submodule`, `get_parameter` and `get_buffer`: one thing by its target."""

from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter, Request, Response

from app.api.dependencies import TreesDep
from app.pages.calls import Call, in_pytorch, origin_of, over_http, shortened
from app.pages.lens_rows import LensRows, ModuleLensRow, TensorLensRow
from app.pages.prints import module_text, tensor_text
from app.pages.templating import READING, Context, page
from app.pages.tree_head import TreeHead, tree_head
from app.pages.visible import printed, quoted
from app.storage.trees import Trees
from app.trees.index import TreeIndex

router = APIRouter(include_in_schema=False)

LOOK_UPS = ("get_submodule", "get_parameter", "get_buffer")


@dataclass(frozen=True, slots=True)
class LookUpPage(Context):
    """One module, parameter or buffer, looked up by its target; nothing before there is one."""

    template: ClassVar[str] = "look_up.html"

    tree: TreeHead
    method: str
    kind: str
    target: str
    module: ModuleLensRow | None
    tensor: TensorLensRow | None
    calls: tuple[Call, ...]


def _look_up(method: str) -> None:
    def show(request: Request, trees: TreesDep, tree_id: str, target: str = "") -> Response:
        return page(look_up_page(trees, tree_id, method, target, origin_of(request)))

    router.add_api_route(f"/trees/{{tree_id}}/{method}", show, methods=READING, name=method)


for _method in LOOK_UPS:
    _look_up(_method)


def look_up_page(trees: Trees, tree_id: str, method: str, target: str, origin: str) -> LookUpPage:
    """Return the page of one look-up; raises `TargetNotFound` with torch's message."""
    kind = method.removeprefix("get_")
    history = trees.history(tree_id)
    with trees.reading(tree_id) as opened:
        index = opened.index
        module, tensor, output = None, None, ""
        if target or kind == "submodule":
            module, tensor, output = _found(index, tree_id, kind, target)
        code = f"model.{method}({quoted(shortened(target))})"
        path = f"/api/trees/{tree_id}/{method}"
        return LookUpPage(
            tree=tree_head(opened, history, method, target),
            method=method,
            kind=kind,
            target=target,
            module=module,
            tensor=tensor,
            calls=(in_pytorch(code, output), over_http(origin, path, target=target)),
        )


def _found(
    index: TreeIndex, tree_id: str, kind: str, target: str
) -> tuple[ModuleLensRow | None, TensorLensRow | None, str]:
    rows = LensRows(index, tree_id)
    if kind == "submodule":
        row = index.row(target)
        return next(rows.modules([row], 0)), None, printed(module_text(index, row))
    if kind == "parameter":
        entry = index.parameter(target)
        return None, next(rows.parameters([entry], 0)), tensor_text(index, index.parameters, entry)
    entry = index.buffer(target)
    return None, next(rows.buffers([entry], 0)), tensor_text(index, index.buffers, entry)
