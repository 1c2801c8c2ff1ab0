"""The PyTorch call and the `curl` that give what a page shows."""

from dataclasses import dataclass
from urllib.parse import quote

from fastapi import Request

from app.pages.links import LONGEST_TARGET, shell_word
from app.pages.visible import quoted
from app.translation import gettext as _

MODEL = "model"


@dataclass(frozen=True, slots=True)
class Call:
    """Code with what it prints, as shown; `code` is also what the button copies."""

    title: str
    code: str
    output: str = ""


def origin_of(request: Request) -> str:
    """Return the server's address as the browser has it."""
    return str(request.base_url).rstrip("/")


def module_code(target: str) -> str:
    """Return the expression for the module at `target`; a path too long to print is cut."""
    if not target:
        return MODEL
    return f"{MODEL}.get_submodule({quoted(shortened(target))})"


def shortened(target: str) -> str:
    """Return the target, its middle left out where nobody would read it."""
    return target if len(target) <= LONGEST_TARGET else f"{target[:80]}…{target[-80:]}"


def in_pytorch(code: str, output: str = "") -> Call:
    """Return the PyTorch call."""
    return Call(_("In PyTorch"), code, output)


def over_http(origin: str, path: str, **query: str) -> Call:
    """Return the `curl` for a GET; arguments at their defaults are left out by passing them empty."""
    words = "&".join(f"{name}={quote(shortened(text), safe='')}" for name, text in query.items() if text)
    url = f"{origin}{path}{'?' + words if words else ''}"
    return Call(_("Over HTTP"), f"curl -s {shell_word(url) if words else url}")


def posted(origin: str, path: str, body: str) -> str:
    """Return the `curl` for a POST of JSON."""
    return f"curl -s {origin}{path} --json {shell_word(body)}"
