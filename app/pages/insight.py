"""What a person should know about the selected module before anything else."""

from dataclasses import dataclass

from app.pages import filters
from app.pages.visible import clipped
from app.translation import gettext as _
from app.translation import ngettext
from app.trees.gradient import Reach
from app.trees.index import TreeIndex

MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Insight:
    """Something that a person should know about the selected module."""

    title: str
    text: str


def insight_of(index: TreeIndex, row: int) -> Insight | None:
    """Return what the tutorial's forward leaves out: the children, so that no gradient reaches them."""
    reach, children = Reach(index), list(index.children(row))
    if not reach(row):
        return Insight(
            _("No gradient reaches %(name)s: forward never calls it.", name=clipped(index.name[row], 40)),
            _("Its parameters keep their first values while the tree trains; their grad stays None."),
        )
    if children and not reach(children[0]):
        return Insight(
            ngettext(
                "No gradient reaches %(names)s: forward never calls it.",
                "No gradient reaches %(names)s: forward never calls them.",
                len(children),
                names=_named(index, children),
            ),
            _("y = x * weight + bias leaves children out: their parameters keep their values, their grad stays None."),
        )
    return None


def _named(index: TreeIndex, children: list[int]) -> str:
    names = ", ".join(clipped(index.name[child], 40) for child in children[:MOST_NAMED])
    more = len(children) - MOST_NAMED
    return _("%(names)s and %(num)s more", names=names, num=filters.exact(more)) if more > 0 else names
