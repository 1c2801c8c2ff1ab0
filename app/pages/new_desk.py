"""What a form for a new tree is answered with, and what all of them share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile

from app.api.bodies import decode
from app.api.dependencies import SettingsDep, TreesDep, WorkshopDep
from app.errors import Invalid
from app.pages.calls import origin_of
from app.pages.forms import Field, invalid
from app.settings import Settings
from app.storage.trees import Trees
from app.translation import N_
from app.translation import gettext as _
from app.trees.sources.workshop import Workshop

MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Desk:
    """What opening a tree from a form takes; `origin` is the server's address as the browser has it."""

    trees: Trees
    workshop: Workshop
    settings: Settings
    origin: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the pages for new trees is asked for."""

    kind: str
    q: str = ""
    target: str = ""
    example: str = ""
    cursor: str | None = None
    spec: str = ""
    forward: str = ""
    name: str = ""

    @property
    def typed(self) -> dict[str, str]:
        """What the form starts with."""
        given = {"spec": self.spec, "forward": self.forward, "name": self.name}
        return {"kind": self.kind, "target": self.target, **{key: text for key, text in given.items() if text}}


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent: the texts by name, the files, and all of it in order."""

    typed: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, UploadFile] = field(default_factory=dict)
    form: FormData = field(default_factory=FormData)


async def _desk(request: Request, trees: TreesDep, workshop: WorkshopDep, settings: SettingsDep) -> Desk:
    return Desk(trees, workshop, settings, origin_of(request))


async def _sent(request: Request, settings: SettingsDep) -> Sent:
    form = await request.form(max_part_size=settings.max_body)
    typed = {name: value for name, value in form.items() if isinstance(value, str)}
    files = {name: value for name, value in form.items() if isinstance(value, UploadFile) and value.filename}
    return Sent(typed, files, form)


DeskDep = Annotated[Desk, Depends(_desk)]
SentDep = Annotated[Sent, Depends(_sent)]


def name_field(placeholder: str) -> Field:
    """Return the field for the name of the new tree."""
    return Field("name", _("tree name"), placeholder=placeholder)


def name_of(typed: Mapping[str, str]) -> str | None:
    """Return the name that was typed, None for none; raises `Invalid` for one that is too long."""
    name = typed.get("name", "").strip()
    if len(name) > MAX_NAME:
        raise invalid(
            [("name", _("expected up to %(most)s characters, got %(num)s", most=MAX_NAME, num=f"{len(name):,}"))]
        )
    return name or None


# What is said of a body, as it is said of a field: pages find it again by these.
OF_FIELDS = (
    N_("The %(name)s is not UTF-8"),
    N_("The %(name)s is not JSON: %(error)s"),
    N_("The %(name)s is nested deeper than %(max_depth)s levels"),
    N_("The %(name)s is not clear: the key %(key)s stands twice in one object"),
    N_("This is not JSON: %(error)s"),
    N_("This is nested deeper than %(max_depth)s levels"),
    N_("This is not clear: the key %(key)s stands twice in one object"),
)


def document_of(name: str, text: str) -> object:
    """Return the JSON in the field `name`; raises `Invalid` at that field."""
    try:
        return decode(text.encode())
    except (Invalid, UnicodeEncodeError) as error:
        why = error.detail if isinstance(error, Invalid) else "The body is not UTF-8."
        raise invalid([(name, why.replace("The body", f"The {name}").removesuffix("."))]) from None
