"""Consoles to print to, and what was printed."""

import io
from collections.abc import Callable

from rich.console import Console
from rich.text import Text


def piped(show: Callable[[Console], None], encoding: str = "utf-8") -> str:
    """What is printed into a pipe."""
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
    show(Console(file=file, highlight=False, markup=False, emoji=False))
    file.seek(0)
    return file.read()


def in_terminal(show: Callable[[Console], None], width: int) -> list[Text]:
    """The lines that a terminal of a width shows, with their colours."""
    file = io.StringIO()
    show(Console(file=file, force_terminal=True, color_system="truecolor", width=width, highlight=False, markup=False))
    return [Text.from_ansi(line) for line in file.getvalue().splitlines()]
