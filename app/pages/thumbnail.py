"""A tree in small, as its card shows it: the icicle without links, words only where the tree is small."""

from dataclasses import dataclass

from app.pages import filters
from app.pages.icicle import Icicle, Panel, Place
from app.pages.map_amounts import Amounts, Area
from app.pages.map_paints import Colour, Paints
from app.pages.plot import px
from app.pages.visible import clipped
from app.storage.trees import OpenTree

NAME_FROM, COUNT_FROM = 12.0, 34.0
NAME_WIDTH = 30.0
CHAR_WIDTH = 6.7


@dataclass(frozen=True, slots=True)
class Cell:
    """A module as a rectangle; `label` and `count` where they fit."""

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


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """Cells in a drawing of `width` x `height`."""

    width: int
    height: int
    cells: tuple[Cell, ...]


def thumbnail(opened: OpenTree, width: int = 304, height: int = 92) -> Thumbnail:
    """Return the drawing of a tree."""
    index = opened.index
    icicle, paints = Icicle(index, Amounts(index, Area.PARAMETERS)), Paints(index, Colour.CLASS)
    places = icicle.places(0, Panel(width, height, is_labelled=False))
    cells = (_cell(opened, place, paints.of(place.row, is_own=icicle.is_own(place.row))[0]) for place in places)
    return Thumbnail(width, height, tuple(cells))


def _cell(opened: OpenTree, place: Place, fill: str) -> Cell:
    index, row, y, height = opened.index, place.row, place.y, place.height
    width = place.width - 1
    has_room = width >= NAME_WIDTH and height >= NAME_FROM
    name = f"{place.times} ×" if place.count > 1 else clipped(index.name[row] if row else opened.record.name, 200)
    has_count = has_room and height >= COUNT_FROM and place.times == 1
    return Cell(
        x=px(place.x),
        y=px(y),
        width=px(max(width, 0.5)),
        height=px(max(height - (1 if height > 3 else 0), 0.4)),
        fill=fill,
        label=fitted(name, width - 8) if has_room else "",
        count=filters.count(int(index.totals.num_parameters[row])) if has_count else "",
        label_y=px(y + (14 if height >= 20 else height / 2 + 3.5)),
        count_y=px(y + 28),
        text_x=px(place.x + 6),
    )


def fitted(text: str, width: float) -> str:
    """Return as much of a text in 11 px as a width holds, with "…" where it is cut."""
    most = max(int(width / CHAR_WIDTH), 1)
    return text if len(text) <= most else f"{text[: max(most - 1, 1)]}…"
