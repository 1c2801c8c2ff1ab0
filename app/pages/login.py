"""The login page: a browser brings the token once, and gets a cookie for it."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from fastapi import APIRouter, Form, Query, Request, Response
from starlette.datastructures import URL
from starlette.responses import RedirectResponse

from app.api.dependencies import SettingsDep
from app.pages.templating import Context, page
from app.tokens import cookie_name, cookie_value, is_same

router = APIRouter(include_in_schema=False)

Next = Annotated[str, Query(alias="next", max_length=2000)]


@dataclass(frozen=True, slots=True)
class Login(Context):
    """The form that asks for the token; `again` is a page to try once more before the person is asked."""

    next_path: str
    is_wrong: bool = False
    again: str | None = None
    template: ClassVar[str] = "login.html"


@router.get("/login")
def show_login(request: Request, settings: SettingsDep, token: str | None = None, next_path: Next = "/") -> Response:
    """The form; or, with the right token in the address, the cookie and the way to the page."""
    target = local_path(next_path)
    if settings.token is None:
        return RedirectResponse(target, 303)
    if token is not None:
        return _log_in(request, settings.token, token, target)
    # A browser keeps a strict cookie back when a link of another site led here; from this page it sends it.
    again = target if request.headers.get("sec-fetch-site") == "cross-site" else None
    return page(Login(target, again=again))


@router.post("/login")
def log_in(
    request: Request,
    settings: SettingsDep,
    token: Annotated[str, Form()] = "",
    next_path: Annotated[str, Form(alias="next")] = "/",
) -> Response:
    """The cookie and the way to the page for the right token, else the form again."""
    target = local_path(next_path)
    if settings.token is None:
        return RedirectResponse(target, 303)
    return _log_in(request, settings.token, token.strip(), target)


def local_path(text: str) -> str:
    """`text` where it is a path on this server, else the home page: the address comes from whoever made the link."""
    is_local = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if is_local and not text.startswith("/login") else "/"


def _log_in(request: Request, token: str, given: str, target: str) -> Response:
    if not is_same(given, token):
        return page(Login(target, is_wrong=True), 401)
    url: URL = request.url
    response = RedirectResponse(target, 303, {"Cache-Control": "no-store"})
    response.set_cookie(
        cookie_name(url.port or (443 if url.scheme == "https" else 80)),
        cookie_value(token),
        path="/",
        secure=url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return response
