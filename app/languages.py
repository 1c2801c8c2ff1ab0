"""The language of each page: the reader's choice, else what the browser asks for, else English."""

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.problems import is_page
from app.translation import COOKIE, ENGLISH, LANGUAGES, is_learnt, learn, speaking


def preferred(headers: Headers) -> str:
    """Return the code of the language that a request should be answered in."""
    chosen = cookie_parser(headers.get("cookie", "")).get(COOKIE)
    return chosen if chosen in LANGUAGES else accepted(headers.get("accept-language", ""))


def accepted(header: str) -> str:
    """Return the language of ours that an Accept-Language ranks first (RFC 9110, 12.5.4): `ko-KR` counts as `ko`."""
    ranked = sorted(map(_weighed, header.split(",")), key=lambda each: -each[1])
    return next((code for code, weight in ranked if code in LANGUAGES and weight > 0), ENGLISH)


def _weighed(item: str) -> tuple[str, float]:
    tag, _, quality = item.partition(";")
    try:
        weight = float(quality.strip().removeprefix("q=") or 1)
    except ValueError:
        weight = 0.0
    return tag.strip().partition("-")[0].lower(), weight


class Languages:
    """The layer in which pages are made in the reader's language; what programs ask for stays in English."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_page(scope):
            await self.app(scope, receive, send)
            return
        code = preferred(Headers(scope=scope))
        if not is_learnt(code):
            # The first of its readers waits for the catalogue, nobody else: error pages are made on the event loop.
            await run_in_threadpool(learn, code)
        with speaking(code):
            await self.app(scope, receive, _telling(send, code))


def _telling(send: Send, code: str) -> Send:
    async def send_with_language(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            if "content-language" in headers or headers.get("content-type", "").startswith("text/html"):
                headers.setdefault("Content-Language", code)
                headers.add_vary_header("Accept-Language, Cookie")
        await send(message)

    return send_with_language
