"""What a search asks for, as a tree of terms; `search_query` reads it from text."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Flag(StrEnum):
    """A property that a module or tensor has or has not."""

    PARAMETER = "parameter"
    BUFFER = "buffer"
    FROZEN = "frozen"
    TRAINABLE = "trainable"
    PERSISTENT = "persistent"
    NONPERSISTENT = "nonpersistent"
    TIED = "tied"
    LAZY = "lazy"
    SHARED = "shared"
    EVAL = "eval"
    TRAIN = "train"
    LEAF = "leaf"
    INFERRED = "inferred"
    NO_GRAD = "nograd"


class Key(StrEnum):
    """What a value is compared with. Of a tensor: dtype, shape, dims, numel, bytes; the rest is of a module."""

    NAME = "name"
    PATH = "path"
    CLASS = "class"
    DTYPE = "dtype"
    SHAPE = "shape"
    DIMS = "dims"
    NUMEL = "numel"
    BYTES = "bytes"
    PARAMS = "params"
    MODULES = "modules"
    CHILDREN = "children"
    DEPTH = "depth"


OF_TENSORS = frozenset(
    {
        Key.DTYPE,
        Key.SHAPE,
        Key.DIMS,
        Key.NUMEL,
        Key.BYTES,
        Flag.PARAMETER,
        Flag.BUFFER,
        Flag.FROZEN,
        Flag.TRAINABLE,
        Flag.PERSISTENT,
        Flag.NONPERSISTENT,
        Flag.TIED,
        Flag.LAZY,
    }
)


@dataclass(frozen=True, slots=True)
class Word:
    """A text that a name holds, or, with "*" or "?", that it fits as a whole; case does not matter.

    A dot goes from a module to what is in it: "h.0" is a 0 in an h. A word that was quoted is `literal`: no "*" in it.
    """

    text: str
    literal: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A text that a key's value holds or fits; `is_exact` after "="."""

    key: Key
    text: str
    is_exact: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a tensor, None for any."""

    sizes: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A number that a key's value is compared with: =, !=, <, <=, > or >=."""

    key: Key
    operator: str
    value: float


@dataclass(frozen=True, slots=True)
class Has:
    """A flag."""

    flag: Flag


@dataclass(frozen=True, slots=True)
class Not:
    """All that the term does not find."""

    term: "Term"


@dataclass(frozen=True, slots=True)
class All:
    """What every term finds."""

    terms: tuple["Term", ...]


@dataclass(frozen=True, slots=True)
class Any:
    """What any term finds."""

    terms: tuple["Term", ...]


Term: TypeAlias = Word | Text | Shape | Number | Has | Not | All | Any


def leaves(term: Term) -> Iterator[Term]:
    """Yield the terms that have no parts."""
    match term:
        case All(terms) | Any(terms):
            for part in terms:
                yield from leaves(part)
        case Not(inner):
            yield from leaves(inner)
        case _:
            yield term


def asked(term: Term, *, is_not: bool = False) -> Iterator[Term]:
    """Yield the terms without parts that are asked for, not those that are to be left out."""
    match term:
        case All(terms) | Any(terms):
            for part in terms:
                yield from asked(part, is_not=is_not)
        case Not(inner):
            yield from asked(inner, is_not=not is_not)
        case _:
            if not is_not:
                yield term


def topic(term: Term) -> Key | Flag | None:
    """Return what a term without parts is about, None for a word."""
    match term:
        case Has(flag):
            return flag
        case Text(key) | Number(key):
            return key
        case Shape():
            return Key.SHAPE
    return None
