"""Who may ask what: one layer around the whole application that denies what it does not know.

    Host  ->  same origin  ->  token  ->  size of the body  ->  the application, and security headers on every answer

Decided here on the path as it was sent, not by routers, so that no route can be forgotten.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request, cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.body import bounded, check_length
from app.errors import ModuletreeError, NotAllowed, Unauthorized
from app.problems import is_page
from app.settings import Settings
from app.tokens import cookie_name, cookie_value, is_same
from app.translation import said

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LOGIN_BYTES = 4096
READING = frozenset({"GET", "HEAD"})

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer, under which browsers send forms with "Origin: null".
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

Refusal = Callable[[Request, Exception], Response]


@dataclass(frozen=True, slots=True)
class Authority:
    """The name and port of a Host header or an origin."""

    name: str
    port: int

    @classmethod
    def parse(cls, text: str, scheme: str) -> "Authority | None":
        """The authority in `text`, or None where it is none; without a port it is the scheme's own."""
        try:
            parts = urlsplit(f"//{text}")
            port = parts.port
        except ValueError:
            return None
        if not parts.hostname or parts.netloc != text or "@" in text or (port is None and text.endswith(":")):
            return None
        return cls(parts.hostname.rstrip("."), port or (443 if scheme == "https" else 80))


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules, from the settings: which names the server answers to, and which token it asks for."""

    token: str | None
    only_loopback: bool
    names: frozenset[str]
    authorities: frozenset[str]
    max_body: int
    max_upload: int
    silence_s: float = 30.0

    @classmethod
    def of(cls, settings: Settings) -> "Policy":
        """The rules for `settings`. Raises ValueError where others can reach the server and there is no token."""
        if settings.token is None and not settings.is_loopback:
            raise ValueError(f"host {settings.host!r} is reached from elsewhere: a token is needed")
        hosts = [host.lower() for host in (settings.host, *settings.allow_host)]
        return cls(
            settings.token,
            settings.is_loopback,
            frozenset(host for host in hosts if ":" not in host.rpartition("]")[2] and host not in LOOPBACK_NAMES),
            frozenset(host for host in hosts if ":" in host.rpartition("]")[2]),
            settings.max_body,
            settings.max_upload,
        )

    def body_limit(self, scope: Scope) -> int:
        """The most bytes that the body of this request may have."""
        path: str = scope["path"]
        if path in {"/login", "/language"}:
            return LOGIN_BYTES
        return self.max_upload if path.endswith(("/load_state_dict", "/upload")) else self.max_body

    def is_host(self, host: Authority, port: int | None) -> bool:
        """Whether the server answers to `host`, when it listens at `port`.

        A page of another site that makes its own name point here is refused, since its name is not one of these.
        """
        if host.name in self.names or f"{host.name}:{host.port}" in self.authorities:
            return True
        if self.only_loopback:
            return host.name in LOOPBACK_NAMES and host.port == port
        return host.name in LOOPBACK_NAMES or is_address(host.name)


def is_address(name: str) -> bool:
    """Whether `name` is an IP address, which no other site can make point here."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def check_host(scope: Scope, policy: Policy) -> Authority:
    """The authority that the request was sent to. Raises HTTPException 421 where it is not this server's."""
    given = Headers(scope=scope).getlist("host")
    host = Authority.parse(given[0], scope["scheme"]) if len(given) == 1 else None
    server_port = (scope.get("server") or (None, None))[1] or (443 if scope["scheme"] == "https" else 80)
    if host is None or not policy.is_host(host, server_port):
        name = given[0] if given else ""
        raise HTTPException(421, f"This server does not answer to the host {name!r}; --allow-host NAME makes it.")
    return host


def check_origin(scope: Scope, host: Authority) -> None:
    """Raise NotAllowed for a change that a page of another site asks for."""
    if scope["method"] in SAFE_METHODS:
        return
    headers = Headers(scope=scope)
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        is_own = site in {"same-origin", "none"}
    elif origin is not None:
        # What browsers send that are too old for Sec-Fetch-Site, and all of them to a plain http:// address.
        is_own = Authority.parse(origin.partition("://")[2], scope["scheme"]) == host
    else:
        is_own = True  # no browser
    if not is_own:
        raise NotAllowed(
            said("A page of another site may change nothing here; this server's own pages and programs may.")
        )


def check_token(scope: Scope, policy: Policy, host: Authority) -> None:
    """Raise Unauthorized where a token is asked for and the request brings none, or a wrong one."""
    if policy.token is None or is_open(scope):
        return
    headers = Headers(scope=scope)
    kind, _, given = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and is_same(given.strip(), policy.token):
        return
    cookie = cookie_parser(headers.get("cookie", "")).get(cookie_name(host.port), "")
    if not is_same(cookie, cookie_value(policy.token)):
        raise Unauthorized(
            said("This server asks for its token: send Authorization: Bearer TOKEN, or log in at /login.")
        )


def is_open(scope: Scope) -> bool:
    """Whether the request needs no token: logging in, the files and the language of that page, and the sign of life."""
    path: str = scope["path"]
    method: str = scope["method"]
    if path == "/login":
        return method in READING | {"POST"}
    if path == "/language":
        return method == "POST"
    return method in READING and (path == "/healthz" or path.startswith(("/static/", "/words/")))


class Access:
    """The layer; what it refuses is answered by `refuse`, or by the way to the login page."""

    def __init__(self, app: ASGIApp, policy: Policy, refuse: Refusal) -> None:
        self.app = app
        self.policy = policy
        self.refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, _with_security_headers(send))
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            host = check_host(scope, self.policy)
            check_origin(scope, host)
            check_token(scope, self.policy, host)
            limit = self.policy.body_limit(scope)
            check_length(scope, limit)
        except Unauthorized as error:
            response = self._ask_for_token(Request(scope), error)
        except (ModuletreeError, HTTPException) as error:
            response = self.refuse(Request(scope), error)
        else:
            await self.app(scope, bounded(receive, limit, self.policy.silence_s), send)
            return
        await response(scope, receive, send)

    def _ask_for_token(self, request: Request, error: Unauthorized) -> Response:
        if request.method in READING and is_page(request.scope):
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"/login?next={quote(request.url.path + query, safe='')}", 303)
        return self.refuse(request, error)


def _with_security_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers
