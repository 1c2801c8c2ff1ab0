"""The OpenAPI document, made complete: what every operation shares is said of every operation."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import BaseRoute

from app.problems import MEDIA_TYPE

METHODS = ("get", "put", "post", "patch", "delete")
CHANGING = ("put", "post", "patch", "delete")
OPEN = ("/healthz",)

MISFIT = {
    "type": "object",
    "description": "One thing wrong with what was sent.",
    "required": ["loc", "msg"],
    "properties": {
        "loc": {
            "type": "array",
            "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            "description": "Where it stands: body or query first, then the names and positions inside.",
        },
        "msg": {"type": "string"},
    },
}
PROBLEM = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "const": "about:blank"},
        "title": {"type": "string", "description": "The name of the status."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence that tells the person what to do."},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Misfit"}},
        "target": {"type": "string", "description": "The target that torch refused."},
        "limit": {"type": "integer", "description": "The limit of the server that was passed."},
        "revision": {"type": "integer", "description": "The tree's present revision."},
    },
}
SHARED = {
    401: "No token, or a wrong one, where the server asks for one",
    421: "The server does not answer to this host",
}
OF_CHANGES = {403: "A page of another site asked for it"}
OF_BODIES = {
    408: "The body stopped coming",
    413: "Larger than a limit of the server",
    422: "The body or the query does not fit",
}


def complete(document: dict[str, Any], routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The document of FastAPI with the problems that any operation may answer, and with what the token is.

    FastAPI leaves every null out of the document, also where it is part of an example: those are put back whole.
    """
    _restore_examples(document, routes)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas.update(Problem=PROBLEM, Misfit=MISFIT)
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "The server's token, where it asks for one."}
    }
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                _complete_operation(path, method, item[method])
    return document


def _restore_examples(document: dict[str, Any], routes: Sequence[BaseRoute]) -> None:
    for context in iter_route_contexts(routes):
        route = context.original_route
        item = document["paths"].get(context.path_format)
        if not isinstance(route, APIRoute) or not route.include_in_schema or item is None:
            continue
        for method in route.methods or ():
            for status, response in route.responses.items():
                for media_type, content in response.get("content", {}).items():
                    told = item[method.lower()]["responses"][str(status)]["content"][media_type]
                    told.update({key: content[key] for key in ("example", "examples") if key in content})


def _complete_operation(path: str, method: str, operation: dict[str, Any]) -> None:
    _summarise(path, operation)
    responses = operation.setdefault("responses", {})
    shared = {421: SHARED[421]} if path in OPEN else dict(SHARED)
    if method in CHANGING:
        shared |= OF_CHANGES
    if "requestBody" in operation:
        shared |= OF_BODIES
    for status, description in shared.items():
        responses.setdefault(str(status), {"description": description})
    if path not in OPEN:
        operation["security"] = [{"token": []}, {}]
    for status, response in responses.items():
        if status.isdigit() and int(status) >= 400:
            _complete_problem(int(status), response)
    operation["responses"] = dict(sorted(responses.items()))


def _summarise(path: str, operation: dict[str, Any]) -> None:
    """Say in words what only repeats a function's name; a call of the path's own name keeps that."""
    name: str = operation["operationId"]
    words = name.replace("_", " ")
    if not path.endswith(f"/{name}") and operation["summary"].replace("_", " ").lower() == words:
        operation["summary"] = words.capitalize()


def _complete_problem(status: int, response: dict[str, Any]) -> None:
    if response.get("description") in {None, "Validation Error"}:
        response["description"] = OF_BODIES.get(status) or HTTPStatus(status).phrase
    given = response.get("content", {}).get(MEDIA_TYPE, {})
    response["content"] = {MEDIA_TYPE: {**given, "schema": {"$ref": "#/components/schemas/Problem"}}}
