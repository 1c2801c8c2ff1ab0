"""The reference of the API, drawn in the browser from its document by files of this server."""

import hashlib
from dataclasses import dataclass
from typing import ClassVar

import msgspec
from fastapi import APIRouter, FastAPI, Request, Response

from app.api.entity_tags import is_cached
from app.pages.reference import in_language
from app.pages.templating import Context, page
from app.translation import ENGLISH, language

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Docs(Context):
    """Nothing but the frame; the script reads the document."""

    template: ClassVar[str] = "docs.html"


@dataclass(frozen=True, slots=True)
class Reference:
    """The document in one language."""

    content: bytes
    etag: str


@router.get("/docs")
def show_docs() -> Response:
    """The page of the API reference."""
    return page(Docs())


@router.get("/docs/openapi.json")
def show_document(request: Request) -> Response:
    """The document that the page draws: /api/openapi.json, which is for programs, in the reader's language."""
    reference = _reference(request.app, language())
    headers = {"Cache-Control": "no-cache", "ETag": reference.etag, "Content-Language": language()}
    if is_cached(request.headers.get("if-none-match"), reference.etag):
        return Response(None, 304, headers)
    return Response(reference.content, 200, headers, "application/json")


def _reference(app: FastAPI, code: str) -> Reference:
    kept: dict[str, Reference] = app.state.references
    if code not in kept:
        document = app.openapi()
        content = msgspec.json.encode(document if code == ENGLISH else in_language(document, code))
        kept[code] = Reference(content, f'"{hashlib.sha256(content).hexdigest()[:16]}"')
    return kept[code]
