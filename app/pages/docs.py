"""The reference of the API, drawn in the browser from /api/openapi.json by files of this server."""

from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter, Response

from app.pages.templating import Context, page

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Docs(Context):
    """Nothing but the frame; the script reads the document."""

    template: ClassVar[str] = "docs.html"


@router.get("/docs")
def show_docs() -> Response:
    """The page of the API reference."""
    return page(Docs())
