"""Examples: functions whose own source is what a step shows, and what they print when they are run on a tree."""

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from textwrap import dedent
from traceback import format_exception_only
from typing import Any, TypeAlias

Example: TypeAlias = Callable[[Any], None]

_lines: ContextVar[list[str]] = ContextVar("lines")


def print(*things: object) -> None:  # noqa: A001
    """Keep a line for the step in place of writing it to standard output, which all requests share."""
    _lines.get().append(" ".join(map(str, things)))


@dataclass(frozen=True, slots=True)
class Printed:
    """What an example printed; `error` is the line that Python ends a traceback with, "" where nothing was raised."""

    text: str
    error: str = ""


def run(example: Example, model: object) -> Printed:
    """Run an example on a module and return what it printed; what torch raises on the way is part of it."""
    lines: list[str] = []
    token = _lines.set(lines)
    try:
        example(model)
    except (AttributeError, KeyError, RuntimeError, TypeError) as error:
        return Printed("\n".join(lines), format_exception_only(error)[-1].strip())
    finally:
        _lines.reset(token)
    return Printed("\n".join(lines))


@cache
def code_of(example: Example) -> str:
    """Return the lines of the example's body, as they are shown."""
    _, _, body = inspect.getsource(example).partition(":\n")
    return dedent(body).rstrip()
