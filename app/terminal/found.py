"""What a search finds, in a terminal: rows in tree order under those that lead to them, which have no number."""

from dataclasses import replace

import numpy as np
from rich.console import Console
from rich.text import Text

from app.terminal.figures import count, shape_text
from app.terminal.lines import Line, print_lines, print_text
from app.trees.found_page import FoundPage, FoundRow, FoundTensor
from app.trees.index import TreeIndex
from app.trees.search import Searcher
from app.trees.search_columns import search_columns_of

MOST_FOUND = 10_000


def find(index: TreeIndex, row: int, query: str) -> FoundPage:
    """Return the first 10,000 of what a query finds in the module at a row; raises `Invalid` where it is no query."""
    found = Searcher(index).search(query)
    rows, end = np.arange(len(index)), index.end[row]
    owner = search_columns_of(index).tensors.owner
    modules = found.modules & (rows >= row) & (rows < end)
    tensors = found.tensors & (owner >= row) & (owner < end)
    return replace(found, modules=modules, tensors=tensors).page(0, MOST_FOUND)


def print_found(console: Console, page: FoundPage) -> None:
    """Print what was found, and how much that is."""
    lines = [line for row in page.rows for line in _lines(row)]
    print_lines(console, lines)
    if lines:
        print_text(console, Text())
    if page.next is not None:
        print_text(console, Text(f"The first {page.next:,} are shown.", "dim"))
    found = filter(None, [_counted(page.num_modules, "module"), _counted(page.num_tensors, "tensor")])
    print_text(console, Text(f"{' and '.join(found) or 'nothing'} found", "bold green"))


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}" if number else ""


def _lines(row: FoundRow) -> list[Line]:
    module = Line(
        depth=row.depth,
        name=f"({row.name})" if row.depth else "",
        kind=row.class_name or "?",
        number=count(row.num_parameters) if row.is_found else "",
        is_minor=not row.is_found,
    )
    return [module, *(_tensor_line(tensor, row.depth + 1) for tensor in row.tensors)]


def _tensor_line(tensor: FoundTensor, depth: int) -> Line:
    return Line(
        depth=depth,
        name=tensor.name,
        about=f"{shape_text(tensor.shape)} {tensor.dtype}",
        marks=("buffer",) if tensor.is_buffer else (),
        number=count(tensor.numel),
    )
