"""The words of the page's scripts, in the reader's language."""

import hashlib
import json
from functools import cache
from typing import Literal

from fastapi import APIRouter, Request, Response

from app.translation import CATALOGUES, ENGLISH, catalogue

router = APIRouter(include_in_schema=False)


@router.get("/words/{language}.js")
def words(request: Request, language: Literal["ko"]) -> Response:
    """A script that teaches the page's scripts their messages; its address changes with the catalogue."""
    tag = f'"{_digest(language)}"'
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "ETag": tag}
    if tag in request.headers.get("if-none-match", ""):
        return Response(None, 304, headers)
    return Response(_script(language), 200, headers, "text/javascript; charset=utf-8")


def words_url(language: str) -> str:
    """Return the address of a language's words for scripts; none for English, which the scripts speak."""
    return "" if language == ENGLISH else f"/words/{language}.js?v={_digest(language)}"


@cache
def _digest(language: str) -> str:
    return hashlib.sha256((CATALOGUES / f"{language}.po").read_bytes()).hexdigest()[:16]


@cache
def _script(language: str) -> str:
    messages = {
        message.id[0] if message.pluralizable else message.id: message.string
        for message in catalogue(language)
        if message.id and any(file.endswith(".js") for file, _ in message.locations)
    }
    said = json.dumps(messages, ensure_ascii=False, separators=(",", ":"))
    return f'import {{ learn }} from "/static/js/lib/words.js";\nlearn({said}, "{language}");\n'
