"""Calls on a tree that answer with something else than the tree: load_state_dict, forward, and apply's functions."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, File, Form, Response, UploadFile

from app.api import call_schemas as schemas
from app.api import examples, requests
from app.api.answers import JSON, TreeId
from app.api.bodies import JsonRoute, in_body
from app.api.dependencies import TreesDep
from app.api.documents import PROBLEM, answer, failures, view
from app.api.entity_tags import IfMatch, etag_of
from app.errors import CannotDo, RevisionMismatch, TooLarge
from app.storage.trees import OpenTree
from app.translation import said
from app.trees import edit
from app.trees.apply import APPLY_FUNCTIONS
from app.trees.state_dict import LoadReport
from app.trees.state_dict import load_state_dict as load
from app.trees.tensor_values import nonfinite_of

router = APIRouter(tags=["Changing"], route_class=JsonRoute)

MAX_LISTED = 5
MAX_FORWARD = 200_000_000
MAX_STATE_DICT = 256 * 1024 * 1024


class StateDictRefused(CannotDo):
    """A strict `load_state_dict` found keys that are missing, unexpected or do not fit: nothing was changed."""

    def __init__(self, class_name: str, report: LoadReport) -> None:
        super().__init__(
            said(
                "Error(s) in loading state_dict for %(class_name)s: %(words)s. Nothing was changed.",
                class_name=class_name,
                words=_words(report),
            )
        )
        self.report = report


@router.post(
    "/trees/{tree_id}/load_state_dict",
    operation_id="load_state_dict",
    summary="load_state_dict",
    response_model=schemas.LoadedStateDict,
    responses={
        200: answer(examples.LOADED),
        **failures(404, 412, 413),
        409: {
            "description": "`strict`, and the file does not match: nothing was changed",
            "content": {PROBLEM: {"example": examples.REFUSED}},
        },
    },
    openapi_extra={
        "requestBody": {
            "content": {"multipart/form-data": {"example": {"file": "(a safetensors file)", "strict": True}}}
        }
    },
)
def load_state_dict(
    trees: TreesDep,
    tree_id: TreeId,
    if_match: IfMatch,
    file: Annotated[UploadFile, File(description="A safetensors file.")],
    strict: Annotated[bool, Form(description="Change nothing unless all keys match.")] = True,
) -> Response:
    """`module.load_state_dict(state_dict, strict)` from a safetensors file."""
    data = _read(file)

    def change(tree: OpenTree) -> LoadReport:
        report = load(tree.index, data, strict=strict)
        if strict and not report.is_clean:
            raise StateDictRefused(type(tree.module).__name__, report)
        return report

    try:
        record, report = trees.edit(tree_id, change, note="load_state_dict()", if_match=if_match)
    except StateDictRefused as error:
        return Response(msgspec.json.encode(_problem(str(error.detail), error.report)), 409, media_type=PROBLEM)
    loaded = {**_members(report), "revision": record.revision}
    return Response(msgspec.json.encode(loaded), headers={"etag": etag_of(record.revision)}, media_type=JSON)


@router.post(
    "/trees/{tree_id}/forward",
    operation_id="forward",
    summary="forward",
    response_model=schemas.ForwardOutput,
    responses={200: answer({"y": [[21.1794]]}), **failures(404, 409, 412, 413)},
)
def forward(
    trees: TreesDep,
    tree_id: TreeId,
    if_match: IfMatch,
    body: Annotated[requests.ForwardInput, Body(openapi_examples={"tutorial": {"value": {"x": [[10.0]]}}})],
) -> Response:
    """`module(x)`; changes nothing."""
    with trees.reading(tree_id) as tree, in_body():
        revision = tree.record.revision
        if if_match is not None and not if_match(revision):
            raise RevisionMismatch(str(if_match), revision)
        _check_cost(tree, body.x)
        y = edit.forward(tree.module, body.x).tolist()
    nonfinite = nonfinite_of(y)
    answered = {"y": y} if nonfinite is None else {"y": y, "nonfinite": nonfinite}
    return Response(msgspec.json.encode(answered), headers={"etag": etag_of(revision)}, media_type=JSON)


@view(
    router,
    "/apply_functions",
    response_model=schemas.ApplyFunctions,
    responses={200: {"content": {JSON: {"example": examples.APPLY_FUNCTIONS}}}},
)
async def apply_functions() -> schemas.ApplyFunctions:
    """The functions that `apply` takes by name, with their arguments."""
    items = [
        schemas.ApplyFunction(
            name=function.name,
            doc=function.doc,
            args=[
                schemas.ApplyArgument(
                    name=argument.name,
                    kind=argument.kind,
                    required=argument.is_required,
                    default=None if argument.is_required else argument.default,
                )
                for argument in function.arguments
            ],
        )
        for function in APPLY_FUNCTIONS.values()
    ]
    return schemas.ApplyFunctions(items=items, total=len(items), next=None)


def _check_cost(tree: OpenTree, x: object) -> None:
    num_calls = len(tree.index) if vars(tree.module).get("chain") else 1
    num_elements = _num_numbers(x) * num_calls
    if num_elements > MAX_FORWARD:
        raise TooLarge(
            said(
                "This x through %(num_calls)s modules makes more than %(max_forward)s numbers.",
                num_calls=f"{num_calls:,}",
                max_forward=f"{MAX_FORWARD:,}",
            ),
            MAX_FORWARD,
        )


def _num_numbers(x: object) -> int:
    count = 0
    todo = [x]
    while todo:
        item = todo.pop()
        if isinstance(item, list):
            count += sum(1 for part in item if not isinstance(part, list))
            todo.extend(part for part in item if isinstance(part, list))
        else:
            count += 1
    return count


def _read(file: UploadFile) -> bytes:
    if file.size is not None and file.size > MAX_STATE_DICT:
        raise TooLarge(
            said("The file has more than %(max_state_dict)s bytes.", max_state_dict=f"{MAX_STATE_DICT:,}"),
            MAX_STATE_DICT,
        )
    return file.file.read()


def _problem(detail: str, report: LoadReport) -> dict[str, Any]:
    # Beside the detail, what a program needs to act on: so this 409 is written here.
    return {"type": "about:blank", "title": "Conflict", "status": 409, "detail": detail, **_members(report)}


def _members(report: LoadReport) -> dict[str, Any]:
    return {
        "missing_keys": report.missing_keys,
        "unexpected_keys": report.unexpected_keys,
        "mismatched": [
            {"name": misfit.name, "expected": list(misfit.expected), "got": list(misfit.got)}
            for misfit in report.mismatched
        ],
    }


def _words(report: LoadReport) -> str:
    words: list[str] = []
    if report.missing_keys:
        words.append(said("missing %(names)s", names=_listed([repr(name) for name in report.missing_keys])))
    if report.unexpected_keys:
        words.append(said("unexpected %(names)s", names=_listed([repr(name) for name in report.unexpected_keys])))
    if report.mismatched:
        misfits: list[str] = [
            said(
                "%(name)r is %(got)s in the file, %(expected)s in the tree",
                name=misfit.name,
                got=misfit.got,
                expected=misfit.expected,
            )
            for misfit in report.mismatched
        ]
        words.append(_listed(misfits))
    return "; ".join(words)


def _listed(words: list[str]) -> str:
    more = said(" and %(num)s more", num=f"{len(words) - MAX_LISTED:,}") if len(words) > MAX_LISTED else ""
    return ", ".join(words[:MAX_LISTED]) + more
