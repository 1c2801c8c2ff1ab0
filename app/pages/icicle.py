"""The icicle: which modules are drawn and where, down in pre-order, right in depth, as static/js/lib/icicle.js does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.pages.map_amounts import Amounts
from app.trees.fold import runs
from app.trees.index import TreeIndex
from app.trees.likeness import Likeness

LEAST_HEIGHT = 0.5
LEAST_WIDTH = 6.0
FOLDED_UNDER = 4.5
MOST_PLACES = 120
NARROW_LABELLED, NARROW = 0.11, 0.075
HOLDER_TO_OWN = 1.75


@dataclass(slots=True)
class Place:
    """A module, or `count` like siblings from `row` on, as a rectangle; what is below stands for `times` as many.

    `is_last` places have nothing drawn to their right and run to the edge.
    """

    row: int
    count: int
    times: int
    amount: int
    level: int
    y: float
    height: float
    x: float = 0.0
    width: float = 0.0
    is_last: bool = True


@dataclass(frozen=True, slots=True)
class Panel:
    """How large a drawing is, and whether there will be words in it."""

    width: float
    height: float
    is_labelled: bool


class Icicle:
    """Lays out a tree, or a part of it; one for all parts, since what is alike is compared once."""

    def __init__(self, index: TreeIndex, amounts: Amounts) -> None:
        self.index = index
        self.amounts = amounts
        self._likeness = Likeness(index)

    def places(self, top: int, panel: Panel) -> list[Place]:
        """Return what is drawn of the module at a row, in pre-order; what is too low to see is left to its parent."""
        amount = self.amounts.between(top, self.index.end[top])
        if not amount:
            return []
        shown = [Place(top, 1, 1, amount, 0, 0.0, panel.height)]
        for place in shown:
            if place.level + 1 < max(int(panel.width / LEAST_WIDTH), 1):
                below = list(self._below(place, panel.height / amount))
                if len(shown) + len(below) <= MOST_PLACES:
                    shown.extend(below)
                    place.is_last = not below
        shown.sort(key=lambda place: (place.row, place.level))
        self._set_columns(shown, panel)
        return shown

    def _below(self, place: Place, scale: float) -> Iterator[Place]:
        below = [self._place(*item, place, scale) for item in self._items(place, scale)]
        y = place.y + place.height - sum(child.height for child in below)
        for child in below:
            child.y = y
            y += child.height
            if child.height >= LEAST_HEIGHT:
                yield child

    def _items(self, place: Place, scale: float) -> Iterator[tuple[int, int]]:
        """Yield the children that have an amount as a row and how many from there on are one place."""
        end, between = self.index.end, self.amounts.between
        for run in runs(self.index, place.row, self._likeness):
            first, count = run.rows[0], len(run.rows)
            one, total = between(first, end[first]), between(first, end[run.rows[-1]])
            if count > 1 and one * place.times * scale < FOLDED_UNDER and one * count == total:
                yield (first, count)
            else:
                yield from ((row, 1) for row in run.rows)

    def _place(self, row: int, count: int, above: Place, scale: float) -> Place:
        amount = above.times * count * self.amounts.between(row, self.index.end[row])
        return Place(row, count, above.times * count, amount, above.level + 1, 0.0, amount * scale)

    def _set_columns(self, places: Sequence[Place], panel: Panel) -> None:
        """Give each its column: narrow for a module that only holds what the next one shows.

        Where there are words, columns of modules with parameters of their own are wider.
        """
        levels: list[list[Place]] = [[] for _ in range(max(place.level for place in places) + 1)]
        for place in places:
            levels[place.level].append(place)
        narrow = min(NARROW_LABELLED if panel.is_labelled else NARROW, 1 / len(levels))
        weights = [self._weight(level, panel) for level in levels]
        unit = (1 - narrow * weights.count(0)) / max(sum(weights), 1)
        left = [0.0]
        for weight in weights:
            left.append(left[-1] + (weight * unit or narrow) * panel.width)
        for place in places:
            place.x = left[place.level]
            place.width = (panel.width if place.is_last else left[place.level + 1]) - place.x

    def _weight(self, level: Sequence[Place], panel: Panel) -> float:
        first, own = level[0], [self.is_own(place.row) for place in level]
        if len(level) == 1 and not own[0] and not first.is_last and first.count == 1:
            return 0
        return HOLDER_TO_OWN if panel.is_labelled and all(own) else 1

    def is_own(self, row: int) -> bool:
        """Whether the module has parameters of its own."""
        return self.index.parameters.start[row + 1] > self.index.parameters.start[row]


def block_of(index: TreeIndex, selected: int, places: Sequence[Place]) -> int:
    """Return the nearest module with children that repeats: where the selection is, else below it, else anywhere.

    0 where nothing repeats. Of several below, it is the first of those that come to the most.
    """
    row = selected
    while row > 0:
        if index.end[row] > row + 1 and _repeats(index, row):
            return row
        row = index.parent[row]
    inside = [place for place in places if selected < place.row < index.end[selected]]
    return _largest(index, inside) or _largest(index, places)


def _repeats(index: TreeIndex, row: int) -> bool:
    """Whether the sibling before or after looks the same."""
    parent, size, shape = index.parent[row], index.end[row] - row, index.shapes.shape
    after, before = index.end[row], row - size
    if after < index.end[parent] and shape[after] == shape[row]:
        return True
    return before > parent and index.parent[before] == parent and shape[before] == shape[row]


def _largest(index: TreeIndex, places: Sequence[Place]) -> int:
    runs_of: dict[tuple[int, int], tuple[int, int, int]] = {}
    for place in places:
        if place.level and index.end[place.row] > place.row + 1:
            key = index.parent[place.row], index.shapes.shape[place.row]
            row, count, total = runs_of.get(key, (place.row, 0, 0))
            runs_of[key] = row, count + place.count, total + place.amount
    return max(((total, -row) for row, count, total in runs_of.values() if count > 1), default=(0, 0))[1] * -1
