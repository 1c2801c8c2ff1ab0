"""Names that count: `0` to `11`, `sub1` to `sub10`."""

import re
from dataclasses import dataclass

# One beyond what counting modules needs; longer digits are no numbers that anyone counts by.
_NUMBERED = re.compile(r"(.*?)(0|[1-9][0-9]{0,17})", re.DOTALL)
SEPARATOR = ".."


@dataclass(frozen=True, slots=True)
class Numbered:
    """A name that ends in a number: `sub12` is "sub" and 12. A leading zero is no part of a number."""

    prefix: str
    number: int

    @property
    def following(self) -> str:
        """The name that counts on."""
        return f"{self.prefix}{self.number + 1}"


def numbered(name: str) -> Numbered | None:
    """Return the name's parts, or None where it does not end in a number."""
    match = _NUMBERED.fullmatch(name)
    return Numbered(match[1], int(match[2])) if match else None


def names_from(first: str, count: int) -> list[str]:
    """Return `count` names that count up from the first: the inverse of folding them."""
    if count == 1:
        return [first]
    start = numbered(first)
    assert start is not None
    return [f"{start.prefix}{start.number + at}" for at in range(count)]


def range_name(first: str, last: str) -> str:
    """Return what stands for the names from first to last: no module's name, which never holds a dot."""
    return f"{first}{SEPARATOR}{last}" if first != last else first


def names_in(name: str) -> list[str]:
    """Return the names that a `range_name` stands for."""
    first, _, last = name.partition(SEPARATOR)
    start, end = numbered(first), numbered(last)
    if start is None or end is None or start.prefix != end.prefix:
        return [name]
    return [f"{start.prefix}{number}" for number in range(start.number, end.number + 1)]
