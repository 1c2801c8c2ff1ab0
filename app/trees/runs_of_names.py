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


def range_name(first: str, last: str) -> str:
    """Return what stands for the names from first to last: no module's name, which never holds a dot."""
    return f"{first}{SEPARATOR}{last}" if first != last else first
