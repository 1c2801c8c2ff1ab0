"""A page's words in the language of who reads it: English is what the code says, the rest stands in catalogues."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from app.korean import has_korean, particled
from app.recognition import Known

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog, Message

ENGLISH = "en"
LANGUAGES = {ENGLISH: "English", "ko": "한국어"}
COOKIE = "moduletree-language"
CATALOGUES = Path(__file__).parent / "translations"

# How far a sentence is taken apart into others; what it says may have been chosen to be taken apart for ever.
_MOST_DEEP = 6
_MOST_SENTENCES = 100

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
    """Return a sentence in the reader's language: by the message it was made of, else as a quotation."""
    anew = told_anew(text)
    if anew is not None or " " not in text or has_korean(text):
        return text if anew is None else anew
    return gettext("It was said in English: %(words)s", words=f'"{text}"')


def told_anew(text: str, depth: int = 0) -> str | None:
    """Return a sentence in the reader's language, or None where nobody knows what message it was made of."""
    if isinstance(text, Said):
        return _filled(text.message, text.variables, depth)
    if language() == ENGLISH:
        return text
    found = _words(language()).known.find(text)
    if found is not None:
        return _filled(found.message, found.variables, depth)
    return _composed(text, depth + 1) if depth < _MOST_DEEP else None


def _filled(message: str, variables: Mapping[str, object], depth: int) -> str:
    return gettext(message, **{name: _part(value, depth + 1) for name, value in variables.items()})


def _part(value: object, depth: int) -> object:
    is_sentence = isinstance(value, Said) or (isinstance(value, str) and " " in value and depth < _MOST_DEEP)
    anew = told_anew(value, depth) if is_sentence and isinstance(value, str) else None
    return value if anew is None else anew


def _composed(text: str, depth: int) -> str | None:
    """Return a text that was put together: of sentences, of choices, of a place and what is said of it."""
    sentences = text.split("; ", _MOST_SENTENCES)
    if len(sentences) > 1:
        told_again = [told_anew(each, depth) for each in sentences]
        return None if None in told_again else "; ".join(filter(None, told_again))
    one, choice, other = text.partition(" or ")
    if choice:
        kinds = (_part(one, depth), _part(other, depth))
        return None if kinds == (one, other) else gettext("%(one)s or %(other)s", one=kinds[0], other=kinds[1])
    place, colon, rest = text.partition(": ")
    if colon and " " not in place:
        anew = told_anew(rest, depth)
        return None if anew is None else place + colon + anew
    anew = told_anew(text[:-1], depth) if text.endswith(".") else None
    return None if anew is None else f"{anew}."


def translated(message: str) -> str:
    """Return the message in the reader's language, its variables still to be filled in."""
    words = _words(language()).translations
    # One that is said of several things elsewhere is kept with its forms.
    return found if (found := words.gettext(message)) != message else words.ngettext(message, message, 1)


def translated_for(one: str, many: str, num: int) -> str:
    """Return the message for `num` things in the reader's language, its variables still to be filled in."""
    return _words(language()).translations.ngettext(one, many, num)


def finished(text: str) -> str:
    """Return a message with all variables in it as the reader's language wants it: Korean particles by their word."""
    return particled(text) if language() == "ko" else text


def catalogue(code: str, folder: str = "") -> "Catalog":
    """Return the catalogue of a language, read from its file; 80 ms with the import, so not before it is asked for."""
    from babel.messages.pofile import read_po

    with (CATALOGUES / folder / f"{code}.po").open("rb") as file:
        return read_po(file, locale=code)


def learn(code: str) -> None:
    """Read the catalogue of a language, unless that was done: for who would rather wait for it elsewhere."""
    _words(code)


def is_learnt(code: str) -> bool:
    """Whether the catalogue of a language was read."""
    return code in _learnt


@dataclass(frozen=True, slots=True)
class _Words:
    translations: NullTranslations
    known: Known


_learnt: dict[str, _Words] = {ENGLISH: _Words(NullTranslations(), Known(()))}


def _words(code: str) -> _Words:
    if code not in _learnt:
        _learnt[code] = _read(catalogue(code))
    return _learnt[code]


def _read(read: "Catalog") -> _Words:
    from babel.messages.mofile import write_mo

    compiled = BytesIO()
    write_mo(compiled, read)
    compiled.seek(0)
    errors = (each.id for each in read if isinstance(each.id, str) and _is_of_code(each))
    return _Words(GNUTranslations(compiled), Known(errors))


def _is_of_code(message: "Message") -> bool:
    return any(file.endswith(".py") for file, _ in message.locations)
