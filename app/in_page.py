"""What scripts of a page ask for is never refused by its status, which browsers log as an error however it is taken.

A script asks with `X-Requested-With: page` and finds the status in `X-Status`; forms and programs get it as it is.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.problems import is_page

ASKS = "x-requested-with"
OF_PAGE = "page"
STATUS = "X-Status"


class InPage:
    """The layer in which the refusals of pages go to their scripts with a 200; the API's stay as they are."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_page(scope) and Headers(scope=scope).get(ASKS) == OF_PAGE:
            await self.app(scope, receive, _accepted(send))
        else:
            await self.app(scope, receive, send)


def _accepted(send: Send) -> Send:
    async def send_accepted(message: Message) -> None:
        if message["type"] == "http.response.start" and 400 <= message["status"] < 500:
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            headers[STATUS] = str(message["status"])
            # Whoever asks for the same without the header is refused.
            headers["Cache-Control"] = "no-store"
            message["status"] = 200
        await send(message)

    return send_accepted
