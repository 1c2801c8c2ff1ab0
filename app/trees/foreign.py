"""Code that is not ours (constructors, `forward`, `extra_repr`), called so that whatever it raises is a value."""

import re
import traceback
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from app.errors import ModuletreeError

T = TypeVar("T")

MAX_MESSAGE = 1_000
MAX_NOTES = 20
MAX_NOTE = 300
# What stands between the foreign code and us, or is called by it: no place that a person would look for a mistake.
MACHINERY = ("torch", "transformers", "app")

_META = re.compile(r"\bmeta\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception of foreign code: its class, its message, and the line of that code where it came up, if known."""

    class_name: str
    message: str
    where: str
    error: BaseException

    @property
    def asks_for_values(self) -> bool:
        """Whether it says that a tensor on the meta device has none."""
        return _META.search(self.message) is not None

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
    return cut(plain(" ".join(lines).removesuffix(".")), MAX_MESSAGE)


def notes_of(caught: Iterable[warnings.WarningMessage]) -> list[str]:
    """Return what was warned of, each once and on one line, at most 20."""
    notes = dict.fromkeys(cut(plain(" ".join(str(warning.message).split())), MAX_NOTE) for warning in caught)
    return list(notes)[:MAX_NOTES]


def plain(name: object) -> str:
    """Return the text of a name; half a surrogate pair, which no encoding takes, is spelled out."""
    text = str(name)
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


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
