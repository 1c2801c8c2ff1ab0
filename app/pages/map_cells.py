"""The cells of the map: where each is, what is written in it, and where it leads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.pages import filters
from app.pages.icicle import Icicle, Panel, Place
from app.pages.links import module_url
from app.pages.map_amounts import Area
from app.pages.map_choices import MapAsked
from app.pages.map_paints import Paints
from app.pages.plot import px
from app.pages.thumbnail import CHAR_WIDTH, fitted
from app.pages.visible import clipped
from app.storage.trees import OpenTree
from app.translation import gettext as _
from app.translation import ngettext

NAME_FROM, COUNT_FROM, EXTRA_FROM, PLAIN_FROM = 12, 30, 50, 60
NAME_WIDTH = 30


@dataclass(frozen=True, slots=True)
class Word:
    """A text in a cell, `dy` pixels below its upper edge, or in the middle of it, turned, where that is ""."""

    kind: str
    text: str
    dy: str


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, in percent of its panel."""

    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A module as a rectangle, its middle at `center` and `middle`; `title` says all of it.

    `chosen` is "on" for the selection, and "in" for the siblings it is drawn with, or the nearest module above it.
    """

    box: Box
    center: str
    middle: str
    fill: str
    words: tuple[Word, ...]
    title: str
    url: str
    chosen: str


class Cells:
    """Makes the cells of a tree from their places."""

    def __init__(self, opened: OpenTree, selected: int, asked: MapAsked, icicle: Icicle) -> None:
        self.index, self.record = opened.index, opened.record
        self.selected = selected
        self.asked = asked
        self.icicle = icicle
        self.area = icicle.amounts.area
        self.paints = Paints(self.index, asked.colour)

    def of(self, places: Sequence[Place], panel: Panel) -> tuple[Cell, ...]:
        """Return a cell for each place."""
        on = self.standing(places, self.selected)
        return tuple(self._cell(place, panel, self._chosen(place) if place is on else "") for place in places)

    def standing(self, places: Sequence[Place], row: int) -> Place | None:
        """Return the place of a module, that of the siblings it is drawn with, or that of the nearest one above."""
        around = [each for each in places if each.row <= row < each.row + each.count * self.size(each)]
        return max(around, key=lambda each: each.level, default=None)

    def size(self, place: Place) -> int:
        """Return how many rows one of the modules of a place has."""
        return self.index.end[place.row] - place.row

    def url(self, row: int, **changed: str) -> str:
        """Return the page with a module selected, and the map as it is but for what is changed."""
        return module_url(self.record.id, self.index.path(row), row, **(self.asked.query | changed))

    def amount(self, amount: int) -> str:
        """Return an amount in short."""
        return filters.num_bytes(amount) if self.area == Area.BYTES else filters.count(amount)

    def _chosen(self, place: Place) -> str:
        return "on" if place.count == 1 and place.row == self.selected else "in"

    def _cell(self, place: Place, panel: Panel, chosen: str) -> Cell:
        index, row = self.index, place.row
        fill, word = self.paints.of(row, is_own=self.icicle.is_own(row))
        name = clipped(index.name[row] if row else self.record.name, 80)
        times = _("%(num)s ×", num=filters.exact(place.times)) if place.times > 1 else ""
        label = times if place.count > 1 else f"{times} {name}".strip()
        return Cell(
            box=box_of(place.x, place.y, place.width, place.height, panel),
            center=part((place.x + place.width / 2) / panel.width),
            middle=part((place.y + place.height / 2) / panel.height),
            fill=fill,
            words=tuple(self._words(place, panel, label)),
            title=", ".join(part for part in (f"{times} {name}".strip(), word, self._exact(place.amount)) if part),
            url=self.url(row),
            chosen=chosen,
        )

    def _exact(self, amount: int) -> str:
        if self.area == Area.BYTES:
            return _("%(num)s bytes", num=filters.exact(amount))
        if self.area == Area.FLOPS:
            return _("%(num)s FLOPs", num=filters.exact(amount))
        return ngettext("%(num)s parameter", "%(num)s parameters", amount, num=filters.exact(amount))

    def _words(self, place: Place, panel: Panel, name: str) -> Iterator[Word]:
        width, height = place.width - 1, place.height
        if not panel.is_labelled:
            if height > PLAIN_FROM and width >= NAME_WIDTH:
                yield Word("count", fitted(name, width - 6), px(height / 2 + 4))
        elif width < NAME_WIDTH:
            if width > 11 and height > 7 * len(name) + 6:
                yield Word("name", name, "")
        elif height >= NAME_FROM:
            yield Word("name", fitted(name, width - 9), "14" if height >= 20 else px(height / 2 + 3.5))
            amount = self.amount(place.amount)
            if height >= COUNT_FROM and len(amount) * CHAR_WIDTH <= width - 9:
                yield Word("count", amount, "27")
            extra = self.index.extra_repr.get(place.row, "").partition("\n")[0]
            if height >= EXTRA_FROM and extra:
                yield Word("extra", fitted(clipped(extra, 200), width - 9), "41")


def box_of(x: float, y: float, width: float, height: float, panel: Panel) -> Box:
    """Return a rectangle of a panel."""
    across, down = panel.width, panel.height
    return Box(part(x / across), part(y / down), part(width / across), part(height / down))


def part(of_one: float) -> str:
    """Return a part of one in percent."""
    return f"{100 * of_one:.3f}".rstrip("0").rstrip(".") + "%"
