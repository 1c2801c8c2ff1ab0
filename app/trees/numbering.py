"""Numbers for things as they come: the first is 0, an equal one later gets the same."""

from typing import TypeVar

T = TypeVar("T")


class Numbering(dict[T, int]):
    """`numbering[thing]` is the thing's number; a list of it has the things in the order of their numbers."""

    def __missing__(self, thing: T) -> int:
        number = self[thing] = len(self)
        return number
