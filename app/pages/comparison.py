"""Modules side by side: their facts, their tensors by name, and what of it differs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from app.pages import filters
from app.pages.hues import hues
from app.pages.links import LONGEST_TARGET, module_url
from app.pages.marks import shape_text, swatch_of
from app.pages.visible import clipped
from app.translation import gettext as _
from app.trees.index import TreeIndex
from app.trees.tensors import TensorColumns

MOST = 8
MOST_TENSORS = 60
MOST_READ = 2_000_000


@dataclass(frozen=True, slots=True)
class Compared:
    """One of the modules, as the head of its column."""

    row: int
    above: str
    name: str
    url: str
    without_url: str
    class_name: str
    swatch: str


@dataclass(frozen=True, slots=True)
class ComparedCell:
    """What one module has; `exact` is the whole figure behind one that is rounded, `more` stands in a second line."""

    text: str
    exact: str = ""
    more: str = ""


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """One thing of all modules; it `differs` where not all are equal."""

    label: str
    cells: tuple[ComparedCell, ...]
    differs: bool
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """Modules side by side; `said` is the sentence on their shapes, `num_more` the tensors that are not listed."""

    modules: tuple[Compared, ...]
    said: str
    are_alike: bool
    facts: tuple[ComparedRow, ...]
    tensors: tuple[ComparedRow, ...]
    num_more: int
    num_left_out: int


def comparison(index: TreeIndex, tree_id: str, root_name: str, asked: Sequence[int]) -> Comparison:
    """Return the modules at rows side by side, the first eight of them."""
    rows = list(dict.fromkeys(asked))
    shown = rows[:MOST]
    names = list(dict.fromkeys(name for row in shown for name in _names(index, row)))
    tensors = _Tensors(index, shown)
    shapes = {index.shapes.shape[row] for row in shown}
    return Comparison(
        modules=tuple(_modules(index, tree_id, root_name, shown)),
        said=_said(index, shown, len(shapes)),
        are_alike=len(shapes) == 1 and len(shown) > 1,
        facts=tuple(_facts(index, shown)),
        tensors=tuple(tensors.row(name) for name in names[:MOST_TENSORS]),
        num_more=max(0, len(names) - MOST_TENSORS),
        num_left_out=len(rows) - len(shown),
    )


def compare_url(tree_id: str, targets: Sequence[str]) -> str:
    """Return the page that compares the modules at some targets."""
    query = urlencode([("target", target) for target in targets])
    return f"/trees/{tree_id}/compare{'?' + query if query else ''}"


def _modules(index: TreeIndex, tree_id: str, root_name: str, rows: Sequence[int]) -> Iterator[Compared]:
    slots = hues(cls.name for cls in index.classes)
    paths = [index.path(row) for row in rows]
    # Only scripts compare modules whose paths are too long for an address, and they know them by row.
    is_short = all(len(path) <= LONGEST_TARGET for path in paths)
    for at, (row, path) in enumerate(zip(rows, paths, strict=True)):
        cls, above = index.classes[index.class_id[row]], path.rpartition(".")[0]
        yield Compared(
            row=row,
            above=f"{clipped(above, 60)}." if above else "",
            name=clipped(index.name[row] if row else root_name, 40),
            url=module_url(tree_id, path, row),
            without_url=compare_url(tree_id, [*paths[:at], *paths[at + 1 :]] if is_short else []),
            class_name=cls.shown,
            swatch=swatch_of(cls.name, slots, int(index.totals.num_parameters[row])),
        )


def _said(index: TreeIndex, rows: Sequence[int], num_shapes: int) -> str:
    if len(rows) < 2:
        return _("Select another module beside this one to compare them.")
    if num_shapes == 1:
        part = index.shapes.ids[index.shapes.shape[rows[0]]][:6]
        return _("The same shape, id %(id)s: class, extra_repr, tensors and children are equal.", id=part)
    shapes, num = filters.exact(num_shapes), filters.exact(len(rows))
    return _("%(shapes)s shapes in %(num)s modules: what differs is marked.", shapes=shapes, num=num)


def _facts(index: TreeIndex, rows: Sequence[int]) -> Iterator[ComparedRow]:
    totals = index.totals

    def counted(label: str, column: Callable[[int], int]) -> ComparedRow:
        return _compared(label, [ComparedCell(filters.exact(column(row))) for row in rows])

    yield _compared(_("Class"), [ComparedCell(index.classes[index.class_id[row]].shown) for row in rows], is_code=True)
    if any(row in index.extra_repr for row in rows):
        yield _compared(
            "extra_repr", [ComparedCell(clipped(index.extra_repr.get(row, ""), 80)) for row in rows], is_code=True
        )
    yield counted(_("Parameters"), lambda row: int(totals.num_parameters[row]))
    yield counted(_("Trainable"), lambda row: int(totals.num_trainable[row]))
    yield counted(_("Buffers"), lambda row: int(totals.num_buffers[row]))
    sizes = [int(totals.num_bytes[row]) for row in rows]
    yield _compared(
        _("Bytes"), [ComparedCell(filters.num_bytes(size), f"{filters.exact(size)}{filters.THIN}B") for size in sizes]
    )
    yield counted(_("Modules"), lambda row: int(totals.num_modules[row]))
    yield counted(_("Children"), lambda row: int(totals.num_children[row]))
    modes = [_("train mode") if index.training[row] else _("eval mode") for row in rows]
    yield _compared(_("Mode"), [ComparedCell(mode) for mode in modes])
    ids = [index.shapes.ids[index.shapes.shape[row]] for row in rows]
    yield _compared(_("Shape id"), [ComparedCell(one[:6], one) for one in ids], is_code=True)


def _names(index: TreeIndex, row: int) -> list[str]:
    return [
        columns.name[entry]
        for columns in (index.parameters, index.buffers)
        for entry in index.own(columns, row)[:MOST_TENSORS]
    ]


class _Tensors:
    """The own tensors of some modules, by name."""

    def __init__(self, index: TreeIndex, rows: Sequence[int]) -> None:
        self.index = index
        self.own: list[dict[str, tuple[TensorColumns, int]]] = [
            {
                columns.name[entry]: (columns, entry)
                for columns in (index.buffers, index.parameters)
                for entry in index.own(columns, row)
            }
            for row in rows
        ]

    def row(self, name: str) -> ComparedRow:
        """Return the tensors of that name side by side."""
        cells = [self._cell(own.get(name)) for own in self.own]
        return _compared(clipped(name, 40), cells, is_code=True)

    def _cell(self, place: tuple[TensorColumns, int] | None) -> ComparedCell:
        if place is None:
            return ComparedCell(filters.DASH)
        columns, entry = place
        kind = self.index.kinds.all[columns.kind[entry]]
        flags = [] if columns is self.index.parameters else [_("buffer")]
        if columns is self.index.parameters and not columns.flag[entry]:
            flags.append(_("frozen"))
        text = " ".join([shape_text(kind.shape), kind.dtype_name, *flags])
        return ComparedCell(text, more=self._statistics(columns, entry, kind.numel))

    def _statistics(self, columns: TensorColumns, entry: int, numel: int) -> str:
        if not self.index.is_live or not 0 < numel <= MOST_READ:
            return ""
        if numel == 1:
            return filters.value(columns.tensor[entry].detach().reshape(()).item())
        stats = self.index.data.stats(columns, entry)
        if stats is None or stats.mean is None:
            return ""
        std = "" if stats.std is None else f", std {filters.significant(stats.std)}"
        return f"mean {filters.significant(stats.mean)}{std}"


def _compared(label: str, cells: Sequence[ComparedCell], *, is_code: bool = False) -> ComparedRow:
    return ComparedRow(label, tuple(cells), len(set(cells)) > 1, is_code)
