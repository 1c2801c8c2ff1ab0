"""Code that is not ours (constructors, `forward`, `extra_repr`), called so that whatever it raises is a value."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from app.errors import ModuletreeError

T = TypeVar("T")

MAX_MESSAGE = 1_000
# What stands between the foreign code and us, or is called by it: no place that a person would look for a mistake.
MACHINERY = ("torch", "transformers", "app")


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception of foreign code: its class, its message, and the line of that code where it came up, if known."""

    class_name: str
    message: str
    where: str
    error: BaseException

    def __str__(self) -> str:
        return f"{self.class_name}: {self.message}" if self.message else self.class_name


def attempt(call: Callable[[], T]) -> T | Raised:
    """Return what `call` returns, or what it raised; a `ModuletreeError` is ours and passes through."""
    try:
        return call()
    except ModuletreeError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001
        return Raised(type(error).__name__, _message(error), _where(error), error)


def _message(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001
        text = ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return cut(" ".join(lines).removesuffix("."), MAX_MESSAGE)


def cut(text: str, length: int) -> str:
    """Return the text, its end left out where it is longer than `length`."""
    return text if len(text) <= length else text[: length - 1] + "…"


def _where(error: BaseException) -> str:
    frames = [
        (frame.f_code.co_qualname, Path(frame.f_code.co_filename).name, line, str(frame.f_globals.get("__name__", "")))
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    for name, file, line, module in reversed(frames):
        if module.partition(".")[0] not in MACHINERY:
            return f"{name} ({file}, line {line})"
    return ""
