"""The map of a tree: an icicle, in pre-order down and in depth to the right, the height of a cell its parameters."""

from dataclasses import dataclass

import numpy as np

from app.pages import filters
from app.pages.hues import CONTAINERS, hues
from app.pages.links import module_url
from app.pages.visible import clipped
from app.storage.trees import OpenTree
from app.trees.index import TreeIndex
from app.trees.tensors import Ints

LEAST_HEIGHT = 0.5
LEAST_WIDTH = 6.0
FOLDED_UNDER = 4.5
MOST_CELLS = 300
NAME_FROM, COUNT_FROM = 12.0, 34.0
NAME_WIDTH = 30.0
CHAR_WIDTH = 6.7


@dataclass(frozen=True, slots=True)
class Cell:
    """A module as a rectangle; `label` and `count` where they fit, `title` always."""

    x: str
    y: str
    width: str
    height: str
    fill: str
    label: str
    count: str
    label_y: str
    count_y: str
    text_x: str
    title: str
    url: str
    is_selected: bool


@dataclass(frozen=True, slots=True)
class TreeMap:
    """Cells in a drawing of `width` x `height`."""

    width: int
    height: int
    cells: tuple[Cell, ...]
    said: str
    caption: str


def tree_map(opened: OpenTree, selected: int) -> TreeMap:
    """Return the map of a tree as its page shows it, each cell a link."""
    record = opened.record
    drawing = _Drawing(opened.index, record.name, 380, 324, record.id, selected)
    return drawing.map()


def thumbnail(opened: OpenTree, width: int = 304, height: int = 92) -> TreeMap:
    """Return the map in small, without links; labels only where the tree is small."""
    return _Drawing(opened.index, opened.record.name, width, height, "", -1).map()


@dataclass(slots=True)
class _Place:
    row: int
    top: float
    height: float
    times: int
    siblings: int = 1
    is_last: bool = True


class _Drawing:
    def __init__(self, index: TreeIndex, root_name: str, width: int, height: int, tree_id: str, selected: int) -> None:
        self.index = index
        self.root_name = root_name
        self.width = width
        self.height = height
        self.tree_id = tree_id
        self.selected = selected
        self.amount = _at_first_places(index)
        self.slots = hues(cls.name for cls in index.classes)
        self.scale = height / max(int(self.amount[0]), 1)
        self.places = self._shown()
        levels = max(index.depth[place.row] for place in self.places) + 1
        self.step = width / levels

    def map(self) -> TreeMap:
        on = self._selected_place()
        cells = tuple(self._cell(place, place.row == on) for place in self.places)
        said = f"The tree as a map: {filters.exact(len(self.index))} modules, the height of each its parameters."
        return TreeMap(self.width, self.height, cells, said, self._caption())

    def _caption(self) -> str:
        columns = self.index.parameters
        tied = np.flatnonzero(columns.first != np.arange(len(columns)))
        if not len(tied):
            return ""
        names = [clipped(self.index.path(columns.owner[entry]), 40) or "the root" for entry in tied[:2].tolist()]
        more = f" and {filters.exact(len(tied) - 2)} more" if len(tied) > 2 else ""
        return f"A tensor that is tied or shared has height at its first place only, not in {', '.join(names)}{more}."

    def _selected_place(self) -> int:
        """The row of the selection, or of the nearest module above it that is drawn."""
        drawn = {place.row for place in self.places if place.siblings == 1}
        row = self.selected
        while row > 0 and row not in drawn:
            row = self.index.parent[row]
        return row

    def _shown(self) -> list[_Place]:
        """Places level by level from the root; what is too low to see is left to its parent."""
        shown = [_Place(0, 0.0, float(self.height), 1)]
        for place in shown:
            if self.index.depth[place.row] < self.width / LEAST_WIDTH - 1:
                below = self._below(place)
                y = place.top + place.height - sum(child.height for child in below)
                for child in below:
                    child.top = y
                    y += child.height
                drawn = [child for child in below if child.height >= LEAST_HEIGHT]
                if len(shown) + len(drawn) <= MOST_CELLS:
                    shown.extend(drawn)
                    place.is_last = not drawn
        return shown

    def _below(self, place: _Place) -> list[_Place]:
        scale = self.scale * place.times
        below = [
            _Place(child, 0.0, scale * float(self.amount[child]), place.times)
            for child in self.index.children(place.row)
            if self.amount[child]
        ]
        heights = {child.height for child in below}
        if len(below) > 1 and len(heights) == 1 and heights.pop() < FOLDED_UNDER:
            # Equal siblings too low to tell apart are one cell of their total height.
            first = below[0]
            return [_Place(first.row, 0.0, first.height * len(below), first.times * len(below), len(below))]
        return below

    def _cell(self, place: _Place, is_selected: bool) -> Cell:
        row, y, height = place.row, place.top, place.height
        index = self.index
        x = index.depth[row] * self.step
        width = (self.width - x if place.is_last else self.step) - 1
        name = index.name[row] if row else self.root_name
        count = int(self.index.totals.num_parameters[row])
        has_room = width >= NAME_WIDTH and height >= NAME_FROM
        times = f"{place.siblings} × " if place.siblings > 1 else ""
        label = (times.strip() if times else _fitting(clipped(name, 200), width)) if has_room else ""
        return Cell(
            x=_px(x),
            y=_px(y),
            width=_px(max(width, 0.5)),
            height=_px(max(height - (1 if height > 3 else 0), 0.4)),
            fill=self._fill(row),
            label=label,
            count=filters.count(count) if has_room and height >= COUNT_FROM and not times else "",
            label_y=_px(y + (14 if height >= 20 else height / 2 + 3.5)),
            count_y=_px(y + 28),
            text_x=_px(x + 6),
            title=f"{times}{clipped(name, 80)}, {filters.exact(count)} parameters",
            url=module_url(self.tree_id, index.path(row), row) if self.tree_id else "",
            is_selected=is_selected,
        )

    def _fill(self, row: int) -> str:
        class_name = self.index.classes[self.index.class_id[row]].name
        if not class_name or class_name in CONTAINERS:
            return "cell-box"
        start, stop = self.index.parameters.start[row], self.index.parameters.start[row + 1]
        hold = "" if stop > start else " cell-hold"
        return f"h{self.slots[class_name]}{hold}"


def _at_first_places(index: TreeIndex) -> Ints:
    """Return the elements of the parameters that are first met in each subtree: those of children never exceed it."""
    columns = index.parameters
    numel = np.array([kind.numel for kind in index.kinds.all], np.int64)[np.frombuffer(columns.kind, np.int64)]
    before = np.concatenate(([0], np.cumsum(np.where(columns.first == np.arange(len(columns)), numel, 0))))
    start, end = np.frombuffer(columns.start, np.int64), np.frombuffer(index.end, np.int64)
    amount: Ints = before[start[end]] - before[start[:-1]]
    return amount


def _fitting(text: str, width: float) -> str:
    most = max(int((width - 8) / CHAR_WIDTH), 1)
    return text if len(text) <= most else f"{text[: max(most - 1, 1)]}…"


def _px(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
