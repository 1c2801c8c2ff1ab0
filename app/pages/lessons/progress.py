"""How far somebody has come: in a cookie, since nobody has an account."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from app.pages.lessons.chapters import CHAPTERS

COOKIE = "moduletree-lesson"
PATH = "/learn"
YEAR_S = 365 * 24 * 60 * 60
_ENTRY = re.compile(r"([a-z]+)\.(t_[a-z2-7]{10})?\.([1-9])\.([1-9]{0,9})")


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody is in a chapter: on which tree, at which step, and which questions were answered."""

    tree: str = ""
    step: int = 1
    answered: frozenset[int] = field(default_factory=frozenset)

    def at(self, tree: str, step: int, *, is_answered: bool) -> "Place":
        """Return the place after a step was looked at; what was answered stays so."""
        return replace(self, tree=tree, step=step, answered=self.answered | ({step} if is_answered else set()))


def read_places(cookie: str) -> dict[str, Place]:
    """Return the place in each chapter that the cookie knows of; what is not a place in one is left out."""
    places = {}
    for entry in cookie.split("~"):
        found = _ENTRY.fullmatch(entry)
        if found and (chapter := CHAPTERS.get(found[1])) and int(found[3]) <= len(chapter.steps):
            numbers = frozenset(map(int, found[4])) & frozenset(range(1, len(chapter.steps) + 1))
            places[chapter.key] = Place(found[2] or "", int(found[3]), numbers)
    return places


def written(places: Mapping[str, Place]) -> str:
    """Return the places as the cookie holds them: `module.t_abcdefghij.2.1~...`."""
    return "~".join(
        f"{key}.{place.tree}.{place.step}.{''.join(map(str, sorted(place.answered)))}" for key, place in places.items()
    )
