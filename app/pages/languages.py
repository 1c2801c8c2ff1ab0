"""The switch between languages: what a person chose holds for a year."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request, Response
from starlette.responses import RedirectResponse

from app.pages.login import local_path
from app.translation import COOKIE

router = APIRouter(include_in_schema=False)

YEAR_S = 365 * 24 * 60 * 60


@router.post("/language")
def choose(request: Request, language: Annotated[Literal["en", "ko"], Form()]) -> Response:
    """The page that was being read, in another language from now on."""
    response = RedirectResponse(_page_before(request), 303, {"Cache-Control": "no-store"})
    response.set_cookie(COOKIE, language, max_age=YEAR_S, path="/", httponly=True, samesite="lax")
    return response


def _page_before(request: Request) -> str:
    """The page that the form stood on: a browser tells its own server the whole address, also a script's latest."""
    try:
        parts = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return "/"
    if parts.netloc != request.headers.get("host"):
        return "/"
    return local_path(parts.path + (f"?{parts.query}" if parts.query else ""))
