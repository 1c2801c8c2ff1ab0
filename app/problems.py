"""What a failed request is answered with: RFC 9457 problem+json, or the error page for a person who was reading pages.

exception  ->  Problem (status and words)  ->  application/problem+json | templates/error.html
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Scope

from app.errors import (
    CannotDo,
    CannotStore,
    Invalid,
    Misfit,
    ModuletreeError,
    NameRefused,
    NotAllowed,
    NotFound,
    RevisionMismatch,
    TargetNotFound,
    TooLarge,
    TooManyRuns,
    Unauthorized,
)
from app.translation import ENGLISH, language, said, told

MEDIA_TYPE = "application/problem+json"
MOST_ERRORS = 100

# RFC 9110's names, where older releases of Python know older ones.
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}

STATUSES: Mapping[type[ModuletreeError], int] = {
    NotFound: 404,
    NameRefused: 409,
    CannotDo: 409,
    RevisionMismatch: 412,
    TooLarge: 413,
    Invalid: 422,
    NotAllowed: 403,
    Unauthorized: 401,
    TooManyRuns: 429,
    CannotStore: 503,
}
RETRY_STORE_S = 5


Page = Callable[["Problem"], str]


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong with one request: `extra` are the members beside RFC 9457's own."""

    status: int
    detail: str
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return TITLES.get(self.status) or HTTPStatus(self.status).phrase

    def document(self) -> dict[str, Any]:
        """The members of the problem document; `about:blank` says that the status tells the kind."""
        return {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.extra,
        }


def status_of(error: ModuletreeError) -> int:
    """The HTTP status of `error`, found along its bases."""
    return next((STATUSES[base] for base in type(error).__mro__ if base in STATUSES), 500)


def problem_of(error: Exception, scope: Scope) -> Problem:
    """What `error` means to the client; nothing is told of an error that was not raised on purpose."""
    if isinstance(error, HTTPException) and isinstance(error.__cause__, ModuletreeError):
        # FastAPI wraps what is raised while it reads a body.
        error = error.__cause__
    match error:
        case ModuletreeError():
            return Problem(status_of(error), error.detail, _extra(error), _headers(error))
        case RequestValidationError():
            return _misfits([Misfit(tuple(each["loc"]), each["msg"]) for each in error.errors()])
        case HTTPException():
            return _http(error, scope)
        case ClientDisconnect():
            return Problem(400, said("The connection was closed before the request was whole."))
        case _:
            return Problem(500, said("The server failed at this request; its log says why."))


def respond(request: Request, problem: Problem, page: Page | None = None) -> Response:
    """The answer to `request`: the `page` of the problem where a person was reading pages, else problem+json."""
    # A name from a request may hold a lone surrogate, which is no UTF-8.
    if page is not None and _wants_page(request.scope):
        content = page(problem).encode("utf-8", "replace")
        return Response(content, problem.status, problem.headers, "text/html; charset=utf-8")
    content = json.dumps(_told(problem.document()), ensure_ascii=True, allow_nan=False).encode("ascii")
    return Response(content, problem.status, problem.headers, MEDIA_TYPE)


def _told(document: dict[str, Any]) -> dict[str, Any]:
    """The document in the reader's language, which only pages and their scripts are answered in."""
    if language() == ENGLISH:
        return document
    errors = [{**each, "msg": told(each["msg"])} for each in document.get("errors", ())]
    return {**document, "detail": told(document["detail"]), **({"errors": errors} if errors else {})}


def is_page(scope: Scope) -> bool:
    """Whether the path is one of the pages, for people, and not one of the API or of operation, for programs."""
    path: str = scope["path"]
    return not path.startswith("/api/") and path not in {"/api", "/healthz", "/readyz", "/metrics"}


def _wants_page(scope: Scope) -> bool:
    accepted = (value for name, value in scope["headers"] if name == b"accept")
    return is_page(scope) and any(b"text/html" in value for value in accepted)


def install(app: FastAPI, page: Page | None = None) -> None:
    """Answer every exception of `app` with its problem."""

    async def handle(request: Request, error: Exception) -> Response:
        return respond(request, problem_of(error, request.scope), page)

    for kind in (ModuletreeError, RequestValidationError, HTTPException, ClientDisconnect, Exception):
        app.add_exception_handler(kind, handle)


def _extra(error: ModuletreeError) -> dict[str, Any]:
    match error:
        case Invalid(errors=errors) if errors:
            return {"errors": _listed(errors)}
        case TargetNotFound() | NameRefused():
            return {"target": error.target}
        case TooLarge():
            return {"limit": error.limit}
        case RevisionMismatch():
            return {"revision": error.present}
        case _:
            # A kind of error that only one operation knows may bring members of its own.
            return getattr(error, "members", {})


def _headers(error: ModuletreeError) -> dict[str, str]:
    match error:
        case Unauthorized():
            return {"WWW-Authenticate": 'Bearer realm="moduletree"'}
        case TooManyRuns():
            return {"Retry-After": str(error.retry_after_s)}
        case CannotStore():
            return {"Retry-After": str(RETRY_STORE_S)}
        case _:
            return {}


def _misfits(misfits: list[Misfit]) -> Problem:
    first = misfits[0]
    place = ".".join(str(part) for part in first.loc)
    others = said(", and %(num)s more", num=len(misfits) - 1) if len(misfits) > 1 else ""
    detail = said("%(place)s: %(msg)s%(others)s.", place=place, msg=first.msg, others=others)
    return Problem(422, detail, {"errors": _listed(misfits)})


def _listed(misfits: list[Misfit] | tuple[Misfit, ...]) -> list[dict[str, Any]]:
    return [{"loc": list(misfit.loc), "msg": misfit.msg} for misfit in misfits[:MOST_ERRORS]]


def _http(error: HTTPException, scope: Scope) -> Problem:
    headers = dict(error.headers or {})
    path = scope["path"]
    match error.status_code:
        case 400:
            # FastAPI says 400 of a body that it cannot parse; the contract says 422.
            return Problem(422, f"The body cannot be read: {error.detail.removesuffix('.')}.", {}, headers)
        case 404 if error.detail == HTTPStatus(404).phrase:
            return Problem(
                404, said("There is nothing at %(path)s. GET /docs shows what there is.", path=path), {}, headers
            )
        case 405:
            allowed = ", ".join(_methods_of(scope))
            detail = said(
                "%(path)s does not take %(method)s; it takes %(allowed)s.",
                path=path,
                method=scope["method"],
                allowed=allowed,
            )
            return Problem(405, detail, {}, {**headers, "Allow": allowed})
        case status:
            return Problem(status, error.detail, {}, headers)


def _methods_of(scope: Scope) -> list[str]:
    """Every method that the path takes; the router only tells those of the first route that fits."""
    methods: set[str] = set()
    for context in iter_route_contexts(scope["app"].routes):
        if context.methods and context.path_regex.match(scope["path"]):
            methods |= context.methods
    return sorted(methods) or ["GET", "HEAD"]
