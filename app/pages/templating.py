"""HTML from a page's Context: one template, exactly that Context's fields, everything escaped."""

from dataclasses import fields
from functools import cache
from typing import ClassVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from app.assets import TEMPLATES
from app.korean import has_korean
from app.pages import filters, links, visible
from app.pages.imports import with_imports
from app.pages.words import words_url
from app.translation import LANGUAGES, finished, language, told_anew, translated, translated_for

READING = ["GET", "HEAD"]


def _told(text: str) -> Markup:
    """A message as the reader's language has it; one that only English has is quoted in a sentence that says so."""
    anew = told_anew(text)
    shown = escape(visible.printed(text if anew is None else anew))
    if anew is not None or has_korean(shown):
        return shown
    quote = Markup('<q lang="en">{}</q>').format(shown)
    return _gettext("It was said in English: %(words)s", words=quote) if " " in shown else quote


FILTERS = {
    "ago": filters.ago,
    "change": filters.change,
    "clipped": visible.clipped,
    "count": filters.count,
    "count_parts": filters.count_parts,
    "exact": filters.exact,
    "instant": filters.instant,
    "loss": filters.loss,
    "moment": filters.moment,
    "noted": filters.noted,
    "num_bytes": filters.num_bytes,
    "seconds": filters.seconds,
    "signed": filters.signed,
    "significant": filters.significant,
    "told": _told,
    "value": filters.value,
    "values": filters.values,
    "visible": visible.visible,
    "with_imports": with_imports,
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
    made.globals.update(module_url=links.module_url, language=language, LANGUAGES=LANGUAGES, words_url=words_url)
    # In place of Jinja's own: those fill in the variables when the message can no more be finished.
    made.globals.update(_=_gettext, gettext=_gettext, ngettext=_ngettext)
    made.newstyle_gettext = True  # type: ignore[attr-defined]
    made.policies["ext.i18n.trimmed"] = True
    return made


def _gettext(message: str, /, **variables: object) -> Markup:
    return Markup(finished(Markup(translated(message)) % variables))


def _ngettext(one: str, many: str, num: int, /, **variables: object) -> Markup:
    return Markup(finished(Markup(translated_for(one, many, num)) % {"num": num, **variables}))


def render(context: Context) -> str:
    """Return the page of a Context as text."""
    names = {field.name: getattr(context, field.name) for field in fields(context)}  # type: ignore[arg-type]
    return environment().get_template(context.template).render(names)


def page(context: Context, status: int = 200) -> HTMLResponse:
    """Return the page of a Context as a response; browsers ask again each time, since trees change."""
    return HTMLResponse(render(context), status, {"Cache-Control": "no-cache"})
