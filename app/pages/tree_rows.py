"""The tree at the left of the page: a line for each module, run of like siblings, and tensor that is listed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from app.pages import filters
from app.pages.facets import Facet, facets
from app.pages.hues import hues
from app.pages.links import module_url
from app.pages.listed import Item, listed, trail_to
from app.pages.marks import Badge, Share, buffer_badge, lone_value, shape_text, share_of, span_text, swatch_of
from app.pages.visible import clipped
from app.translation import gettext as _
from app.translation import ngettext
from app.trees.fold import Run, run_totals
from app.trees.gradient import Reach
from app.trees.index import TreeIndex
from app.trees.tensors import TensorColumns

TENSOR_MODULES = 12
MOST_TENSORS = 12


@dataclass(frozen=True, slots=True)
class TensorLine:
    """A parameter or buffer of a module, one level below its row."""

    name: str
    about: str
    value: str
    badges: tuple[Badge, ...]
    share: Share


@dataclass(frozen=True, slots=True)
class ModuleLine:
    """A module's row, and the rows below it."""

    kind: ClassVar[str] = "module"

    name: str
    url: str
    class_name: str
    is_inferred: bool
    swatch: str
    extra_repr: str
    badges: tuple[Badge, ...]
    share: Share
    is_selected: bool
    is_ancestor: bool
    has_children: bool
    tensors: tuple[TensorLine, ...]
    items: "tuple[Line, ...]"


@dataclass(frozen=True, slots=True)
class MoreLine:
    """Modules that are there and not listed, and where they are."""

    kind: ClassVar[str] = "more"

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class RunLine:
    """Siblings that are alike, in one row with what all of them come to; `items` where it is open.

    `url` opens the first of them, `turn_url` lists all of them, or folds them again.
    """

    kind: ClassVar[str] = "run"

    label: str
    count: int
    url: str
    turn_url: str
    is_open: bool
    class_name: str
    is_inferred: bool
    swatch: str
    extra_repr: str
    badges: tuple[Badge, ...]
    share: Share
    items: "tuple[Line, ...]"


Line: TypeAlias = ModuleLine | RunLine | MoreLine


@dataclass(frozen=True, slots=True)
class TreeView:
    """The rows from the root on, and what stands under them."""

    root: ModuleLine
    is_whole: bool
    note: str
    with_values: bool
    num_modules: int
    selected: int
    facets: tuple[Facet, ...]
    no_grad: str


def tree_view(
    index: TreeIndex, tree_id: str, root_name: str, selected: int, start: int = 0, unfold: int | None = None
) -> TreeView:
    """Return the rows to show about the row `selected`; `start` and `unfold` are as `listed` takes them."""
    builder = _Builder(index, tree_id, root_name, selected, start, unfold)
    root = builder.root()
    return TreeView(
        root=root,
        is_whole=not builder.listed.note,
        note=builder.listed.note,
        with_values=builder.all_tensors and builder.has_value,
        num_modules=int(index.totals.num_modules[0]),
        selected=selected,
        facets=facets(index, tree_id),
        no_grad=_no_grad(index),
    )


class _Builder:
    def __init__(
        self, index: TreeIndex, tree_id: str, root_name: str, selected: int, start: int, unfold: int | None
    ) -> None:
        self.index = index
        self.tree_id = tree_id
        self.root_name = root_name
        self.selected = selected
        # Where every value is shown, like siblings differ in what they show.
        self.all_tensors = len(index) <= TENSOR_MODULES
        self.has_value = False
        trail = trail_to(index, selected)
        self.ancestors = frozenset(trail[:-1])
        self.listed = listed(index, trail, folds=not self.all_tensors, unfold=unfold, start=start)
        self.opened = self.listed.opened
        self.hues = hues(cls.name for cls in index.classes)
        self.reach = Reach(index)
        self.num_parameters = int(index.totals.num_parameters[0])
        rows = self.listed.rows()
        self.paths = dict(zip(rows, index.paths(rows), strict=True))
        self.lines: dict[int, ModuleLine] = {}

    def root(self) -> ModuleLine:
        """Return the root's line, the lines of its subtree built from the last row to the first."""
        for row in reversed(self.paths):
            self.lines[row] = self._module(row, tuple(map(self._item, self.listed.below.get(row, ()))))
        return self.lines[0]

    def _item(self, item: Item) -> Line:
        if isinstance(item, int):
            return self.lines.pop(item)
        if isinstance(item, Run):
            return self._run(item)
        if item.row is None:
            return MoreLine(item.text, self._url(self.selected, item.start))
        query = {"from": str(item.start) if item.start else ""}
        return MoreLine(item.text, module_url(self.tree_id, self.index.path(item.row), item.row, **query))

    def _run(self, run: Run) -> RunLine:
        index, row = self.index, run.rows[0]
        is_open = run is self.opened
        cls = index.classes[index.class_id[row]]
        total = run_totals(index, run).num_parameters
        unfold = "" if is_open else str(row)
        return RunLine(
            label=span_text(index.name[row], index.name[run.rows[-1]]),
            count=len(run.rows),
            url=self._url(row),
            turn_url=module_url(self.tree_id, index.path(self.selected), self.selected, unfold=unfold),
            is_open=is_open,
            class_name=cls.shown,
            is_inferred=cls.inferred,
            swatch=swatch_of(cls.name, self.hues, total),
            extra_repr=index.extra_repr.get(row, ""),
            badges=tuple(self._run_badges(run)),
            share=share_of(total, self.num_parameters),
            items=tuple(map(self._item, self.listed.members)) if is_open else (),
        )

    def _run_badges(self, run: Run) -> Iterator[Badge]:
        num_distinct = len({int(self.index.first[row]) for row in run.rows})
        if num_distinct < len(run.rows):
            word = _("%(num)s distinct", num=filters.exact(num_distinct))
            yield Badge("link-2", word, _("the same module at several of these places"))
        yield from self._badges(run.rows[0])

    def _url(self, row: int, start: int = 0) -> str:
        # A run stays open while its members are looked at one by one.
        query = {"from": str(start) if start else "", "unfold": str(self.opened.rows[0]) if self.opened else ""}
        return module_url(self.tree_id, self.paths.get(row) or self.index.path(row), row, **query)

    def _module(self, row: int, items: tuple[Line, ...]) -> ModuleLine:
        index = self.index
        cls, count = index.classes[index.class_id[row]], int(index.totals.num_parameters[row])
        return ModuleLine(
            name=index.name[row] if row else self.root_name,
            url=self._url(row),
            class_name=cls.shown,
            is_inferred=cls.inferred,
            swatch=swatch_of(cls.name, self.hues, count),
            extra_repr=index.extra_repr.get(row, ""),
            badges=tuple(self._badges(row)),
            share=share_of(count, self.num_parameters),
            is_selected=row == self.selected,
            is_ancestor=row in self.ancestors,
            has_children=index.end[row] > row + 1,
            tensors=tuple(self._tensors(row)) if self.all_tensors or row == self.selected else (),
            items=items,
        )

    def _badges(self, row: int) -> Iterator[Badge]:
        index, totals = self.index, self.index.totals
        if (first := int(index.first[row])) != row:
            path = clipped(index.path(first), 200) or self.root_name
            yield Badge("link-2", _("shared"), _("the same module as %(path)s", path=path))
        elif not self.all_tensors and (tied := self._tied_to(row)):
            name = clipped(tied.rpartition(".")[2], 20)
            title = _("a parameter of it is that of %(path)s", path=clipped(tied, 200))
            yield Badge("link-2", _("tied to %(name)s", name=name), title)
        if totals.num_parameters[row] and not totals.num_trainable[row]:
            yield Badge("snowflake", _("frozen"), _("no parameter below requires a gradient"))
        if index.buffers.start[row + 1] > index.buffers.start[row] and not self.all_tensors:
            number = len(index.own(index.buffers, row))
            word = ngettext("%(num)s buffer", "%(num)s buffers", number, num=filters.exact(number))
            yield Badge("database", word)
        if not index.training[row]:
            yield Badge("moon", _("eval"), _("in evaluation mode"))
        if not self.reach(row) and (self.all_tensors or self.reach(index.parent[row])):
            title = _("forward never calls it, so its gradients stay None")
            yield Badge("unplug", _("no grad"), title, "bad")

    def _tied_to(self, row: int) -> str:
        columns = self.index.parameters
        for entry in self.index.own(columns, row):
            if (first := int(columns.first[entry])) != entry:
                return self.index.path(columns.owner[first]) or self.root_name
        return ""

    def _tensors(self, row: int) -> Iterator[TensorLine]:
        for columns, is_buffer in ((self.index.parameters, False), (self.index.buffers, True)):
            entries = self.index.own(columns, row)[:MOST_TENSORS]
            values = self.index.data.values(columns, entries)
            for entry, value in zip(entries, values, strict=True):
                yield self._tensor(columns, entry, is_buffer, value)

    def _tensor(self, columns: TensorColumns, entry: int, is_buffer: bool, value: object) -> TensorLine:
        kind = self.index.kinds.all[columns.kind[entry]]
        badges = []
        if is_buffer:
            badges.append(buffer_badge(bool(columns.flag[entry])))
        elif not columns.flag[entry]:
            badges.append(Badge("snowflake", _("frozen"), _("requires no gradient")))
        if int(columns.first[entry]) != entry:
            badges.append(Badge("link-2", _("tied"), _("the same tensor as one before")))
        text = lone_value(value)
        self.has_value |= bool(text)
        return TensorLine(
            name=columns.name[entry],
            about=f"{shape_text(kind.shape)} {kind.dtype_name}",
            value=text,
            badges=tuple(badges),
            share=share_of(0 if is_buffer else kind.numel, self.num_parameters),
        )


def _no_grad(index: TreeIndex) -> str:
    if len(index) == 1 or Reach(index)(1):
        return ""
    own = sum(index.kinds.all[index.parameters.kind[entry]].numel for entry in index.own(index.parameters, 0))
    count = int(index.totals.num_parameters[0])
    numbers = {"num": filters.exact(count - own), "total": filters.exact(count)}
    return _("%(num)s of %(total)s parameters receive no gradient", **numbers)
