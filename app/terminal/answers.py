"""What `moduletree tree` answers: the folded tree or what is found in it, as text or as JSON."""

import sys
from dataclasses import dataclass

import msgspec
from rich.console import Console

from app.terminal.found import find, print_found
from app.terminal.named import Named
from app.terminal.opened import open_named
from app.terminal.tree import print_tree
from app.trees.fold import fold


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a tree: which part, how deep, what to look for, and in which form."""

    target: str = ""
    depth: int | None = None
    find: str | None = None
    parameters: bool = False
    as_json: bool = False


def answer(named: Named, asked: Asked) -> None:
    """Print what is asked of a source; raises as the source, the target and the query do."""
    index, origin = open_named(named)
    row = index.row(asked.target)
    found = None if asked.find is None else find(index, row, asked.find)
    if asked.as_json:
        document = fold(index, row, max_depth=asked.depth) if found is None else found
        sys.stdout.buffer.write(msgspec.json.encode(document) + b"\n")
        return
    console = Console(highlight=False, markup=False, emoji=False)
    if found is not None:
        print_found(console, found)
    else:
        print_tree(console, index, origin, row, max_depth=asked.depth, with_parameters=asked.parameters)
