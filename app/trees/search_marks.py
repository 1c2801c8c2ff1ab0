"""Where in a name stands what a query asks for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from app.trees.name_tests import name_test
from app.trees.search_terms import Key, Term, Text, Word, asked

# From one character to before another.
Span: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Wanted:
    text: str
    is_exact: bool = False
    starts: bool = False
    ends: bool = False
    literal: bool = False


@dataclass(frozen=True, slots=True)
class Marks:
    """Finds what a query asks of names, and of classes; what it asks to be left out is not marked."""

    names: tuple[_Wanted, ...]
    classes: tuple[_Wanted, ...]

    @classmethod
    def of(cls, term: Term) -> "Marks":
        """Return the marks of a query."""
        parts = list(asked(term))
        names = [wanted for part in parts for wanted in _in_names(part)]
        classes = [
            _Wanted(part.text, part.is_exact) for part in parts if isinstance(part, Text) and part.key is Key.CLASS
        ]
        return cls(tuple(names), tuple(classes))

    def in_name(self, name: str) -> list[Span]:
        """Return the spans of a module's or tensor's name that the query asks for, ascending and apart."""
        return _joined(span for wanted in self.names for span in _spans(wanted, name))

    def in_class(self, name: str) -> list[Span]:
        """Return the spans of a class's name that the query asks for, ascending and apart."""
        return _joined(span for wanted in self.classes for span in _spans(wanted, name))


def _in_names(term: Term) -> Iterator[_Wanted]:
    match term:
        case Text(Key.NAME, text, is_exact):
            yield _Wanted(text, is_exact)
        case Text(Key.PATH, text):
            yield from _in_path(Word(text))
        case Word():
            yield from _in_path(term)


def _in_path(word: Word) -> Iterator[_Wanted]:
    # As `part_tests`: a word with dots goes through several names.
    parts = word.text.split(".")
    for at, part in enumerate(parts):
        yield _Wanted(part, starts=at > 0, ends=at < len(parts) - 1, literal=word.literal)


def _spans(wanted: _Wanted, name: str) -> Iterator[Span]:
    text, folded, place = wanted.text.casefold(), name.casefold(), _places(name)
    test = name_test(
        wanted.text, is_exact=wanted.is_exact, starts=wanted.starts, ends=wanted.ends, literal=wanted.literal
    )
    if not text or not name or not test(folded):
        return
    if text not in folded:
        yield 0, len(name)
    elif wanted.starts:
        yield 0, place[len(text) - 1] + 1
    elif wanted.ends:
        yield place[len(folded) - len(text)], len(name)
    else:
        start = folded.find(text)
        while start >= 0:
            stop = start + len(text)
            yield place[start], place[stop - 1] + 1
            start = folded.find(text, stop)


def _places(name: str) -> list[int]:
    # By character of the folded name, which of the name it comes from: "ß" becomes two.
    return [at for at, char in enumerate(name) for _ in char.casefold()]


def _joined(spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, stop in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((start, stop))
    return joined
