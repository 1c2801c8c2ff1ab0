"""The tree at the left of the page: whole while it is small, else the selection, its ancestors and their neighbours."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from app.pages import filters
from app.pages.gradient import Reach
from app.pages.hues import hues
from app.pages.links import module_url
from app.pages.marks import Badge, Share, buffer_badge, lone_value, shape_text, share_of, swatch_of
from app.pages.visible import clipped
from app.trees.index import TreeIndex
from app.trees.tensor_values import values_of
from app.trees.tensors import TensorColumns

WHOLE_ROWS = 300
WHOLE_DEPTH = 24
TENSOR_MODULES = 12
MOST_TENSORS = 12
MOST_LEVELS = 14
MOST_NEAR = 10
PAGE = 200
EXAMPLE_DEPTH = 6


@dataclass(frozen=True, slots=True)
class TensorLine:
    """A parameter or buffer of a module, one level below its row."""

    name: str
    about: str
    value: str
    badges: tuple[Badge, ...]
    share: Share


@dataclass(frozen=True, slots=True)
class ModuleLine:
    """A module's row, and the rows below it."""

    is_more: ClassVar[bool] = False

    name: str
    url: str
    class_name: str
    swatch: str
    extra_repr: str
    badges: tuple[Badge, ...]
    share: Share
    is_selected: bool
    is_ancestor: bool
    has_children: bool
    tensors: tuple[TensorLine, ...]
    items: "tuple[Line, ...]"


@dataclass(frozen=True, slots=True)
class MoreLine:
    """Modules that are there and not listed, and where they are."""

    is_more: ClassVar[bool] = True

    text: str
    url: str


Line: TypeAlias = ModuleLine | MoreLine


@dataclass(frozen=True, slots=True)
class TreeView:
    """The rows from the root on, and what stands under them."""

    root: ModuleLine
    is_whole: bool
    with_values: bool
    num_modules: int
    no_grad: str
    example: str


def tree_view(index: TreeIndex, tree_id: str, root_name: str, selected: int, start: int = 0) -> TreeView:
    """Return the rows to show: all of a small tree, else at most some 340, about the row `selected`.

    Of the selection's children those from `start` on are listed, 200 at a time; a leaf's siblings stand in for them.
    """
    builder = _Builder(index, tree_id, root_name, selected)
    is_whole = len(index) <= WHOLE_ROWS and max(index.depth) <= WHOLE_DEPTH
    listed = builder.everything() if is_whole else builder.window(start)
    return TreeView(
        root=builder.line(listed),
        is_whole=is_whole,
        with_values=builder.all_tensors,
        num_modules=int(index.totals.num_modules[0]),
        no_grad=_no_grad(index),
        example=clipped(index.path(index.end[0] - 1), 30) if index.depth[-1] < EXAMPLE_DEPTH else "sub1.sub1",
    )


_More: TypeAlias = tuple[str, str]
_Listed: TypeAlias = dict[int, list["int | _More"]]


class _Builder:
    def __init__(self, index: TreeIndex, tree_id: str, root_name: str, selected: int) -> None:
        self.index = index
        self.tree_id = tree_id
        self.root_name = root_name
        self.selected = selected
        self.all_tensors = len(index) <= TENSOR_MODULES
        self.trail = _trail(index, selected)
        self.ancestors = frozenset(self.trail[:-1])
        self.hues = hues(cls.name for cls in index.classes)
        self.reach = Reach(index)
        self.num_parameters = int(index.totals.num_parameters[0])

    def everything(self) -> _Listed:
        return {row: list(self.index.children(row)) for row in range(len(self.index))}

    def window(self, start: int) -> _Listed:
        listed: _Listed = {}
        leaf = self.index.end[self.selected] == self.selected + 1 and self.selected > 0
        shown = self.trail[:-1] if leaf else self.trail
        for above, row in zip(self.trail, self.trail[1:], strict=False):
            listed[above] = self._near(above, row)
        here = shown[-1]
        children = list(self.index.children(here))
        if leaf and not start:
            start = children.index(self.selected) // PAGE * PAGE
        listed[here] = self._page(here, children, start)
        if len(shown) > MOST_LEVELS:
            self._fold(listed, shown)
        return listed

    def _near(self, above: int, row: int) -> list["int | _More"]:
        children = list(self.index.children(above))
        if len(children) <= MOST_NEAR:
            return [*children]
        at = children.index(row)
        first = max(0, min(at - MOST_NEAR // 2, len(children) - MOST_NEAR))
        return self._cut(above, children, first, MOST_NEAR, (first - PAGE) if first > PAGE else 0)

    def _page(self, above: int, children: list[int], start: int) -> list["int | _More"]:
        first = min(max(start, 0), max(len(children) - 1, 0))
        return self._cut(above, children, first, PAGE, max(0, first - PAGE))

    def _cut(self, above: int, children: list[int], first: int, size: int, back: int) -> list["int | _More"]:
        items: list[int | _More] = [*children[first : first + size]]
        rest = len(children) - first - size
        if first > 0:
            step = f", show {min(first, PAGE)}" if first > PAGE else ""
            items.insert(0, (f"{filters.exact(first)} before{step}", self._url(above, back)))
        if rest > 0:
            items.append((f"{filters.exact(rest)} more, next {min(rest, PAGE)}", self._url(above, first + size)))
        return items

    def _fold(self, listed: _Listed, shown: list[int]) -> None:
        # Of a long way down, the root and the last levels stand; what is between is one line.
        for row in shown[1 : -(MOST_LEVELS - 2)]:
            listed.pop(row, None)
        first = shown[-(MOST_LEVELS - 2)]
        between = len(shown) - 1 - (MOST_LEVELS - 2)
        text = f"{filters.exact(between)} levels between"
        listed[0] = [(text, self._url(shown[len(shown) // 2])), first]

    def _url(self, row: int, start: int = 0) -> str:
        query = {"from": str(start)} if start else {}
        return module_url(self.tree_id, self.index.path(row), row, **query)

    def line(self, listed: _Listed) -> ModuleLine:
        """Return the root's line, the lines of its subtree built from the last row to the first."""
        rows = sorted({0, *(item for items in listed.values() for item in items if isinstance(item, int))})
        paths = dict(zip(rows, self.index.paths(rows), strict=True))
        lines: dict[int, ModuleLine] = {}
        for row in reversed(rows):
            items = tuple(
                MoreLine(*item) if isinstance(item, tuple) else lines.pop(item) for item in listed.get(row, ())
            )
            lines[row] = self._module(row, paths[row], items)
        return lines[0]

    def _module(self, row: int, path: str, items: tuple[Line, ...]) -> ModuleLine:
        index = self.index
        class_name = index.classes[index.class_id[row]].name
        count = int(index.totals.num_parameters[row])
        return ModuleLine(
            name=index.name[row] if row else self.root_name,
            url=module_url(self.tree_id, path, row),
            class_name=class_name,
            swatch=swatch_of(class_name, self.hues, count),
            extra_repr=index.extra_repr.get(row, ""),
            badges=tuple(self._badges(row)),
            share=share_of(count, self.num_parameters),
            is_selected=row == self.selected,
            is_ancestor=row in self.ancestors,
            has_children=index.end[row] > row + 1,
            tensors=tuple(self._tensors(row)) if self.all_tensors or row == self.selected else (),
            items=items,
        )

    def _badges(self, row: int) -> Iterator[Badge]:
        index, totals = self.index, self.index.totals
        if (first := int(index.first[row])) != row:
            yield Badge("link-2", "shared", f"the same module as {index.path(first) or 'the root'}")
        if totals.num_parameters[row] and not totals.num_trainable[row]:
            yield Badge("snowflake", "frozen", "no parameter below requires a gradient")
        if index.buffers.start[row + 1] > index.buffers.start[row] and not self.all_tensors:
            number = len(index.own(index.buffers, row))
            yield Badge("database", f"{number} {filters.plural(number, 'buffer', 'buffers')}")
        if not index.training[row]:
            yield Badge("moon", "eval", "in evaluation mode")
        if not self.reach(row) and (self.all_tensors or self.reach(index.parent[row])):
            yield Badge("unplug", "no grad", "forward never calls it, so its gradients stay None", "bad")

    def _tensors(self, row: int) -> Iterator[TensorLine]:
        for columns, is_buffer in ((self.index.parameters, False), (self.index.buffers, True)):
            entries = self.index.own(columns, row)[:MOST_TENSORS]
            values = values_of([columns.tensor[entry] for entry in entries]) if entries else []
            for entry, value in zip(entries, values, strict=True):
                yield self._tensor(columns, entry, is_buffer, value)

    def _tensor(self, columns: TensorColumns, entry: int, is_buffer: bool, value: object) -> TensorLine:
        kind = self.index.kinds.all[columns.kind[entry]]
        badges = []
        if is_buffer:
            badges.append(buffer_badge(bool(columns.flag[entry])))
        elif not columns.flag[entry]:
            badges.append(Badge("snowflake", "frozen", "requires no gradient"))
        if int(columns.first[entry]) != entry:
            badges.append(Badge("link-2", "tied", "the same tensor as one before"))
        return TensorLine(
            name=columns.name[entry],
            about=f"{shape_text(kind.shape)} {kind.dtype_name}",
            value=lone_value(value),
            badges=tuple(badges),
            share=share_of(0 if is_buffer else kind.numel, self.num_parameters),
        )


def _trail(index: TreeIndex, row: int) -> list[int]:
    trail = [row]
    while trail[-1]:
        trail.append(index.parent[trail[-1]])
    return trail[::-1]


def _no_grad(index: TreeIndex) -> str:
    if len(index) == 1 or Reach(index)(1):
        return ""
    own = sum(index.kinds.all[index.parameters.kind[entry]].numel for entry in index.own(index.parameters, 0))
    count = int(index.totals.num_parameters[0])
    return f"{filters.exact(count - own)} of {filters.exact(count)} parameters receive no gradient"
