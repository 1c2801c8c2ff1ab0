"""Steps as httpx has them, the same for both clients: where the server is, what is sent, what an answer means."""

import re
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from app.client.errors import ClientError, NotModuletree, Unreachable
from app.client.steps import Answer, Request
from app.version import VERSION

CONNECT_S = 5.0
# The server sends something every 15 s: after this long without, the connection is dead.
SILENCE_S = 40.0


def address(url: str) -> tuple[str, str | None]:
    """Return the base of an address, and the token where it is the one that a server prints at its start.

    Raises ValueError where it is none.
    """
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{url!r} is no address of a server: it would be like http://127.0.0.1:8000.")
    path = parts.path.rstrip("/")
    token = parse_qs(parts.query).get("token", [None])[0] if path.endswith("/login") else None
    try:
        return str(httpx.URL(f"{parts.scheme}://{parts.netloc}{path.removesuffix('/login')}")), token
    except httpx.InvalidURL as error:
        raise ValueError(f"{url!r} is no address of a server: {error}.") from None


def is_loopback(url: str) -> bool:
    """Whether an address is of this machine, to which no proxy leads."""
    host = urlsplit(url).hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.")


def options(url: str, token: str | None, timeout_s: float) -> dict[str, Any]:
    """Return what both clients of httpx are made with."""
    headers = {"user-agent": f"moduletree/{VERSION}"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    return {
        "base_url": url,
        "headers": headers,
        "timeout": httpx.Timeout(timeout_s, connect=CONNECT_S),
        "trust_env": not is_loopback(url),
        # Each stream has a connection for itself.
        "limits": httpx.Limits(max_connections=None, max_keepalive_connections=20),
    }


def prepared(http: httpx.Client | httpx.AsyncClient, request: Request, files: ExitStack) -> httpx.Request:
    """Return the request; the files that it uploads are open until `files` is closed."""
    sent: dict[str, Any] = {"params": {name: value for name, value in request.query.items() if value is not None}}
    if request.files:
        sent["files"] = [("file", (path.name, files.enter_context(path.open("rb")))) for path in request.files]
        sent["data"] = request.form
    elif request.body is not None:
        sent["json"] = request.body
    return http.build_request(request.method, request.path, headers=request.headers, **sent)


def as_stream(http: httpx.Client | httpx.AsyncClient, request: Request) -> httpx.Request:
    """Return the request for a stream, which is silent no longer than between heartbeats."""
    timeout = httpx.Timeout(SILENCE_S, connect=CONNECT_S)
    query = {name: value for name, value in request.query.items() if value is not None}
    return http.build_request(request.method, request.path, params=query, headers=request.headers, timeout=timeout)


def answer_of(response: httpx.Response) -> Answer:
    """Return the answer, with its body where that was read."""
    return Answer(response.status_code, response.headers, response.content if response.is_closed else b"")


def meant(error: httpx.RequestError, url: str) -> ClientError:
    """Return what a failure of the connection means to the caller."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        reason = re.sub(r"^\[Errno -?\d+\] ", "", str(error))
        return Unreachable(f"No server answers at {url}: {reason or 'it took too long'}.")
    if isinstance(error, httpx.TimeoutException):
        return Unreachable(f"The server at {url} was silent for too long.")
    if isinstance(error, httpx.TransportError):
        return Unreachable(f"The connection to {url} broke off: {error}.")
    return NotModuletree(f"The answer of {url} cannot be read: {error}.")
