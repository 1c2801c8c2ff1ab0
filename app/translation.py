"""A page's words in the language of who reads it: English is what the code says, the rest stands in catalogues."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from app.korean import particled

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

ENGLISH = "en"
LANGUAGES = {ENGLISH: "English", "ko": "한국어"}
COOKIE = "moduletree-language"
CATALOGUES = Path(__file__).parent / "translations"

_language: ContextVar[str] = ContextVar("language", default=ENGLISH)


def language() -> str:
    """Return the code of the language that this request is answered in."""
    return _language.get()


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Answer in a language for as long as the context lasts."""
    token = _language.set(code)
    try:
        yield
    finally:
        _language.reset(token)


def N_(message: str) -> str:  # noqa: N802
    """Return the message as it is, marked for the catalogues: for constants, translated where they are shown."""
    return message


def gettext(message: str, /, **variables: object) -> str:
    """Return the message in the reader's language, `%(name)s` filled in from the variables."""
    said = translated(message)
    return finished(said % variables if variables else said)


def ngettext(one: str, many: str, num: int, /, **variables: object) -> str:
    """Return the message for `num` things; `%(num)s` is the number unless a variable of that name says it otherwise."""
    return finished(translated_for(one, many, num) % {"num": num, **variables})


class Said(str):
    """An English sentence that knows its message and variables: programs get it as it is, pages tell it again."""

    __slots__ = ("message", "variables")
    message: str
    variables: dict[str, object]

    def __new__(cls, message: str, /, **variables: object) -> "Said":
        made = super().__new__(cls, message % variables if variables else message)
        made.message, made.variables = message, variables
        return made


def said(message: str, /, **variables: object) -> Said:
    """Return an English sentence for an error, or whatever is made where nobody knows who will read it."""
    return Said(message, **variables)


def told(text: str) -> str:
    """Return a sentence in the reader's language where it knows how; else as it is."""
    if not isinstance(text, Said):
        return text
    return gettext(text.message, **{name: _told(value) for name, value in text.variables.items()})


def _told(value: object) -> object:
    return told(value) if isinstance(value, Said) else value


def translated(message: str) -> str:
    """Return the message in the reader's language, its variables still to be filled in."""
    known = _translations(language())
    # One that is said of several things elsewhere is kept with its forms.
    return found if (found := known.gettext(message)) != message else known.ngettext(message, message, 1)


def translated_for(one: str, many: str, num: int) -> str:
    """Return the message for `num` things in the reader's language, its variables still to be filled in."""
    return _translations(language()).ngettext(one, many, num)


def finished(text: str) -> str:
    """Return a message with all variables in it as the reader's language wants it: Korean particles by their word."""
    return particled(text) if language() == "ko" else text


def catalogue(code: str) -> "Catalog":
    """Return the catalogue of a language, read from its file; 80 ms with the import, so not before it is asked for."""
    from babel.messages.pofile import read_po

    with (CATALOGUES / f"{code}.po").open("rb") as file:
        return read_po(file, locale=code)


@cache
def _translations(code: str) -> NullTranslations:
    if code == ENGLISH:
        return NullTranslations()
    from babel.messages.mofile import write_mo

    compiled = BytesIO()
    write_mo(compiled, catalogue(code))
    compiled.seek(0)
    return GNUTranslations(compiled)
