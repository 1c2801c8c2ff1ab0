"""HTML from a page's Context: one template, exactly that Context's fields, everything escaped."""

from dataclasses import fields
from functools import cache
from typing import ClassVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from app.assets import TEMPLATES
from app.pages import filters, links, visible
from app.translation import gettext, language, ngettext

READING = ["GET", "HEAD"]

FILTERS = {
    "ago": filters.ago,
    "change": filters.change,
    "clipped": visible.clipped,
    "count": filters.count,
    "count_parts": filters.count_parts,
    "exact": filters.exact,
    "instant": filters.instant,
    "loss": filters.loss,
    "num_bytes": filters.num_bytes,
    "plural": filters.plural,
    "seconds": filters.seconds,
    "signed": filters.signed,
    "significant": filters.significant,
    "value": filters.value,
    "values": filters.values,
    "visible": visible.visible,
}


class Context:
    """What a page shows: a frozen dataclass whose fields are the names that its template uses."""

    __slots__ = ()

    template: ClassVar[str]


@cache
def environment() -> Environment:
    """Return the templates with their filters; an unknown name in one is an error, not an empty string."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(FILTERS)
    made.globals["module_url"] = links.module_url
    made.globals["language"] = language
    made.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    return made


def render(context: Context) -> str:
    """Return the page of a Context as text."""
    names = {field.name: getattr(context, field.name) for field in fields(context)}  # type: ignore[arg-type]
    return environment().get_template(context.template).render(names)


def page(context: Context, status: int = 200) -> HTMLResponse:
    """Return the page of a Context as a response; browsers ask again each time, since trees change."""
    return HTMLResponse(render(context), status, {"Cache-Control": "no-cache"})
