"""New trees from factories: the table to choose from, and for each a form made from its signature."""

import json
from dataclasses import dataclass
from typing import ClassVar

from app.api.cursors import cursor_of, numbers_of
from app.errors import Invalid, ModuletreeError, TooLarge
from app.pages.argument_fields import at_fields, example_of, field_of, kwargs_of
from app.pages.calls import over_http, posted
from app.pages.forms import Field, Form, problems_of
from app.pages.links import with_query
from app.pages.new_desk import Asked, Desk, Sent, name_field, name_of
from app.pages.templating import Context
from app.storage.records import TreeRecord
from app.translation import gettext as _
from app.trees.sources.building import Device
from app.trees.sources.factories import Factory

PAGE = 40
FIRST = ("torch.nn:Transformer", "torch.nn:MultiheadAttention", "torch.nn:LSTM", "torch.nn:Sequential")


@dataclass(frozen=True, slots=True)
class FactoryLine:
    """A factory of the list, and where its form is."""

    id: str
    name: str
    module: str
    signature: str
    doc: str
    unfit: str
    url: str


@dataclass(frozen=True, slots=True)
class TableView:
    """A page of the factories that a search finds; `first` are some to begin with, where nothing is searched."""

    q: str
    lines: tuple[FactoryLine, ...]
    total: int
    allowed: tuple[str, ...]
    first: tuple[FactoryLine, ...]
    next_url: str


@dataclass(frozen=True, slots=True)
class ChooseFactoryPage(Context):
    """The factories to choose from."""

    template: ClassVar[str] = "new_factories.html"

    kind: str
    table: TableView
    problem: str
    curl: str


@dataclass(frozen=True, slots=True)
class FactoryPage(Context):
    """The form of one factory; `elsewhere` is the device that it may be built on where another was refused."""

    template: ClassVar[str] = "new_factory.html"

    kind: str
    factory: FactoryLine
    form: Form
    elsewhere: str
    curl: str


def blank(desk: Desk, asked: Asked) -> Context:
    """Return the form of the factory that is asked for, or the table where none is."""
    if asked.target:
        factory = desk.workshop.factories.get(asked.target)
        return _page(desk, factory, _form(factory))
    return _choose(desk, asked)


def open_tree(desk: Desk, sent: Sent) -> TreeRecord:
    """Return the tree that the factory makes of what was typed; raises all that is wrong at once, at its fields."""
    factory = desk.workshop.factories.get(sent.typed.get("target"))
    name = name_of(sent.typed)
    kwargs, unread = kwargs_of(factory.arguments, sent.typed)
    source = {"kind": "factory", "target": factory.id, "kwargs": kwargs, "device": _device(sent)}
    try:
        if not unread:
            return desk.trees.open(source, name)
        desk.workshop.check(source)
    except Invalid as error:
        found = at_fields(error, factory.arguments)
        others = [misfit for misfit in found.errors if misfit.loc[:1] not in {each.loc for each in unread}]
        raise Invalid(found.detail, (*unread, *others)) from error
    raise Invalid(_("These arguments cannot be read."), tuple(unread))


def refused(desk: Desk, sent: Sent, error: ModuletreeError) -> Context:
    """Return the form as it was filled in with each problem at its field, or the table for a target not in it."""
    try:
        factory = desk.workshop.factories.get(sent.typed.get("target"))
    except ModuletreeError:
        return _choose(desk, Asked("factory"), error.detail)
    device = _device(sent)
    form = _form(factory).refused({**sent.typed, "device": device}, error)
    return _page(desk, factory, form, _elsewhere(device, error))


def factory_table(desk: Desk, asked: Asked, path: str) -> TableView:
    """Return the page of the table that is asked for; `path` is where the next one is."""
    factories = desk.workshop.factories
    found = factories.search(asked.q)
    start = 0 if asked.cursor is None else numbers_of(asked.cursor, 1)[0]
    following = cursor_of(start + PAGE) if start + PAGE < len(found) else ""
    kind = "factory" if path.endswith("/new") else ""
    first = () if asked.q or start else tuple(_line(factories.by_id[each]) for each in FIRST)
    return TableView(
        q=asked.q,
        lines=tuple(map(_line, found[start : start + PAGE])),
        total=len(found),
        allowed=factories.allowed,
        first=first,
        next_url=with_query(path, kind=kind, q=asked.q, cursor=following) if following else "",
    )


def _choose(desk: Desk, asked: Asked, problem: str = "") -> ChooseFactoryPage:
    try:
        table = factory_table(desk, asked, "/trees/new")
    except Invalid:
        raise
    except ModuletreeError as error:
        # The process that knows the table did not come up.
        table, problem = TableView(asked.q, (), 0, (), (), ""), problem or error.detail
    return ChooseFactoryPage("factory", table, problem, over_http(desk.origin, "/api/factories", q=asked.q).code)


def _line(factory: Factory) -> FactoryLine:
    url = with_query("/trees/new", kind="factory", target=factory.id)
    return FactoryLine(factory.id, factory.name, factory.module, factory.signature, factory.doc, factory.unfit, url)


def _form(factory: Factory) -> Form:
    device = Field(
        "device",
        "device",
        Device.META,
        "choice",
        tuple(Device),
        hint=_("meta: shapes and no values, at any size; cpu: for a constructor that reads values"),
    )
    fields = (name_field(factory.name), *map(field_of, factory.arguments), device)
    return Form("factory", factory.id, "/trees", _("Call it"), fields)


def _page(desk: Desk, factory: Factory, form: Form, elsewhere: str = "") -> FactoryPage:
    source = {"kind": "factory", "target": factory.id, "kwargs": example_of(factory.arguments)}
    curl = posted(desk.origin, "/api/trees", json.dumps({"source": source}))
    return FactoryPage("factory", _line(factory), form, elsewhere, curl)


def _device(sent: Sent) -> str:
    # The button that offers another device than the form has.
    return sent.typed.get("build_on") or sent.typed.get("device", Device.META)


def _elsewhere(device: str, error: ModuletreeError) -> str:
    if device == Device.META and isinstance(error, Invalid) and "device" in problems_of(error, {"device"}):
        return Device.CPU
    return Device.META if device == Device.CPU and isinstance(error, TooLarge) else ""
