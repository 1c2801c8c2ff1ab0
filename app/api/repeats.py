"""What repeats and what it costs: the folded tree, its distinct shapes, and numbers with their receipt."""

from enum import StrEnum
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from app.api import repeat_examples as examples
from app.api import repeat_schemas as schemas
from app.api.answers import JSON, AnswersDep
from app.api.documents import ETAG, answer, failures, view
from app.api.negotiation import media_type
from app.api.views import Target
from app.storage.trees import OpenTree
from app.trees.fold import fold, folded_text
from app.trees.origin import num_stored
from app.trees.receipts import receipt as receipt_of
from app.trees.shape_graph import shape_graph

router = APIRouter(prefix="/api/trees/{tree_id}", tags=["What repeats and what it costs"])

PLAIN = "text/plain"


class FoldedFormat(StrEnum):
    """How a folded tree is written."""

    JSON = "json"
    TEXT = "text"


@view(
    router,
    "/folded",
    response_class=Response,
    responses={
        200: {
            "model": schemas.Folded,
            "headers": ETAG,
            "content": {
                JSON: {"example": examples.FOLDED},
                PLAIN: {"schema": {"type": "string"}, "example": examples.FOLDED_TEXT},
            },
        },
        **failures(404, 413, 422),
    },
)
async def folded(
    answers: AnswersDep,
    target: Target = "",
    depth: Annotated[
        int | None, Query(ge=0, le=100_000, description="Levels below the target to list; all of them if left out.")
    ] = None,
    form: Annotated[FoldedFormat | None, Query(alias="format", description="In place of `Accept`.")] = None,
) -> Response:
    """The tree with runs of like siblings folded: `(0-11): 12 x GPT2Block`.

    Siblings are folded when their names count up, they have the same shape, and the same in them is frozen, in eval
    mode or shared. As text it is what `print(module)` would show if every container folded as a ModuleList does.
    """
    form = form or _accepted(answers.request.headers.get("accept"))

    def make(opened: OpenTree) -> bytes:
        index = opened.index
        row = index.row(target)
        if form == FoldedFormat.TEXT:
            return folded_text(index, row, max_depth=depth).encode("utf-8", "replace")
        return msgspec.json.encode(fold(index, row, max_depth=depth))

    return await answers.body(("folded", target, depth, form), PLAIN if form == FoldedFormat.TEXT else JSON, make)


@view(
    router,
    "/shapes",
    response_model=schemas.ShapeGraph,
    responses={200: answer(examples.SHAPES), **failures(404, 422)},
)
async def shapes(answers: AnswersDep, target: Target = "") -> Response:
    """The tree as a graph of its distinct shapes, from which every place of it can be told.

    Its size grows with what is distinct, not with what is there: 111,111 LinearModels in a grid are six shapes.
    """

    def make(opened: OpenTree) -> bytes:
        return msgspec.json.encode(shape_graph(opened.index, opened.index.row(target)))

    return await answers.json(("shapes", target), make)


@view(
    router,
    "/receipt",
    response_model=schemas.Receipt,
    responses={200: answer(examples.RECEIPT), **failures(404, 422)},
)
async def receipt(answers: AnswersDep, target: Target = "") -> Response:
    """How many parameters, buffers and bytes there are, by each way of counting, and how each was counted."""

    def make(opened: OpenTree) -> bytes:
        row = opened.index.row(target)
        stored = num_stored(opened.origin, opened.index, row)
        return msgspec.json.encode(receipt_of(opened.index, row, stored=stored))

    return await answers.json(("receipt", target), make)


def _accepted(accept: str | None) -> FoldedFormat:
    return FoldedFormat.TEXT if media_type(accept, (JSON, PLAIN)) == PLAIN else FoldedFormat.JSON
