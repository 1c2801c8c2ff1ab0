"""What the API's document says of an operation beside its models: examples, headers, and how it can fail."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from fastapi import APIRouter

Responses = dict[int | str, dict[str, Any]]
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

PROBLEM = "application/problem+json"

ETAG = {"ETag": {"description": "The revision.", "schema": {"type": "string"}, "example": '"1"'}}
LOCATION = {
    "Location": {"description": "The new tree.", "schema": {"type": "string"}, "example": "/api/trees/t_ab2cd3ef4g"}
}

_FAILURES: dict[int, tuple[str, dict[str, Any]]] = {
    403: (
        "Not to be imported, or not under a root",
        {
            "detail": "target 'os:system' is not among the factories (torch.nn). If it is a callable that returns a "
            "module, starting the server with --allow-import os:system adds it."
        },
    ),
    404: (
        "No such tree, or nothing at the target",
        {"detail": "LinearModel has no attribute `sub9`", "target": "sub9"},
    ),
    409: (
        "A name that torch refuses, or something that this tree cannot do",
        {"detail": "attribute 'weight' already exists", "target": ""},
    ),
    412: (
        "`If-Match` does not name the present revision",
        {"detail": "If-Match names revision 1, the tree is at revision 2.", "revision": 2},
    ),
    413: (
        "Larger than a limit of the server",
        {"detail": "A grid of branching 10 and depth 9 has more than 250,000 modules.", "limit": 250_000},
    ),
    422: (
        "The body or the query does not fit",
        {"detail": "query.limit: Input should be greater than or equal to 1."},
    ),
}


def failures(*statuses: int) -> Responses:
    """Return what these statuses mean here, each with an example."""
    return {status: _failure(status) for status in statuses}


def answer(example: object, **headers: Any) -> dict[str, Any]:
    """Return a response with its example; the tree's revision is its ETag."""
    return {"headers": {**ETAG, **headers}, "content": {"application/json": {"example": example}}}


def text(media_type: str, example: str) -> dict[str, Any]:
    """Return a response of text in a media type, with an example."""
    return {"headers": ETAG, "content": {media_type: {"schema": {"type": "string"}, "example": example}}}


def view(router: APIRouter, path: str, **documented: Any) -> Callable[[Endpoint], Endpoint]:
    """Register an endpoint for GET, and for HEAD without a second entry in the document."""
    summary = documented.pop("summary", None)
    if "ETag" in documented.get("responses", {}).get(200, {}).get("headers", {}):
        documented["responses"] = {**documented["responses"], 304: {"description": "The client has this revision"}}

    def register(endpoint: Endpoint) -> Endpoint:
        name = endpoint.__name__
        router.add_api_route(path, endpoint, methods=["GET"], operation_id=name, summary=summary or name, **documented)
        router.add_api_route(path, endpoint, methods=["HEAD"], include_in_schema=False, **documented)
        return endpoint

    return register


def _failure(status: int) -> dict[str, Any]:
    description, members = _FAILURES[status]
    example = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, **members}
    return {"description": description, "content": {PROBLEM: {"example": example}}}
