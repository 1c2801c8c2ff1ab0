"""Search in a tree: names, classes, dtypes, shapes and sizes."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from app.api import search_schemas as schemas
from app.api.answers import AnswersDep
from app.api.cursors import cursor_of, start_of
from app.api.documents import answer, failures, view
from app.api.lists import Cursor
from app.api.queries import in_query
from app.storage.trees import OpenTree
from app.trees import found_page
from app.trees.found_page import DEFAULT_LIMIT, MAX_LIMIT
from app.trees.search import Searcher
from app.trees.search_marks import Marks

router = APIRouter(prefix="/api/trees/{tree_id}", tags=["Looking in"])


class _FoundRows(msgspec.Struct):
    q: str
    num_modules: int
    num_tensors: int
    rows: list[found_page.FoundRow]
    next: str | None


Search = Annotated[
    str,
    Query(
        description="Terms that all have to hold: a name or a part of one (`attn`, `h.0.attn`, `q_*`), `class:Linear`, "
        "`dtype:bf16`, `shape:768x*`, a size (`numel>1e6`, `bytes:1MB..2GB`, `params`, `modules`, `children`, `depth`, "
        "`dims`), or a property (`parameter`, `buffer`, `frozen`, `trainable`, `persistent`, `nonpersistent`, `tied`, "
        "`lazy`, `shared`, `eval`, `train`, `leaf`, `inferred`, `nograd`). `-term` leaves out, `a | b` is either, "
        "`( )` groups, `=` is exact. Terms of tensors find parameters and buffers, others modules, names alone find "
        "both. Left empty, it finds every module.",
        examples=["attn class:Linear numel>1e6 dtype:bf16 frozen"],
    ),
]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Most modules and tensors found on a page.")]


@view(
    router, "/search", response_model=schemas.FoundRows, responses={200: answer(schemas.EXAMPLE), **failures(404, 422)}
)
async def search(answers: AnswersDep, q: Search = "", limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response:
    """The modules, or the parameters and buffers, that a query finds, in tree order under the modules they are in."""

    def make(opened: OpenTree) -> bytes:
        revision = opened.record.revision
        start = start_of(cursor, revision)
        with in_query():
            result = Searcher(opened.index).search(q)
        found = result.page(start, limit)
        found_page.mark(found, Marks.of(result.term))
        following = None if found.next is None else cursor_of(revision, found.next)
        return msgspec.json.encode(_FoundRows(q, found.num_modules, found.num_tensors, found.rows, following))

    return await answers.json(("search", q, limit, cursor), make)
