"""The folded tree as rows that open: each module once, each run of like siblings once."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.pages import filters
from app.pages.hues import hues
from app.pages.links import module_url, tree_url, with_query
from app.pages.marks import span_text, swatch_of
from app.translation import gettext as _
from app.trees.fold import Run, run_totals, runs
from app.trees.index import TreeIndex
from app.trees.likeness import Likeness
from app.trees.runs_of_names import numbered

MOST_ROWS = 600
MOST_LEVELS = 24
ALL_OPEN_ROWS = 80
OPEN_LEVELS = 2
MOST_MEMBERS = 24


@dataclass(frozen=True, slots=True)
class Member:
    """One of a run, by its name."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Members:
    """The siblings of a run: the first of them as links, any other by its number."""

    shown: tuple[Member, ...]
    count: int
    first: str
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class FoldedLine:
    """A module, or a run of `count` like siblings, with what is below the first of them.

    `each` are parameters of one, `total` those of all of a run. `num_hidden` places below are not listed.
    """

    label: str
    url: str
    count: int
    same: str
    class_name: str
    swatch: str
    extra_repr: str
    each: int
    total: int
    is_open: bool
    members: Members | None
    items: "tuple[FoldedLine, ...]"
    num_hidden: int
    hidden_url: str


@dataclass(frozen=True, slots=True)
class FoldedView:
    """The rows of a subtree; `num_cut` of its direct children are not listed."""

    top: FoldedLine
    num_rows: int
    num_places: int
    num_cut: int


def folded_view(index: TreeIndex, tree_id: str, root_name: str, top: int) -> FoldedView:
    """Return the module at a row and what is below, as deep as some 600 rows go."""
    return _Builder(index, tree_id, root_name, top).view()


class _Builder:
    def __init__(self, index: TreeIndex, tree_id: str, root_name: str, top: int) -> None:
        self.index = index
        self.tree_id = tree_id
        self.root_name = root_name
        self.top = top
        self.num_cut = 0
        self.slots = hues(cls.name for cls in index.classes)
        self.below = self._listed()
        self.rows = sorted([top, *(run.rows[0] for each in self.below.values() for run in each)])
        self.paths = dict(zip(self.rows, index.paths(self.rows), strict=True))

    def _listed(self) -> dict[int, list[Run]]:
        """Level by level, as long as a whole level still goes onto the page."""
        likeness, listed, level = Likeness(self.index), dict[int, list[Run]](), [self.top]
        count = 1
        for depth in range(MOST_LEVELS):
            below = {row: found for row in level if (found := list(runs(self.index, row, likeness)))}
            more = sum(map(len, below.values()))
            if count + more > MOST_ROWS:
                if depth:
                    break
                self.num_cut = more - MOST_ROWS
                below = {self.top: below[self.top][:MOST_ROWS]}
            listed |= below
            count += more
            level = [run.rows[0] for each in below.values() for run in each]
        return listed

    def view(self) -> FoldedView:
        index, top = self.index, self.top
        made: dict[int, FoldedLine] = {}
        depth = {top: 0}
        for row in self.rows:
            depth |= {run.rows[0]: depth[row] + 1 for run in self.below.get(row, ())}
        run_of = {run.rows[0]: run for each in self.below.values() for run in each}
        name = index.name[top] if top else self.root_name
        run_of[top] = Run([top], name)
        for row in reversed(self.rows):
            items = tuple(made.pop(run.rows[0]) for run in self.below.get(row, ()))
            made[row] = self._line(run_of[row], items, depth[row])
        return FoldedView(made[top], len(self.rows), index.end[top] - top, self.num_cut)

    def _line(self, run: Run, items: tuple[FoldedLine, ...], depth: int) -> FoldedLine:
        index, row, path = self.index, run.rows[0], self.paths[run.rows[0]]
        cls, count = index.classes[index.class_id[row]], len(run.rows)
        each, num_distinct = int(index.totals.num_parameters[row]), len({int(index.first[one]) for one in run.rows})
        return FoldedLine(
            label=span_text(index.name[row], index.name[run.rows[-1]]) if count > 1 else run.label,
            url=module_url(self.tree_id, path, row),
            count=count,
            same=_("%(num)s distinct", num=filters.exact(num_distinct)) if num_distinct < count else "",
            class_name=cls.shown,
            swatch=swatch_of(cls.name, self.slots, each),
            extra_repr=index.extra_repr.get(row, ""),
            each=each,
            total=run_totals(index, run).num_parameters,
            is_open=depth < OPEN_LEVELS or len(self.rows) <= ALL_OPEN_ROWS,
            members=self._members(run, path) if count > 1 else None,
            items=items,
            num_hidden=0 if row in self.below else index.end[row] - row - 1,
            hidden_url=with_query(f"{tree_url(self.tree_id)}/folded", target=path),
        )

    def _members(self, run: Run, path: str) -> Members:
        first = numbered(self.index.name[run.rows[0]])
        assert first is not None
        shown = tuple(self._shown(run, path))
        return Members(shown, len(run.rows), path, first.number, first.number + len(run.rows) - 1)

    def _shown(self, run: Run, path: str) -> Iterator[Member]:
        above, dot, _ = path.rpartition(".")
        for row in run.rows[:MOST_MEMBERS]:
            name = self.index.name[row]
            yield Member(name, module_url(self.tree_id, f"{above}{dot}{name}", row))
