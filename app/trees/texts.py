"""What `print(module)` shows, at any depth."""

from collections.abc import Iterator

from torch import nn

from app.errors import CannotDo, TooLarge
from app.translation import said
from app.trees.index import TreeIndex, printed_class

MAX_CHARS = 64_000_000


def repr_of(index: TreeIndex, row: int = 0) -> str:
    """Return `repr(module)` of the module at a row, without torch's recursion (which ends at depth 333).

    Of a tree that is known by its structure only it is what torch's own `__repr__` shows.
    A live class with a `__repr__` of its own is asked for it; raises `CannotDo` where that one recurses too deep.
    Raises `TooLarge` past 64 million characters: the indents of a deep chain are quadratic in its depth.
    """
    parts, chars = [], 0
    for text, depth in _parts(index.modules[row]) if index.is_live else _described_parts(index, row):
        chars += len(text) + 2 * depth * text.count("\n")
        if chars > MAX_CHARS:
            raise TooLarge(
                said(
                    "The text of %(path)r has more than %(max_chars)s characters, most of them indents: ask for a "
                    "target further down.",
                    path=index.path(row)[:80],
                    max_chars=f"{MAX_CHARS:,}",
                ),
                MAX_CHARS,
            )
        parts.append(_indented(text, depth))
    return "".join(parts)


def _parts(top: nn.Module) -> Iterator[tuple[str, int]]:
    # Yields stretches of text, each with the depth that it is to be indented by. What is to come is a stack of such
    # stretches and of modules yet to print.
    todo: list[tuple[str | nn.Module, int]] = [(top, 0)]
    while todo:
        item, depth = todo.pop()
        if isinstance(item, str):
            yield item, depth
        elif type(item).__repr__ is not nn.Module.__repr__:
            yield _own_repr(item), depth
        else:
            extra = item.extra_repr()
            lines = extra.split("\n") if extra else []
            if len(lines) > 1 or item._modules:
                yield "".join([f"{printed_class(item)}(", *[f"\n  {line}" for line in lines]]), depth
                todo.append(("\n)", depth))
                for name, child in reversed(item._modules.items()):
                    todo.append(("None" if child is None else child, depth + 1))
                    todo.append((f"\n  ({name}): ", depth))
            else:
                yield f"{printed_class(item)}({extra})", depth


def _described_parts(index: TreeIndex, top: int) -> Iterator[tuple[str, int]]:
    todo: list[tuple[str | int, int]] = [(top, 0)]
    while todo:
        item, depth = todo.pop()
        if isinstance(item, str):
            yield item, depth
            continue
        shown, extra = index.classes[index.class_id[item]].shown, index.extra_repr.get(item, "")
        lines, children = extra.split("\n") if extra else [], list(index.printed_children(item))
        if len(lines) > 1 or children:
            yield "".join([f"{shown}(", *[f"\n  {line}" for line in lines]]), depth
            todo.append(("\n)", depth))
            for name, child in reversed(children):
                todo.append(("None" if child is None else child, depth + 1))
                todo.append((f"\n  ({name}): ", depth))
        else:
            yield f"{shown}({extra})", depth


def _own_repr(module: nn.Module) -> str:
    try:
        return repr(module)
    except RecursionError as error:
        raise CannotDo(
            said("A %(class_name)s prints itself, and is nested too deep for that.", class_name=type(module).__name__)
        ) from error


def _indented(text: str, depth: int) -> str:
    # As torch: every line but the first of a child's text, whatever holds the line break; blank ones are emptied.
    if depth == 0 or "\n" not in text:
        return text
    first, *rest = text.split("\n")
    indent = "  " * depth
    return "\n".join([first, *[indent + line if line.strip() else "" for line in rest]])
