"""A tree as a whole: its state dict, its text, its code, its summary, and its skeleton for a viewer."""

from functools import partial
from typing import Annotated, Literal
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Query, Response

from app.api import examples
from app.api import whole_schemas as schemas
from app.api.answers import JSON, AnswersDep
from app.api.documents import ETAG, answer, failures, text, view
from app.api.negotiation import media_type
from app.api.views import Target
from app.storage.trees import OpenTree
from app.trees.code import python_of
from app.trees.skeleton import skeleton as skeleton_of
from app.trees.state_dict import state_dict as entries_of
from app.trees.state_dict import to_safetensors
from app.trees.summary import DEFAULT_DEPTH, SummaryFormat, summarise, write
from app.trees.texts import repr_of

router = APIRouter(prefix="/api/trees/{tree_id}", tags=["Looking in"])

OCTETS = "application/octet-stream"
PLAIN, PYTHON, MARKDOWN, LATEX = "text/plain", "text/x-python", "text/markdown", "text/x-tex"
SUMMARY_TYPES = {
    SummaryFormat.TEXT: PLAIN,
    SummaryFormat.MARKDOWN: MARKDOWN,
    SummaryFormat.LATEX: LATEX,
    SummaryFormat.JSON: JSON,
}
MAX_FILE_NAME = 100

Depth = Annotated[int, Query(ge=0, le=1_000, description="Levels below the target to list.")]
Fold = Annotated[
    bool | None,
    Query(description="Runs of like siblings in one row: `(0-11) 12 x GPT2Block`. If left out, in all but JSON."),
]


class _Entry(msgspec.Struct, gc=False):
    name: str
    shape: tuple[int, ...] | None
    dtype: str


class _Entries(msgspec.Struct):
    items: list[_Entry]
    total: int


@view(
    router,
    "/state_dict",
    response_class=Response,
    responses={
        200: {
            "model": schemas.StateDict,
            "headers": ETAG,
            "content": {
                JSON: {"example": examples.STATE_DICT},
                OCTETS: {"schema": {"type": "string", "format": "binary"}, "example": "(a safetensors file)"},
            },
        },
        **failures(404, 409, 413, 422),
    },
)
async def state_dict(answers: AnswersDep, target: Target = "") -> Response:
    """`module.state_dict()` as a safetensors file; names, shapes and dtypes for `Accept: application/json`."""
    if media_type(answers.request.headers.get("accept"), (OCTETS, JSON)) == JSON:
        return await answers.json(("state_dict", target), partial(_entries, target=target))

    def make(opened: OpenTree) -> bytes:
        return to_safetensors(opened.index, opened.index.row(target))

    disposition = _attachment(answers.record.name, target)
    return await answers.body(("safetensors", target), OCTETS, make, {"content-disposition": disposition})


@view(
    router,
    "/repr",
    response_class=Response,
    responses={200: text(PLAIN, examples.REPR), **failures(404, 413, 422)},
)
async def repr(answers: AnswersDep, target: Target = "") -> Response:  # noqa: A001
    """What `print(module)` shows, at any depth."""

    def make(opened: OpenTree) -> bytes:
        return repr_of(opened.index, opened.index.row(target)).encode("utf-8", "replace")

    return await answers.body(("repr", target), PLAIN, make)


@view(
    router,
    "/code",
    response_class=Response,
    responses={200: text(PYTHON, examples.CODE), **failures(404, 409, 413, 422)},
)
async def code(answers: AnswersDep) -> Response:
    """Python that rebuilds the tree, with its values."""

    def make(opened: OpenTree) -> bytes:
        return python_of(opened.index).encode("utf-8", "replace")

    return await answers.body(("code",), PYTHON, make)


@view(
    router,
    "/summary",
    response_class=Response,
    responses={
        200: {
            "model": schemas.Summary,
            "headers": ETAG,
            "content": {
                PLAIN: {"schema": {"type": "string"}, "example": examples.SUMMARY_TEXT},
                MARKDOWN: {"schema": {"type": "string"}, "example": examples.SUMMARY_MARKDOWN},
                LATEX: {"schema": {"type": "string"}, "example": examples.SUMMARY_LATEX},
                JSON: {"example": examples.SUMMARY},
            },
        },
        **failures(404, 422),
    },
)
async def summary(
    answers: AnswersDep,
    target: Target = "",
    form: Annotated[SummaryFormat, Query(alias="format")] = SummaryFormat.TEXT,
    depth: Depth = DEFAULT_DEPTH,
    fold: Fold = None,
) -> Response:
    """A table of the tree that a person can paste; `depth` levels of it."""
    folded = form is not SummaryFormat.JSON if fold is None else fold

    def make(opened: OpenTree) -> bytes:
        rows = summarise(opened.index, opened.index.row(target), depth, folded=folded)
        return write(rows, form).encode("utf-8", "replace")

    return await answers.body(("summary", target, form, depth, folded), SUMMARY_TYPES[form], make)


@view(
    router,
    "/skeleton",
    response_model=schemas.Skeleton,
    responses={200: answer(examples.SKELETON), **failures(404, 422)},
)
async def skeleton(
    answers: AnswersDep,
    encoding: Annotated[Literal["plain"], Query(description="Plain arrays, which they are in any case.")] = "plain",
) -> Response:
    """The whole tree for a viewer: by column, one entry a module, in pre-order."""

    def make(opened: OpenTree) -> bytes:
        return skeleton_of(opened.index, opened.record.revision)

    return await answers.json(("skeleton",), make)


def _entries(opened: OpenTree, target: str) -> bytes:
    index = opened.index
    items = [
        _Entry(entry.name, entry.kind.shape, entry.kind.dtype_name) for entry in entries_of(index, index.row(target))
    ]
    return msgspec.json.encode(_Entries(items, len(items)))


def _attachment(name: str, target: str) -> str:
    # RFC 6266: a name that any client can save, and the real one for those that read RFC 8187.
    full = (f"{name}.{target}" if target else name)[:MAX_FILE_NAME]
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "_" for char in full)
    plain = plain.lstrip(".") or "tree"
    return f"attachment; filename=\"{plain}.safetensors\"; filename*=UTF-8''{quote(full, safe='')}.safetensors"
