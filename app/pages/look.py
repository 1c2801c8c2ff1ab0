"""What of a tree a request looks at: the selected module, the open tab, and what stands in for a form."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Query, Request

from app.api.dependencies import DataDep
from app.errors import Invalid, RevisionMismatch
from app.pages.calls import origin_of
from app.pages.dock import Asked
from app.pages.forms import Form, invalid
from app.pages.inspector_tabs import TABS
from app.pages.map_choices import MapAsked, asked_of
from app.pages.traced import Traced, TracedDep
from app.storage.trees import OpenTree
from app.translation import gettext as _
from app.translation import said

DOCK_COOKIE = "moduletree-dock"
SHUT = {"shut": True, "open": False}


@dataclass(frozen=True, slots=True)
class Look:
    """What of a tree is looked at; `form` stands in for the one of the same key and address, filled in and refused.

    `tensor` is the own tensor that is glanced at, `others` are the rows selected beside this one, `made` is the
    revision that the last form made, and `part` the only part of the page that is asked for.
    """

    tree_id: str
    target: str = ""
    row: int | None = None
    revision: int | None = None
    tab: str = "overview"
    start: int = 0
    unfold: int | None = None
    fn: str = ""
    opened: str = ""
    origin: str = ""
    tensor: str = ""
    others: tuple[int, ...] = ()
    made: int | None = None
    part: str = ""
    asked: Asked = field(default_factory=Asked)
    form: Form | None = None
    traced: Traced = field(default_factory=Traced)
    map: MapAsked = field(default_factory=MapAsked)


def row_of(opened: OpenTree, target: str, row: int | None, revision: int | None = None) -> int:
    """Return the row of a target, or the row itself, for targets too long for an address.

    Raises `TargetNotFound`, `Invalid` for a row that is not there, and `RevisionMismatch` where the tree has left the
    revision that the row was counted at.
    """
    if row is None:
        return opened.index.row(target)
    if revision is not None and revision != opened.record.revision:
        raise RevisionMismatch(str(revision), opened.record.revision)
    if not 0 <= row < len(opened.index):
        raise invalid(
            [("row", _("expected 0 to %(most)s, got %(given)s", most=f"{len(opened.index) - 1:,}", given=f"{row:,}"))]
        )
    return row


def _look(
    request: Request,
    tree_id: str,
    traced: TracedDep,
    data: DataDep,
    tab: str = "overview",
    start: Annotated[int, Query(alias="from", ge=0)] = 0,
    fn: str = "",
    opened: Annotated[str, Query(alias="open")] = "",
    run: str = "",
    runs: Annotated[str, Query(max_length=400)] = "",
    row: Annotated[int | None, Query(ge=0)] = None,
    unfold: Annotated[int | None, Query(ge=0)] = None,
    tensor: str = "",
    made: int | None = None,
    part: str = "",
) -> Look:
    if tab not in TABS:
        raise Invalid(said("tab: expected one of %(tabs)s, got %(tab)r.", tabs=", ".join(TABS), tab=tab))
    return Look(
        tree_id,
        row=row,
        tab=tab,
        start=start,
        unfold=unfold,
        fn=fn,
        opened=opened or ("apply" if fn else ""),
        origin=origin_of(request),
        tensor=tensor,
        made=made,
        part=part,
        asked=Asked(run, is_shut=SHUT.get(request.cookies.get(DOCK_COOKIE, "")), others=runs, data=data),
        traced=traced,
        map=asked_of(request.query_params),
    )


LookDep = Annotated[Look, Depends(_look)]
