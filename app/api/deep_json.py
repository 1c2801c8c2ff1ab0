"""JSON nested deeper than Python's recursion goes, read without recursion, and every misfit named."""

import re
from typing import NoReturn

import msgspec

from app.errors import Invalid, TooLarge
from app.translation import said

MAX_DEPTH = 100_000
_TOKEN = re.compile(r'[ \t\r\n]*(?:([{}\[\]:,])|("[^"\\]*(?:\\.[^"\\]*)*"|[^\s{}\[\]:,"]+))', re.DOTALL)


def decode_deep(body: bytes) -> object:
    """Return the JSON document, about thirty times slower than msgspec, to `MAX_DEPTH` levels.

    Raises `Invalid` for text that is not JSON or an object that holds a key twice, `TooLarge` for deeper nesting.
    """
    try:
        return _Reader(body.decode()).read()
    except UnicodeDecodeError:
        raise Invalid(said("The body is not UTF-8.")) from None


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text.rstrip(" \t\r\n")
        self.position = 0
        self.around: list[dict[str, object] | list[object]] = []

    def read(self) -> object:
        document = self._value(*self._token())
        while self.around:
            self._next(self.around[-1])
        if self.position != len(self.text):
            self._refuse(said("trailing characters"))
        return document

    def _next(self, holder: dict[str, object] | list[object]) -> None:
        mark, scalar = self._token()
        if mark == ("}" if isinstance(holder, dict) else "]"):
            self.around.pop()
            return
        if holder:
            if mark != ",":
                self._refuse(said("expected a comma or the end"))
            mark, scalar = self._token()
        if isinstance(holder, dict):
            key = self._key(holder, scalar)
            holder[key] = self._value(*self._token())
        else:
            holder.append(self._value(mark, scalar))

    def _key(self, holder: dict[str, object], scalar: str) -> str:
        key = self._scalar(scalar) if scalar.startswith('"') else self._refuse(said("expected a key"))
        if key in holder:
            raise Invalid(said("The body is not clear: the key %(key)r stands twice in one object.", key=str(key)[:80]))
        if self._token() != (":", ""):
            self._refuse(said("expected a colon"))
        return str(key)

    def _value(self, mark: str, scalar: str) -> object:
        if scalar:
            return self._scalar(scalar)
        if mark not in ("{", "["):
            self._refuse(said("expected a value"))
        if len(self.around) == MAX_DEPTH:
            raise TooLarge(
                said("The body is nested deeper than %(max_depth)s levels.", max_depth=f"{MAX_DEPTH:,}"), MAX_DEPTH
            )
        self.around.append({} if mark == "{" else [])
        return self.around[-1]

    def _scalar(self, scalar: str) -> object:
        try:
            return msgspec.json.decode(scalar)
        except msgspec.DecodeError as error:
            self._refuse(str(error))

    def _token(self) -> tuple[str, str]:
        match = _TOKEN.match(self.text, self.position)
        if match is None:
            self._refuse(
                said("the document is not whole") if self.position >= len(self.text) else said("unexpected character")
            )
        self.position = match.end()
        return match[1] or "", match[2] or ""

    def _refuse(self, why: str) -> NoReturn:
        raise Invalid(
            said("The body is not JSON: %(why)s (character %(position)s).", why=why, position=f"{self.position:,}")
        )
