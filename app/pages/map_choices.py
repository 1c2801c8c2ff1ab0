"""What a person can choose of the map: what its height is, what its colour says, and what it shows in large."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from app.pages.links import module_url, tree_url
from app.pages.map_amounts import Area
from app.pages.map_paints import Colour
from app.translation import N_
from app.translation import gettext as _

_AREAS = {Area.PARAMETERS: N_("Parameters"), Area.BYTES: N_("Bytes"), Area.FLOPS: "FLOPs"}
_COLOURS = {Colour.CLASS: N_("class"), Colour.DTYPE: "dtype", Colour.TRAINABLE: N_("trainable")}

_Choice = TypeVar("_Choice", Area, Colour)


@dataclass(frozen=True, slots=True)
class MapAsked:
    """What a request asks of the map; `zoom` is a row, 0 for none, and `tab` the inspector's, which links keep."""

    area: Area = Area.PARAMETERS
    colour: Colour = Colour.CLASS
    zoom: int = 0
    tab: str = ""

    @property
    def query(self) -> dict[str, str]:
        """The arguments of an address that asks for the same."""
        return {
            "tab": self.tab,
            "area": "" if self.area == Area.PARAMETERS else self.area,
            "colour": "" if self.colour == Colour.CLASS else self.colour,
            "zoom": str(self.zoom or ""),
        }


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several ways, and the page that shows it; `key` is its word in the address."""

    key: str
    label: str
    url: str
    is_chosen: bool


def asked_of(query: Mapping[str, str]) -> MapAsked:
    """Return what a query asks of the map; what it does not know is as if it was not there."""
    zoom = query.get("zoom", "")
    tab = query.get("tab", "")
    return MapAsked(
        area=_known(Area, query.get("area", ""), Area.PARAMETERS),
        colour=_known(Colour, query.get("colour", ""), Colour.CLASS),
        zoom=int(zoom) if zoom.isascii() and zoom.isdigit() and len(zoom) < 9 else 0,
        tab="" if tab == "overview" else tab,
    )


def _known(choices: type[_Choice], word: str, usual: _Choice) -> _Choice:
    return choices(word) if word in list(choices) else usual


def area_of(asked: MapAsked, *, has_trace: bool) -> Area:
    """Return what the height is: FLOPs only after a trace."""
    return Area.PARAMETERS if asked.area == Area.FLOPS and not has_trace else asked.area


def area_choices(asked: MapAsked, tree_id: str, target: str, row: int, shown: Area) -> tuple[Choice, ...]:
    """Return the ways to measure; that by FLOPs leads to the trace which it needs, until there is one."""
    return tuple(
        Choice(
            key=area,
            label=_(label),
            url=f"{tree_url(tree_id)}/trace"
            if area == Area.FLOPS and shown != Area.FLOPS
            else module_url(tree_id, target, row, **(asked.query | {"area": "" if area == Area.PARAMETERS else area})),
            is_chosen=area == shown,
        )
        for area, label in _AREAS.items()
    )


def colour_choices(asked: MapAsked, tree_id: str, target: str, row: int) -> tuple[Choice, ...]:
    """Return the ways to colour."""
    return tuple(
        Choice(
            key=colour,
            label=_(label),
            url=module_url(
                tree_id, target, row, **(asked.query | {"colour": "" if colour == Colour.CLASS else colour})
            ),
            is_chosen=colour == asked.colour,
        )
        for colour, label in _COLOURS.items()
    )
