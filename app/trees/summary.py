"""A table of a tree that a person can paste: as text, Markdown or JSON."""

from collections.abc import Callable, Iterator
from enum import StrEnum

import msgspec

from app.errors import TooLarge
from app.trees.index import TreeIndex

DEFAULT_DEPTH = 3
MAX_CHARS = 64_000_000
SPACE = "&emsp;"
HEADINGS = ("module", "class", "parameters", "trainable", "buffers", "bytes")


class SummaryFormat(StrEnum):
    """How a summary is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


class SummaryRow(msgspec.Struct, gc=False):
    """One module with the totals of its subtree; `num_hidden` modules lie below the depth that was asked for."""

    name: str
    path: str
    class_name: str
    depth: int
    num_modules: int
    num_parameters: int
    num_trainable: int
    num_buffers: int
    num_bytes: int
    num_hidden: int


class Summary(msgspec.Struct):
    """The rows in pre-order; the first is the module the summary is of, and so the total."""

    rows: list[SummaryRow]


def summarise(index: TreeIndex, row: int = 0, depth: int = DEFAULT_DEPTH) -> Summary:
    """Return the module at a row and what is up to `depth` levels below it.

    Raises `TooLarge` when the paths come to more than 64 million characters, as those of a very deep chain do.
    """
    rows = [place for place in range(row, index.end[row]) if index.depth[place] - index.depth[row] <= depth]
    _check(int((index.path_chars[rows] - index.path_chars[row]).sum()))
    return Summary(list(_rows(index, rows, row, depth)))


def write(summary: Summary, form: SummaryFormat) -> str:
    """Return the summary in the form that was asked for."""
    return _WRITERS[form](summary)


def _rows(index: TreeIndex, rows: list[int], top: int, depth: int) -> Iterator[SummaryRow]:
    totals = index.totals
    for row, path in zip(rows, index.paths(rows, top), strict=True):
        level = index.depth[row] - index.depth[top]
        yield SummaryRow(
            name=index.name[row],
            path=path,
            class_name=index.classes[index.class_id[row]].name,
            depth=level,
            num_modules=int(totals.num_modules[row]),
            num_parameters=int(totals.num_parameters[row]),
            num_trainable=int(totals.num_trainable[row]),
            num_buffers=int(totals.num_buffers[row]),
            num_bytes=int(totals.num_bytes[row]),
            num_hidden=index.end[row] - row - 1 if level == depth else 0,
        )


def _check(chars: int) -> None:
    if chars > MAX_CHARS:
        raise TooLarge(
            f"The summary has more than {MAX_CHARS:,} characters: ask for fewer levels, or for a target further down.",
            MAX_CHARS,
        )


def _json(summary: Summary) -> str:
    return msgspec.json.encode(summary).decode()


def _text(summary: Summary) -> str:
    cells = [HEADINGS, *[_cells(row, "  ", _plain) for row in summary.rows]]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    _check(len(cells) * sum(widths))
    lines = []
    for line in cells:
        words = [cell.ljust(width) for cell, width in zip(line[:2], widths[:2], strict=True)]
        numbers = [cell.rjust(width) for cell, width in zip(line[2:], widths[2:], strict=True)]
        lines.append("  ".join(words + numbers).rstrip())
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join(lines) + "\n"


def _markdown(summary: Summary) -> str:
    _check(sum(len(SPACE) * row.depth + len(row.name) for row in summary.rows))
    lines = [f"| {' | '.join(HEADINGS)} |", "| --- | --- | ---: | ---: | ---: | ---: |"]
    lines.extend(f"| {' | '.join(_cells(row, SPACE, _escaped))} |" for row in summary.rows)
    return "\n".join(lines) + "\n"


def _cells(row: SummaryRow, indent: str, written: Callable[[str], str]) -> tuple[str, ...]:
    name = written(row.name) if row.depth else "(root)"
    hidden = f" (+{row.num_hidden:,} below)" if row.num_hidden else ""
    counts = (row.num_parameters, row.num_trainable, row.num_buffers, row.num_bytes)
    return indent * row.depth + name + hidden, written(row.class_name), *[f"{count:,}" for count in counts]


def _plain(name: str) -> str:
    # A name may hold line breaks and terminal escapes: they are spelled out, everything printable stays.
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in name)


def _escaped(name: str) -> str:
    plain = _plain(name).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join("\\" + char if char in "\\`*_[]|~#!$" else char for char in plain)


_WRITERS: dict[SummaryFormat, Callable[[Summary], str]] = {
    SummaryFormat.TEXT: _text,
    SummaryFormat.MARKDOWN: _markdown,
    SummaryFormat.JSON: _json,
}
