"""The head of the inspector: where the module is, what it is called, and what is done to it with one button."""

from dataclasses import dataclass

from app.pages.filters import noted
from app.pages.forms import Form
from app.pages.hues import hues
from app.pages.links import module_url, with_query
from app.pages.look import Look
from app.pages.marks import Badge, class_badges, swatch_of
from app.pages.module_forms import ModuleForms
from app.pages.visible import clipped
from app.storage.trees import OpenTree
from app.translation import gettext as _

MOST_ABOVE = 8


@dataclass(frozen=True, slots=True)
class HeadLink:
    """A module that the head leads to."""

    row: int
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Made:
    """What the last form did, as long as nothing else was done, and where it is undone."""

    said: str
    undo_url: str


@dataclass(frozen=True, slots=True)
class InspectorHead:
    """A module as the inspector's heading; `above` are its ancestors below the root, the nearest last.

    `before` and `after` are its neighbours in pre-order. `quick` are forms of one button, `more` those in the menu.
    """

    name: str
    above: tuple[HeadLink, ...]
    is_cut: bool
    is_root: bool
    class_name: str
    class_badges: tuple[Badge, ...]
    swatch: str
    link: str
    before: HeadLink | None
    after: HeadLink | None
    quick: tuple[Form, ...]
    more: tuple[Form, ...]
    made: Made | None


def inspector_head(opened: OpenTree, row: int, target: str, look: Look, forms: ModuleForms) -> InspectorHead:
    """Return the head of the module at a row."""
    index, tree_id = opened.index, opened.record.id
    cls = index.classes[index.class_id[row]]
    quick = forms.quick_forms()
    above, is_cut = _above(opened, row)
    return InspectorHead(
        name=index.name[row] if row else opened.record.name,
        above=above,
        is_cut=is_cut,
        is_root=row == 0,
        class_name=cls.shown,
        class_badges=class_badges(cls.status),
        swatch=swatch_of(cls.name, hues(one.name for one in index.classes), int(index.totals.num_parameters[row])),
        link=f"{look.origin}{module_url(tree_id, target, row)}",
        before=_link(opened, row - 1) if row else None,
        after=_link(opened, row + 1) if row + 1 < len(index) else None,
        quick=quick[:1],
        more=quick[1:],
        made=_made(opened, target, look.made),
    )


def _above(opened: OpenTree, row: int) -> tuple[tuple[HeadLink, ...], bool]:
    parent = opened.index.parent
    rows: list[int] = []
    while row and (row := parent[row]) and len(rows) <= MOST_ABOVE:
        rows.append(row)
    return tuple(_link(opened, each) for each in reversed(rows[:MOST_ABOVE])), len(rows) > MOST_ABOVE


def _link(opened: OpenTree, row: int) -> HeadLink:
    index = opened.index
    name = clipped(index.name[row] if row else opened.record.name, 40)
    return HeadLink(row, name, module_url(opened.record.id, index.path(row), row))


def _made(opened: OpenTree, target: str, revision: int | None) -> Made | None:
    record = opened.record
    if revision != record.revision or not record.can_undo:
        return None
    said = _("%(call)s made revision %(revision)s.", call=clipped(noted(record.note), 120), revision=record.revision)
    return Made(said, with_query(f"/trees/{record.id}/undo", target=target[:500]))
