"""Tests of names in folded case: whether one is, holds or fits a text, whose case does not matter."""

import fnmatch
import re
from collections.abc import Callable
from typing import TypeAlias

from app.trees.search_terms import Word

NameTest: TypeAlias = Callable[[str], bool]

_WILD = re.compile(r"[*?]")


def name_test(
    text: str, *, is_exact: bool = False, starts: bool = False, ends: bool = False, literal: bool = False
) -> NameTest:
    """Return the test of a name in folded case: that it fits a text with "*" or "?", or else that it holds the text.

    It must be the whole name where it `is_exact`, or begin with it (`starts`), end with it (`ends`), or both.
    """
    wanted = text.casefold()
    if _WILD.search(wanted) and not literal:
        fits = re.compile(fnmatch.translate(wanted.replace("[", "[[]"))).match
        return lambda name: fits(name) is not None
    if is_exact or (starts and ends):
        return lambda name: name == wanted
    if starts:
        return lambda name: name.startswith(wanted)
    if ends:
        return lambda name: name.endswith(wanted)
    return lambda name: wanted in name


def part_tests(word: Word) -> list[NameTest]:
    """Return the tests of the names from one module down that a word with dots goes through.

    The first may be the end of a name and the last the beginning of one: what is between is a whole name.
    """
    parts = word.text.split(".")
    last = len(parts) - 1
    return [name_test(part, starts=at > 0, ends=at < last, literal=word.literal) for at, part in enumerate(parts)]
