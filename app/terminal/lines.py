"""Rows of a tree as lines of a terminal: guides, a name, what it is, and a number in a column of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from app.printable import printable

# Where lines go into a pipe no width is known: numbers stand in a column as far as this.
PIPED_WIDTH = 120
# More levels than this leave no room for a name: the outermost are not drawn.
MOST_GUIDES = 12
GAP = 2


@dataclass(frozen=True, slots=True)
class Line:
    """One row; `about` is cut first where there is no room, `marks` are words that set it apart from others.

    `is_minor` is a row that only belongs to, or leads to, another.
    """

    depth: int
    name: str
    kind: str = ""
    about: str = ""
    marks: tuple[str, ...] = ()
    number: str = ""
    is_minor: bool = False


@dataclass(frozen=True, slots=True)
class Guides:
    """What is drawn before a row: for each level above that goes on, or has ended, and for the row itself."""

    on: str
    over: str
    row: str
    last: str
    cut: str


DRAWN = Guides("│   ", "    ", "├── ", "└── ", "… ")
ASCII = Guides("|   ", "    ", "|-- ", "`-- ", "~ ")


def print_lines(console: Console, lines: Sequence[Line]) -> None:
    """Print the rows: in a terminal within its width, elsewhere as long as they are."""
    guides = ASCII if console.options.ascii_only else DRAWN
    widest = max((len(line.number) for line in lines), default=0)
    room = console.width - widest - GAP if console.is_terminal else None
    texts = [_text(line, before, room) for line, before in zip(lines, _guided(lines, guides), strict=True)]
    column = min(max((text.cell_len for text in texts), default=0), PIPED_WIDTH if room is None else room)
    for line, text in zip(lines, texts, strict=True):
        if line.number:
            text.append(" " * max(column - text.cell_len, 0) + " " * GAP + line.number.rjust(widest))
            text.stylize("dim" if line.is_minor else "green", -len(line.number))
        print_text(console, text)


def print_text(console: Console, text: Text) -> None:
    """Print a text as it is; what the output's encoding has no sign for is spelled out."""
    if not console.encoding.startswith("utf"):
        text = Text(text.plain.encode(console.encoding, "backslashreplace").decode(console.encoding))
    console.print(text, soft_wrap=True)


def _guided(lines: Sequence[Line], guides: Guides) -> Iterator[str]:
    """Yield what is drawn before each row."""
    for line, goes_on in zip(lines, _levels_that_go_on(lines), strict=True):
        if not line.depth:
            yield ""
            continue
        least = max(1, line.depth - MOST_GUIDES)
        above = [guides.on if goes_on >> level & 1 else guides.over for level in range(least, line.depth)]
        own = guides.row if goes_on >> line.depth & 1 else guides.last
        yield "".join([guides.cut if least > 1 else "", *above, own])


def _levels_that_go_on(lines: Sequence[Line]) -> list[int]:
    # For each row a bit for each level, its own and those above, at which one more comes after it.
    found = []
    bits = 0
    for line in reversed(lines):
        bits &= (2 << line.depth) - 1
        found.append(bits)
        bits |= 1 << line.depth
    return found[::-1]


def _text(line: Line, guides: str, room: int | None) -> Text:
    text = Text(guides, "dim")
    name, about = printable(line.name), printable(line.about)
    text.append(f"{name}: " if name else "", "not dim" if line.is_minor else "bold not dim")
    text.append(printable(line.kind), "cyan not dim")
    text.append(about)
    marks = "".join(f"  {printable(mark)}" for mark in line.marks)
    if room is not None:
        text.truncate(max(room - cell_len(marks), room // 2), overflow="ellipsis")
    text.append(marks, "yellow not dim")
    if room is not None:
        text.truncate(room, overflow="ellipsis")
    return text
