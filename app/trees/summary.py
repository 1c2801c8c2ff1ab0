"""A table of a tree that a person can paste: as text, Markdown, LaTeX or JSON."""

from collections.abc import Callable, Iterable
from enum import StrEnum

import msgspec

from app.errors import TooLarge
from app.printable import printable
from app.translation import said
from app.trees.fold import Run, run_totals, runs_below
from app.trees.index import TreeIndex
from app.trees.latex import in_latex

DEFAULT_DEPTH = 3
MAX_CHARS = 64_000_000
SPACE, QUAD = "&emsp;", "\\quad "
HEADINGS = ("module", "class", "parameters", "trainable", "buffers", "bytes")
NOTE = "n x: the numbers are of all n together, those of the rows below it are of one."


class SummaryFormat(StrEnum):
    """How a summary is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    LATEX = "latex"
    JSON = "json"


class SummaryRow(msgspec.Struct, gc=False):
    """One module with the totals of its subtree; `num_hidden` modules lie below the depth that was asked for.

    Or a run of `count` siblings, of which it is the first, and `label` names the first and the last: what begins with
    `total_` is of all of the run, what is shared once.
    """

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
    label: str
    count: int
    total_parameters: int
    total_trainable: int
    total_buffers: int
    total_bytes: int


class Summary(msgspec.Struct):
    """The rows in pre-order; the first is the module the summary is of, and so the total."""

    rows: list[SummaryRow]


def summarise(index: TreeIndex, row: int = 0, depth: int = DEFAULT_DEPTH, *, folded: bool = False) -> Summary:
    """Return the module at a row and what is up to `depth` levels below it, runs of siblings in one row if `folded`.

    Raises `TooLarge` when the paths come to more than 64 million characters, as those of a very deep chain do.
    """
    if folded:
        listed = [run for run, _ in runs_below(index, row, depth)]
    else:
        rows = [place for place in range(row, index.end[row]) if index.depth[place] - index.depth[row] <= depth]
        listed = [Run([place], index.name[place]) for place in rows]
    firsts = [run.rows[0] for run in listed]
    _check(int((index.path_chars[firsts] - index.path_chars[row]).sum()))
    paths = index.paths(firsts, row)
    return Summary([_row(index, run, path, row, depth) for run, path in zip(listed, paths, strict=True)])


def write(summary: Summary, form: SummaryFormat) -> str:
    """Return the summary in the form that was asked for."""
    return _WRITERS[form](summary)


def _row(index: TreeIndex, run: Run, path: str, top: int, depth: int) -> SummaryRow:
    row, totals, of_all = run.rows[0], index.totals, run_totals(index, run)
    level = index.depth[row] - index.depth[top]
    return SummaryRow(
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
        label=run.label,
        count=len(run.rows),
        total_parameters=of_all.num_parameters,
        total_trainable=of_all.num_trainable,
        total_buffers=of_all.num_buffers,
        total_bytes=of_all.num_bytes,
    )


def _check(chars: int) -> None:
    if chars > MAX_CHARS:
        raise TooLarge(
            said(
                "The summary has more than %(max_chars)s characters: ask for fewer levels, or for a target further "
                "down.",
                max_chars=f"{MAX_CHARS:,}",
            ),
            MAX_CHARS,
        )


def _json(summary: Summary) -> str:
    return msgspec.json.encode(summary).decode()


def _text(summary: Summary) -> str:
    cells = [HEADINGS, *[_cells(row, "  ", printable) for row in summary.rows]]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    _check(len(cells) * sum(widths))
    lines = []
    for line in cells:
        words = [cell.ljust(width) for cell, width in zip(line[:2], widths[:2], strict=True)]
        numbers = [cell.rjust(width) for cell, width in zip(line[2:], widths[2:], strict=True)]
        lines.append("  ".join(words + numbers).rstrip())
    rule = "-" * max(map(len, lines))
    lines.insert(1, rule)
    if _has_runs(summary):
        lines += [rule, NOTE]
    return "\n".join(lines) + "\n"


def _markdown(summary: Summary) -> str:
    _check(sum(len(SPACE) * row.depth + len(row.name) for row in summary.rows))
    lines = [f"| {' | '.join(HEADINGS)} |", "| --- | --- | ---: | ---: | ---: | ---: |"]
    lines.extend(f"| {' | '.join(_cells(row, SPACE, _escaped))} |" for row in summary.rows)
    if _has_runs(summary):
        lines += ["", NOTE]
    return "\n".join(lines) + "\n"


def _latex(summary: Summary) -> str:
    _check(sum(len(QUAD) * row.depth + len(row.name) for row in summary.rows))
    lines = ["\\begin{tabular}{llrrrr}", "\\hline", _latex_row(HEADINGS), "\\hline"]
    lines.extend(_latex_row(_cells(row, QUAD, in_latex)) for row in summary.rows)
    lines.append("\\hline")
    if _has_runs(summary):
        lines.append(f"\\multicolumn{{{len(HEADINGS)}}}{{l}}{{{NOTE}}} \\\\")
    return "\n".join([*lines, "\\end{tabular}"]) + "\n"


def _latex_row(cells: Iterable[str]) -> str:
    return " & ".join(cells) + " \\\\"


def _has_runs(summary: Summary) -> bool:
    return any(row.count > 1 for row in summary.rows)


def _cells(row: SummaryRow, indent: str, written: Callable[[str], str]) -> tuple[str, ...]:
    name, class_name = written(row.label) if row.depth else "(root)", written(row.class_name or "?")
    if row.count > 1:
        name, class_name = f"({name})", f"{row.count:,} x {class_name}"
    hidden = f" (+{row.num_hidden * row.count:,} below)" if row.num_hidden else ""
    counts = (row.total_parameters, row.total_trainable, row.total_buffers, row.total_bytes)
    return indent * row.depth + name + hidden, class_name, *[f"{count:,}" for count in counts]


def _escaped(name: str) -> str:
    plain = printable(name).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join("\\" + char if char in "\\`*_[]|~#!$" else char for char in plain)


_WRITERS: dict[SummaryFormat, Callable[[Summary], str]] = {
    SummaryFormat.TEXT: _text,
    SummaryFormat.MARKDOWN: _markdown,
    SummaryFormat.LATEX: _latex,
    SummaryFormat.JSON: _json,
}
