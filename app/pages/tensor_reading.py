"""A tensor that a page asks about: found, then read; what takes longer than a second is answered with how far it is."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from app.api.tensor_views import RETRY_AFTER, has_come, tensor_at
from app.errors import CannotDo, Invalid, ModuletreeError
from app.pages.templating import Context, page
from app.pages.tensor_head import TensorHead, tensor_code, tensor_head
from app.pages.tree_head import TreeHead, tree_head
from app.problems import status_of
from app.storage.trees import OpenTree, Trees
from app.trees.tensor_data import Reading
from app.trees.tensors import TensorColumns

Ask = Callable[[OpenTree, TensorColumns, int], Reading[Any]]


@dataclass(frozen=True, slots=True)
class ReadingProgress:
    """How far a reading is; of `total` 0, that it waits for its turn. `url` is where to look again."""

    done: int
    total: int
    url: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A tensor that was asked for, with what was found, how far its reading is, or why there is nothing to show."""

    tree: TreeHead
    tensor: TensorHead | None = None
    shape: tuple[int, ...] = ()
    reading: Reading[Any] | None = None
    found: Any = None
    progress: ReadingProgress | None = None
    error: ModuletreeError | None = None

    @property
    def trouble(self) -> str:
        return self.error.detail if self.error is not None else ""

    @property
    def code(self) -> str:
        return tensor_code(self.tensor) if self.tensor is not None else ""


async def answered(
    request: Request, trees: Trees, tree_id: str, view: str, target: str, ask: Ask, made: Callable[[Asked], Context]
) -> Response:
    """Answer with the page that `made` makes of what was found: with a 202 while it is being read."""
    asked = await run_in_threadpool(_asked, trees, tree_id, view, target, ask)
    if asked.reading is not None and not await has_come(asked.reading):
        url = f"{request.url.path}?{request.url.query}"
        later = replace(asked, progress=ReadingProgress(*asked.reading.progress, url))
        answer = await run_in_threadpool(lambda: page(made(later), 202))
        answer.headers["retry-after"] = RETRY_AFTER
        return answer
    return await run_in_threadpool(lambda: _page(_read(asked), made))


def _asked(trees: Trees, tree_id: str, view: str, target: str, ask: Ask) -> Asked:
    history = trees.history(tree_id)
    with trees.reading(tree_id) as opened:
        head, index = tree_head(opened, history, view, target), opened.index
        if not target:
            return Asked(head)
        columns, entry = tensor_at(index, target)
        tensor = tensor_head(index, tree_id, columns, entry, target, view)
        shape = index.kinds.all[columns.kind[entry]].shape or ()
        try:
            return Asked(head, tensor, shape, ask(opened, columns, entry))
        except (CannotDo, Invalid) as error:
            return Asked(head, tensor, shape, error=error)


def _read(asked: Asked) -> Asked:
    if asked.reading is None:
        return asked
    try:
        return replace(asked, found=asked.reading.result())
    except (CannotDo, Invalid) as error:
        return replace(asked, error=error)


def _page(asked: Asked, made: Callable[[Asked], Context]) -> Response:
    return page(made(asked), status_of(asked.error) if asked.error is not None else 200)
