"""The server's secret: made, compared, and turned into the cookie of a browser that brought it."""

import hashlib
import hmac
import secrets


def make_token() -> str:
    """A new token of 192 random bits."""
    return secrets.token_urlsafe(24)


def is_same(given: str, expected: str) -> bool:
    """Whether both are equal, in a time that does not tell how far they agree."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())


def cookie_name(port: int) -> str:
    """The cookie of the server at `port`; browsers do not keep the cookies of two ports of a host apart."""
    return f"moduletree_{port}"


def cookie_value(token: str) -> str:
    """What the cookie holds: derived from the token, which cannot be got back from it."""
    return hmac.new(token.encode(), b"moduletree login cookie", hashlib.sha256).hexdigest()
