"""What trees can be opened from on this server: the factories of its table, and the checkpoints under its roots."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.api.answers import JSON
from app.api.cursors import cursor_of, numbers_of
from app.api.dependencies import SettingsDep, WorkshopDep
from app.api.documents import failures, view
from app.api.lists import Cursor, Limit
from app.api.schemas import Answer
from app.trees.sources.arguments import Argument
from app.trees.sources.checkpoint.contents import Format
from app.trees.sources.checkpoint.listing import FoundCheckpoint, list_checkpoints
from app.trees.sources.factories import Factory
from app.trees.views import DEFAULT_LIMIT

router = APIRouter(prefix="/api", tags=["Trees"])

EXAMPLE: dict[str, Any] = {
    "items": [
        {
            "id": "torch.nn:Linear",
            "name": "Linear",
            "module": "torch.nn",
            "doc": "Applies an affine linear transformation to the incoming data: y = xA^T + b.",
            "signature": "Linear(in_features, out_features, bias=True, dtype=None)",
            "arguments": [
                {
                    "name": "in_features",
                    "annotation": "an integer",
                    "types": ["integer"],
                    "choices": [],
                    "required": True,
                    "default": None,
                    "default_text": "",
                    "variadic": "",
                    "doc": "size of each input sample",
                }
            ],
            "unfit": None,
        }
    ],
    "total": 1,
    "next": None,
}
CHECKPOINTS: dict[str, Any] = {
    "items": [
        {
            "path": "gpt2/model.safetensors",
            "name": "model.safetensors",
            "root": "/models",
            "kind": "safetensors",
            "num_bytes": 548_105_171,
        }
    ],
    "total": 1,
    "next": None,
    "is_whole": True,
}


class ArgumentRow(msgspec.Struct):
    """One argument of a factory."""

    name: str
    annotation: str
    types: list[str]
    choices: list[str]
    required: bool
    default: object
    default_text: str
    variadic: str
    doc: str

    @classmethod
    def of(cls, argument: Argument) -> "ArgumentRow":
        """Return the row of an argument."""
        return cls(
            name=argument.name,
            annotation=argument.annotation,
            types=list(dict.fromkeys(one.type.value for one in argument.types)),
            choices=[choice for one in argument.types for choice in one.choices],
            required=argument.required,
            default=argument.default,
            default_text=argument.default_text,
            variadic=argument.variadic.value,
            doc=argument.doc,
        )


class FactoryRow(msgspec.Struct):
    """One factory of the table."""

    id: str
    name: str
    module: str
    doc: str
    signature: str
    arguments: list[ArgumentRow]
    unfit: str | None

    @classmethod
    def of(cls, factory: Factory) -> "FactoryRow":
        """Return the row of a factory."""
        return cls(
            id=factory.id,
            name=factory.name,
            module=factory.module,
            doc=factory.doc,
            signature=factory.signature,
            arguments=[ArgumentRow.of(argument) for argument in factory.arguments],
            unfit=factory.unfit or None,
        )


class FactoryArgument(Answer):
    """One argument of a factory; `*args` is given as a list, `**kwargs` as further names."""

    name: str
    annotation: str = Field(description="What it takes, in words.")
    types: list[str] = Field(
        description="Any of integer, number, boolean, string, null, array, object, dtype, tensor, any, and module: an "
        "object `{target, kwargs}`."
    )
    choices: list[str] = Field(description="All the strings that it takes, where they are known.")
    required: bool
    default: Any = Field(description="What it is when left out, null too where JSON has nothing like it.")
    default_text: str = Field(description="The same as Python writes it.")
    variadic: str = Field(description='"positional" for `*args`, "keyword" for `**kwargs`, else "".')
    doc: str


class FactoryItem(Answer):
    """A callable that may build trees: `id` is the `target` of a `factory` source."""

    id: str
    name: str
    module: str
    doc: str
    signature: str
    arguments: list[FactoryArgument]
    unfit: str | None = Field(description="Why it cannot be called with JSON.")


class FactoryList(Answer):
    """A page of the factories; names that begin with what was searched for come first."""

    items: list[FactoryItem]
    total: int
    next: str | None


class CheckpointItem(Answer):
    """A file that ends as checkpoints do; an index stands for its shards, and its size is theirs and its own."""

    path: str = Field(description="What a `checkpoint` source takes as `path`.")
    name: str
    root: str = Field(description="The folder of the server that it lies under.")
    kind: Format
    num_bytes: int


class CheckpointList(Answer):
    """A page of the files."""

    items: list[CheckpointItem]
    total: int
    next: str | None
    is_whole: bool = Field(description="False where there is more under the roots than was looked at.")


class _Factories(msgspec.Struct):
    items: list[FactoryRow]
    total: int
    next: str | None


class _Checkpoints(msgspec.Struct):
    items: list[FoundCheckpoint]
    total: int
    next: str | None
    is_whole: bool


Words = Annotated[str, Query(max_length=1_000, description="Words that all have to be there, in any case.")]


@view(
    router,
    "/factories",
    response_model=FactoryList,
    responses={200: {"content": {JSON: {"example": EXAMPLE}}}, **failures(409, 422)},
)
def factories(workshop: WorkshopDep, q: Words = "", limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response:
    """The callables that may build trees, with their arguments: those of torch.nn, and what --allow-import adds.

    The process that builds starts with the first question, which then takes some seconds.
    """
    found = workshop.factories.search(q)
    start, following = _page(cursor, limit, len(found))
    rows = [FactoryRow.of(factory) for factory in found[start : start + limit]]
    return _json(_Factories(rows, len(found), following))


@view(
    router,
    "/checkpoints",
    response_model=CheckpointList,
    responses={200: {"content": {JSON: {"example": CHECKPOINTS}}}, **failures(422)},
)
def checkpoints(settings: SettingsDep, q: Words = "", limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Response:
    """The files under the server's roots that can be opened as checkpoints; none without a root.

    Links and hidden folders are passed over. The walk is bounded: `is_whole` says whether it came to its end.
    """
    found = list_checkpoints(settings.root, q)
    start, following = _page(cursor, limit, len(found.files))
    return _json(_Checkpoints(found.files[start : start + limit], len(found.files), following, found.is_whole))


def _page(cursor: str | None, limit: int, total: int) -> tuple[int, str | None]:
    start = 0 if cursor is None else numbers_of(cursor, 1)[0]
    return start, cursor_of(start + limit) if start + limit < total else None


def _json(answer: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(answer), headers={"cache-control": "no-cache"}, media_type=JSON)
