"""Which rows of a tree its page lists: all while they are few, like siblings folded, else those near the selection."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from app.pages import filters
from app.translation import gettext as _
from app.translation import ngettext
from app.trees.fold import Run, run_of, runs
from app.trees.index import TreeIndex
from app.trees.likeness import Likeness

WHOLE_ROWS = 300
WHOLE_DEPTH = 24
LEAST_FOLDED = 3
MOST_LEVELS = 14
MOST_NEAR = 10
PAGE = 200


@dataclass(frozen=True, slots=True)
class Rest:
    """Modules that are there and not listed; the page that lists them has `row` selected, from child `start` on.

    Those of an open run are listed with the selection as it is, and `row` is None.
    """

    text: str
    row: int | None
    start: int = 0


Item: TypeAlias = "int | Run | Rest"


@dataclass(frozen=True, slots=True)
class Listed:
    """The children to list by row, and those in the run that is open, if one is.

    `note` says what is left out: "" for a tree of which every module has a row.
    """

    below: dict[int, list[Item]]
    opened: Run | None
    members: list[Item]
    note: str

    def rows(self) -> list[int]:
        """Return every row that has a line of its own, and the first of each run, in ascending order."""
        rows = {0}
        for items in (*self.below.values(), self.members):
            rows.update(item.rows[0] if isinstance(item, Run) else item for item in items if not isinstance(item, Rest))
        return sorted(rows)


def trail_to(index: TreeIndex, row: int) -> list[int]:
    """Return the rows from the root to a row."""
    trail = [row]
    while trail[-1]:
        trail.append(index.parent[trail[-1]])
    return trail[::-1]


def listed(index: TreeIndex, trail: Sequence[int], *, folds: bool, unfold: int | None, start: int) -> Listed:
    """Return what to list of a tree with the last row of `trail` selected, which leads to it from the root.

    Three and more like siblings are one item where it `folds`, but for those on the trail, and for the run with the row
    `unfold` in it. At most some 340 rows are listed: of the children of the selection, or in the open run, 200 from
    `start` on; a leaf's siblings stand in for its children.
    """
    lister = _Lister(index, trail, folds, unfold, start)
    below = lister.everything()
    if below is None:
        below, note = lister.window(), _("Those near the selection are listed.")
    else:
        note = _("Like siblings are folded.") if lister.has_runs else ""
    return Listed(below, lister.opened, lister.members, note)


class _Lister:
    def __init__(self, index: TreeIndex, trail: Sequence[int], folds: bool, unfold: int | None, start: int) -> None:
        self.index = index
        self.trail = trail
        self.next = dict(pairwise(trail))
        self.unfold = unfold
        self.start = start
        self.likeness = Likeness(index) if folds else None
        self.has_runs = False
        self.shut: set[int] = set()
        self.opened: Run | None = None
        self.members: list[Item] = []

    def everything(self) -> dict[int, list[Item]] | None:
        """All rows, in whatever is not folded; None where they are too many, or too deep."""
        below: dict[int, list[Item]] = {}
        count, todo = 1, [0]
        while todo:
            row = todo.pop()
            if self.index.end[row] == row + 1:
                continue
            below[row] = items = self._children(row)
            count += len(items)
            if count > WHOLE_ROWS or self.index.depth[row] >= WHOLE_DEPTH:
                return None
            todo.extend(item for item in items if isinstance(item, int) and item not in self.shut)
            if self.opened is not None and self.opened in items and self.next.get(row) in self.members:
                todo.append(self.next[row])
        return below

    def window(self) -> dict[int, list[Item]]:
        """The selection's children, and near each module on the way to it its siblings."""
        selected, below = self.trail[-1], dict[int, list[Item]]()
        is_leaf = self.index.end[selected] == selected + 1 and selected > 0
        shown = self.trail[:-1] if is_leaf else self.trail
        for above, row in self.next.items():
            below[above] = self._near(above, row)
        here = shown[-1]
        children = self._children(here)
        start = 0 if self.opened else self.start
        if is_leaf and not start and selected in children:
            start = children.index(selected) // PAGE * PAGE
        below[here] = _page(here, children, start)
        if len(shown) > MOST_LEVELS:
            self._leave_out(below, shown)
        return below

    def _children(self, row: int) -> list[Item]:
        if self.likeness is None:
            return [*self.index.children(row)]
        items: list[Item] = []
        for run in runs(self.index, row, self.likeness):
            items.extend(self._of(run, self.next.get(row)))
        return items

    def _of(self, run: Run, on_way: int | None) -> list[Item]:
        if len(run.rows) < LEAST_FOLDED:
            return [*run.rows]
        if self.unfold is not None and run.rows[0] <= self.unfold <= run.rows[-1] and self.unfold in run.rows:
            self._open(run, on_way)
            return [run]
        if on_way is None or not run.rows[0] <= on_way <= run.rows[-1]:
            self.has_runs = True
            return [run]
        at = run.rows.index(on_way)
        return [*self._part(run.rows[:at]), on_way, *self._part(run.rows[at + 1 :])]

    def _part(self, rows: Sequence[int]) -> list[Item]:
        if len(rows) < LEAST_FOLDED:
            # What is below them is below the one on the trail too.
            self.shut.update(rows)
            return [*rows]
        self.has_runs = True
        return [run_of(self.index, rows)]

    def _open(self, run: Run, on_way: int | None) -> None:
        self.opened, self.has_runs = run, True
        rows: list[Item] = [*run.rows]
        start = self.start
        if not start and on_way in rows:
            start = rows.index(on_way) // PAGE * PAGE
        self.members = _page(None, rows, start)

    def _near(self, above: int, row: int) -> list[Item]:
        items = self._children(above)
        if len(items) <= MOST_NEAR or row not in items:
            return items
        first = max(0, min(items.index(row) - MOST_NEAR // 2, len(items) - MOST_NEAR))
        return _cut(above, items, first, MOST_NEAR, (first - PAGE) if first > PAGE else 0)

    def _leave_out(self, below: dict[int, list[Item]], shown: Sequence[int]) -> None:
        # Of a long way down, the root and the last levels stand; what is between is one line.
        for row in shown[1 : -(MOST_LEVELS - 2)]:
            below.pop(row, None)
        first = shown[-(MOST_LEVELS - 2)]
        between = len(shown) - 1 - (MOST_LEVELS - 2)
        below[0] = [Rest(levels_between(between), shown[len(shown) // 2]), first]


def _page(above: int | None, items: list[Item], start: int) -> list[Item]:
    first = min(max(start, 0), max(len(items) - 1, 0))
    return _cut(above, items, first, PAGE, max(0, first - PAGE))


def _cut(above: int | None, items: list[Item], first: int, size: int, back: int) -> list[Item]:
    found = items[first : first + size]
    before, after = _num_modules(items[:first]), _num_modules(items[first + size :])
    if before:
        found.insert(0, Rest(_before(before, min(first, PAGE) if first > PAGE else 0), above, back))
    if after:
        following = min(len(items) - first - size, PAGE)
        numbers = {"num": filters.exact(after), "next": filters.exact(following)}
        found.append(Rest(_("%(num)s more, next %(next)s", **numbers), above, first + size))
    return found


def _num_modules(items: Sequence[Item]) -> int:
    return sum(len(item.rows) if isinstance(item, Run) else 1 for item in items)


def levels_between(count: int) -> str:
    """Return how many levels are left out between two that are listed."""
    return ngettext("%(num)s level between", "%(num)s levels between", count, num=filters.exact(count))


def _before(count: int, step: int) -> str:
    if not step:
        return _("%(num)s before", num=filters.exact(count))
    return _("%(num)s before, show %(step)s", num=filters.exact(count), step=filters.exact(step))
