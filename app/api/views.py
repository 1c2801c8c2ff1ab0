"""Looking in: a path for each of nn.Module's methods, answered with bytes that are made once a revision."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from app.api import examples
from app.api import view_schemas as schemas
from app.api.answers import NDJSON, AnswersDep
from app.api.documents import answer, failures, view
from app.api.lists import ListsDep
from app.storage.trees import OpenTree
from app.trees import views

router = APIRouter(prefix="/api/trees/{tree_id}", tags=["Looking in"])

Target = Annotated[
    str, Query(description='Dotted path of the submodule the call is made on; "" is the root.', examples=["sub1"])
]
RemoveDuplicate = Annotated[bool, Query(description="What is shared only at its first place.")]
Stats = Annotated[
    bool,
    Query(
        description="With statistics of the values; a page then holds at most 1,000 items. Of a checkpoint's tensor of "
        "more than 256 KiB they are null here: `stats` reads one of any size."
    ),
]


async def _arguments(
    recurse: Annotated[bool, Query(description="Also what its submodules hold.")] = True,
    remove_duplicate: RemoveDuplicate = True,
    stats: Stats = False,
) -> dict[str, bool]:
    return {"recurse": recurse, "remove_duplicate": remove_duplicate, "stats": stats}


Arguments = Annotated[dict[str, bool], Depends(_arguments)]


def _list(path: str, model: type[BaseModel], example: dict[str, Any]) -> Callable[..., Any]:
    page = answer(examples.page(example))
    page["content"][NDJSON] = {"schema": {"type": "string"}, "example": f"{msgspec.json.encode(example).decode()}\n"}
    return view(router, path, response_model=model, responses={200: page, **failures(404, 422)})


def _get(path: str, model: type[BaseModel], example: dict[str, Any]) -> Callable[..., Any]:
    return view(router, path, response_model=model, responses={200: answer(example), **failures(404, 422)})


@_list("/modules", schemas.Modules, examples.MODULE_FACTS)
async def modules(lists: ListsDep, target: Target = "", remove_duplicate: RemoveDuplicate = True) -> Response:
    """`module.modules(remove_duplicate)`: the module itself and all below it, in pre-order."""
    return await lists.rows(views.named_modules, target, named=False, remove_duplicate=remove_duplicate)


@_list("/named_modules", schemas.NamedModules, examples.MODULE)
async def named_modules(lists: ListsDep, target: Target = "", remove_duplicate: RemoveDuplicate = True) -> Response:
    """`module.named_modules(remove_duplicate)`: the module itself, named "", and all below it, in pre-order."""
    return await lists.rows(views.named_modules, target, named=True, remove_duplicate=remove_duplicate)


@_list("/children", schemas.Modules, examples.MODULE_FACTS)
async def children(lists: ListsDep, target: Target = "") -> Response:
    """`module.children()`: the direct children, a shared one once."""
    return await lists.rows(views.named_children, target, named=False)


@_list("/named_children", schemas.NamedModules, examples.MODULE)
async def named_children(lists: ListsDep, target: Target = "") -> Response:
    """`module.named_children()`: the direct children, a shared one once."""
    return await lists.rows(views.named_children, target, named=True)


@_list("/parameters", schemas.Parameters, examples.PARAMETER_FACTS)
async def parameters(lists: ListsDep, arguments: Arguments, target: Target = "") -> Response:
    """`module.parameters(recurse)`: a tied parameter once."""
    return await lists.rows(views.named_parameters, target, named=False, **arguments)


@_list("/named_parameters", schemas.NamedParameters, examples.PARAMETER)
async def named_parameters(lists: ListsDep, arguments: Arguments, target: Target = "") -> Response:
    """`module.named_parameters(recurse, remove_duplicate)`."""
    return await lists.rows(views.named_parameters, target, named=True, **arguments)


@_list("/buffers", schemas.Buffers, examples.BUFFER_FACTS)
async def buffers(lists: ListsDep, arguments: Arguments, target: Target = "") -> Response:
    """`module.buffers(recurse)`: a shared buffer once."""
    return await lists.rows(views.named_buffers, target, named=False, **arguments)


@_list("/named_buffers", schemas.NamedBuffers, examples.BUFFER)
async def named_buffers(lists: ListsDep, arguments: Arguments, target: Target = "") -> Response:
    """`module.named_buffers(recurse, remove_duplicate)`."""
    return await lists.rows(views.named_buffers, target, named=True, **arguments)


@_get("/get_submodule", schemas.Module, examples.MODULE)
async def get_submodule(answers: AnswersDep, target: Target = "") -> Response:
    """`module.get_submodule(target)`; a 404 carries the message of torch's AttributeError."""

    def make(opened: OpenTree) -> bytes:
        return msgspec.json.encode(views.get_submodule(opened.index, target))

    return await answers.json(("get_submodule", target), make)


@_get("/get_parameter", schemas.Parameter, examples.PARAMETER)
async def get_parameter(answers: AnswersDep, target: Target = "", stats: Stats = False) -> Response:
    """`module.get_parameter(target)`; a 404 carries the message of torch's AttributeError."""

    def make(opened: OpenTree) -> bytes:
        return msgspec.json.encode(views.get_parameter(opened.index, target, stats=stats))

    return await answers.json(("get_parameter", target, stats), make)


@_get("/get_buffer", schemas.Buffer, examples.BUFFER)
async def get_buffer(answers: AnswersDep, target: Target = "", stats: Stats = False) -> Response:
    """`module.get_buffer(target)`; a 404 carries the message of torch's AttributeError."""

    def make(opened: OpenTree) -> bytes:
        return msgspec.json.encode(views.get_buffer(opened.index, target, stats=stats))

    return await answers.json(("get_buffer", target, stats), make)
