"""The map of a tree: the whole of it at the left, the nearest block that repeats in large at the right.

Lengths are parts of the drawing, whose size the page decides; static/js/module_map.js draws the same in its place.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np

from app.pages import filters
from app.pages.icicle import Icicle, Panel, Place, block_of
from app.pages.links import tree_url, with_query
from app.pages.map_amounts import Amounts, Area
from app.pages.map_cells import Box, Cell, Cells, box_of, part
from app.pages.map_choices import Choice, MapAsked, area_choices, area_of, colour_choices
from app.pages.map_legend import Legend, legend
from app.pages.visible import clipped
from app.storage.trees import OpenTree
from app.translation import gettext as _
from app.trees.index import TreeIndex
from app.trees.trace import Trace

# What is drawn is decided for a pane of this size: near to that of a window of 1440 x 900.
WIDTH, HEIGHT = 380.0, 600.0
WHOLE, PART = 0.337, 0.57
ALONE = Panel(WIDTH, HEIGHT, is_labelled=True)
LEFT = Panel(WHOLE * WIDTH, HEIGHT, is_labelled=False)
RIGHT = Panel(PART * WIDTH, HEIGHT, is_labelled=True)
MOST_CRUMBS = 4


@dataclass(frozen=True, slots=True)
class Crumb:
    """A module above the one in large, and where the map shows that one so."""

    name: str
    row: int
    url: str


@dataclass(frozen=True, slots=True)
class MapPanel:
    """The whole tree, or a part of it; `crumbs` lead to the part, from the root's children on."""

    x: str
    width: str
    cells: tuple[Cell, ...]
    name: str
    crumbs: tuple[Crumb, ...]
    amount: str


@dataclass(frozen=True, slots=True)
class Wedge:
    """What joins a block in the left panel, its `frame` in percent of that, to the right one."""

    path: str
    frame: Box


@dataclass(frozen=True, slots=True)
class TreeMap:
    """The map, its choices and its legend.

    `shared` says what has no height where it stands again, unless the height is FLOPs: those are by call. `trace_url`
    is where they are had.
    """

    panels: tuple[MapPanel, ...]
    wedge: Wedge | None
    empty: str
    said: str
    caption: str
    shared: str
    is_by_call: bool
    areas: tuple[Choice, ...]
    colours: tuple[Choice, ...]
    legend: Legend
    shapes_url: str
    whole_url: str
    trace_url: str
    trace_page_url: str


def tree_map(opened: OpenTree, selected: int, asked: MapAsked, trace: Trace | None = None) -> TreeMap:
    """Return the map of a tree as its page shows it, each cell a link."""
    return _Drawing(opened, selected, asked, trace).map()


class _Drawing:
    def __init__(self, opened: OpenTree, selected: int, asked: MapAsked, trace: Trace | None) -> None:
        self.index, self.record = opened.index, opened.record
        self.selected = selected
        self.asked = asked
        self.trace = trace
        self.area = area_of(asked, has_trace=trace is not None)
        self.amounts = Amounts(self.index, self.area, trace)
        self.icicle = Icicle(self.index, self.amounts)
        self.cells = Cells(opened, selected, asked, self.icicle)

    def map(self) -> TreeMap:
        index, record = self.index, self.record
        whole = self.icicle.places(0, LEFT)
        zoom = self.asked.zoom if self.asked.zoom < len(index) else 0
        block = zoom or block_of(index, self.selected, whole)
        panels = self._both(whole, block) if block else (self._alone(),)
        here = index.path(self.selected)
        return TreeMap(
            panels=panels,
            wedge=self._wedge(whole, block) if block else None,
            empty="" if panels[-1].cells else self._empty(block),
            said=self._said(),
            caption=self._caption(),
            shared=shared_of(index),
            is_by_call=self.area == Area.FLOPS,
            areas=area_choices(self.asked, record.id, here, self.selected, self.area),
            colours=colour_choices(self.asked, record.id, here, self.selected),
            legend=legend(index, self.amounts, self.cells.paints, record.id),
            shapes_url=f"{tree_url(record.id)}/shapes",
            whole_url=self.cells.url(self.selected, zoom="") if zoom else "",
            trace_url=_trace_url(record.id, self.trace),
            trace_page_url=f"{tree_url(record.id)}/trace",
        )

    def _alone(self) -> MapPanel:
        return MapPanel("0", "100%", self.cells.of(self.icicle.places(0, ALONE), ALONE), "", (), "")

    def _both(self, whole: list[Place], block: int) -> tuple[MapPanel, ...]:
        index = self.index
        total, amount = self.amounts.between(0, len(index)), self.amounts.between(block, index.end[block])
        crumbs = tuple(self._crumbs(block))
        cells = self.cells.of(self.icicle.places(block, RIGHT), RIGHT)
        name = clipped(self.record.name, 40)
        return (
            MapPanel("0", part(WHOLE), self.cells.of(whole, LEFT), name, (), self._with_unit(total)),
            MapPanel(part(1 - PART), part(PART), cells, "", crumbs, filters.percent(amount, total) or filters.DASH),
        )

    def _with_unit(self, amount: int) -> str:
        short = self.cells.amount(amount)
        return _("%(num)s FLOPs", num=short) if self.area == Area.FLOPS else short

    def _crumbs(self, block: int) -> Iterator[Crumb]:
        index, rows = self.index, [block]
        while index.parent[rows[-1]] > 0:
            rows.append(index.parent[rows[-1]])
        for row in reversed(rows[:MOST_CRUMBS]):
            yield Crumb(clipped(index.name[row], 40), row, self.cells.url(self.selected, zoom=str(row)))

    def _empty(self, block: int) -> str:
        if block and self.amounts.between(0, len(self.index)):
            return _("All that this module holds has its height where it stands first, or it has none.")
        return _("Nothing in this tree has a height: it holds no parameters.")

    def _said(self) -> str:
        shown = {
            Area.PARAMETERS: _("The tree as a map: the height of each module is its parameters."),
            Area.BYTES: _("The tree as a map: the height of each module is its bytes."),
            Area.FLOPS: _("The tree as a map: the height of each module is its FLOPs."),
        }
        return shown[self.area]

    def _caption(self) -> str:
        shown = {
            Area.PARAMETERS: _("Down in tree order, right in depth, height is parameters."),
            Area.BYTES: _("Down in tree order, right in depth, height is bytes."),
            Area.FLOPS: _("Down in tree order, right in depth, height is FLOPs."),
        }
        return shown[self.area]

    def _wedge(self, whole: list[Place], block: int) -> Wedge | None:
        """Where the left panel has the block, or the innermost place that it is in, to the right panel's height."""
        place = self.cells.standing(whole, block)
        if place is None or not self.amounts.between(block, self.index.end[block]):
            return None
        at, inside = divmod(block - place.row, self.cells.size(place))
        height = place.height if inside else place.height / place.count
        y = place.y if inside else place.y + at * height
        top, bottom = (f"{100 * each / HEIGHT:.2f}" for each in (y, y + height))
        path = f"M0 {top}C50 {top} 50 0 100 0L100 100C50 100 50 {bottom} 0 {bottom}Z"
        return Wedge(path, box_of(place.x, y, LEFT.width - place.x, height, LEFT))


def shared_of(index: TreeIndex) -> str:
    """Return which tensors have no height where they stand again, "" where there are none."""
    columns = index.parameters
    tied = np.flatnonzero(columns.first != np.arange(len(columns)))
    if not len(tied):
        return ""
    owners = dict.fromkeys(columns.owner[entry] for entry in tied.tolist())
    names = ", ".join(clipped(index.path(row), 40) or _("the root") for row in islice(owners, 2))
    if len(owners) > 2:
        more = filters.exact(len(owners) - 2)
        return _(
            "A tensor that is tied or shared has height at its first place only, not in %(names)s and %(more)s more.",
            names=names,
            more=more,
        )
    return _("A tensor that is tied or shared has height at its first place only, not in %(names)s.", names=names)


def _trace_url(tree_id: str, trace: Trace | None) -> str:
    given: Mapping[str, str] = {"input": "; ".join(map(str, trace.given))} if trace is not None else {}
    return with_query(f"/trees/{tree_id}/trace", **given)
