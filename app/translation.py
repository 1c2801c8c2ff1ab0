"""A page's words in the language of who reads it: English is what the code says, the rest stands in catalogues."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

LANGUAGES = {"en": "English", "ko": "한국어"}

_language: ContextVar[str] = ContextVar("language", default="en")


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
    return message % variables if variables else message


def ngettext(one: str, many: str, num: int, /, **variables: object) -> str:
    """Return the message for `num` things; `%(num)s` is the number unless a variable of that name says it otherwise."""
    return (one if num == 1 else many) % {"num": num, **variables}
