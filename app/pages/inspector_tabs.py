"""The tabs of the inspector, each with how many things it holds."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.pages import filters
from app.pages.links import module_url
from app.translation import N_
from app.translation import gettext as _

LABELS = {
    "overview": N_("Overview"),
    "parameters": N_("Parameters"),
    "buffers": N_("Buffers"),
    "children": N_("Children"),
    "compare": N_("Compare"),
    "trace": N_("Trace"),
    "runs": N_("Runs"),
    "repr": "repr",
    "change": N_("Change"),
}
TABS = tuple(LABELS)
# Where there is no room for all, these stand in a menu: "first" on most screens, "last" on a phone only.
GIVE_WAY = {"children": "last", "trace": "first", "runs": "first", "repr": "first", "change": "first"}


@dataclass(frozen=True, slots=True)
class Tab:
    """One of the inspector's tabs."""

    key: str
    label: str
    url: str
    number: str
    gives_way: str


def tabs(tree_id: str, target: str, row: int, numbers: Mapping[str, int]) -> tuple[Tab, ...]:
    """Return the tabs of a module; that to compare is there only where `numbers` has how many are selected."""
    return tuple(
        Tab(
            key,
            label if key == "repr" else _(label),
            module_url(tree_id, target, row, tab="" if key == "overview" else key),
            filters.exact(numbers[key]) if key in numbers else "",
            GIVE_WAY.get(key, ""),
        )
        for key, label in LABELS.items()
        if key != "compare" or key in numbers
    )
