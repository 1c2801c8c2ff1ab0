"""The rows of the builder: each module of LinearModels with its own tensors as fields to type in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from app.pages.links import with_query
from app.pages.marks import shape_text
from app.trees.index import TreeIndex
from app.trees.spec_text import NUMBERS, tensor_text
from app.trees.tensors import TensorColumns

MOST_ROWS = 300
MOST_ELEMENTS = 64
MOST_WRITTEN = 20_000
DEEPEST = 16


@dataclass(frozen=True, slots=True)
class ValueField:
    """One own tensor: the field's name in its form, the text in it, the one of its value, and what is wrong.

    `is_set` is `requires_grad` of a parameter, `persistent` of a buffer.
    """

    key: str
    name: str
    text: str
    was: str
    about: str
    is_buffer: bool
    is_set: bool
    is_editable: bool
    problem: str = ""


@dataclass(frozen=True, slots=True)
class BuildRow:
    """One module: what its form shows and which of its buttons mean something; `hidden_url` shows what is below it.

    `weight` and `bias` are None where the module has none of that name; other parameters and buffers are `others`.
    """

    row: int
    path: str
    name: str
    name_was: str
    depth: int
    url: str
    weight: ValueField | None
    bias: ValueField | None
    others: tuple[ValueField, ...]
    is_frozen: bool
    is_eval: bool
    can_up: bool
    can_down: bool
    can_in: bool
    can_out: bool
    num_hidden: int
    hidden_url: str
    name_problem: str = ""
    problem: str = ""

    def with_typed(self, typed: Mapping[str, str], problems: Mapping[str, str]) -> "BuildRow":
        """Return the row as it was filled in, each problem at its field; what no field is to blame for stands below."""
        fields = {
            key: None if field is None else _typed(field, typed, problems)
            for key, field in (("weight", self.weight), ("bias", self.bias))
        }
        others = tuple(_typed(field, typed, problems) for field in self.others)
        return replace(
            self,
            name=typed.get("name", self.name),
            weight=fields["weight"],
            bias=fields["bias"],
            others=others,
            name_problem=problems.get("name", ""),
            problem=problems.get("", ""),
        )


def build_rows(index: TreeIndex, top: int, tree_url: str, revision: int) -> tuple[BuildRow, ...]:
    """Return the rows of the subtree, or of the module at its top and its children where it is larger than a page."""
    shown = shown_rows(index, top)
    rows = _Rows(index, top, tree_url, revision)
    return tuple(rows.row(row, path) for row, path in zip(shown, index.paths(shown), strict=True))


def shown_rows(index: TreeIndex, top: int) -> list[int]:
    """Return the rows that a page from `top` on shows: the subtree, or only children where it is larger than a page."""
    if index.end[top] - top <= MOST_ROWS:
        return list(range(top, index.end[top]))
    return [top, *index.children(top)][:MOST_ROWS]


def fields_of(index: TreeIndex, row: int) -> Iterator[ValueField]:
    """Yield a field for each tensor of the module's own, parameters first."""
    for kind, columns in (("p", index.parameters), ("b", index.buffers)):
        for number, entry in enumerate(index.own(columns, row)):
            yield _field(index, columns, entry, f"{kind}{number}")


def fits(index: TreeIndex, top: int = 0) -> bool:
    """Whether the program of the subtree is short enough for a page: in modules, and in the numbers that it spells."""
    num_numbers = int(index.totals.num_parameters[top]) + int(index.totals.num_buffers[top])
    return index.end[top] - top <= MOST_ROWS and num_numbers <= MOST_WRITTEN


def as_typed(text: str) -> str:
    """Return a name as a text field gives it back: without the line breaks that browsers take out."""
    return text.replace("\r", "").replace("\n", "")


class _Rows:
    def __init__(self, index: TreeIndex, top: int, tree_url: str, revision: int) -> None:
        self.index = index
        self.top = top
        self.tree_url = tree_url
        self.revision = str(revision)
        self.is_whole = index.end[top] - top <= MOST_ROWS

    def row(self, row: int, path: str) -> BuildRow:
        index = self.index
        fields = list(fields_of(index, row))
        numbers = {field.name: field for field in fields if field.name in NUMBERS and not field.is_buffer}
        below = 0 if self.is_whole or row == self.top else index.end[row] - row - 1
        is_inside = row != self.top
        up, down = self._siblings(row) if is_inside else (False, False)
        own = index.own(index.parameters, row)
        return BuildRow(
            row=row,
            path=path,
            name=index.name[row],
            name_was=index.name[row],
            depth=min(index.depth[row] - index.depth[self.top], DEEPEST),
            url=with_query(f"{self.tree_url}/build", top=self._top(), row=str(row), revision=self.revision),
            weight=numbers.get("weight"),
            bias=numbers.get("bias"),
            others=tuple(field for field in fields if field is not numbers.get(field.name)),
            is_frozen=bool(own) and not any(index.parameters.flag[entry] for entry in own),
            is_eval=not index.training[row],
            can_up=up,
            can_down=down,
            can_in=up,
            can_out=is_inside and index.parent[row] != self.top,
            num_hidden=below,
            hidden_url=with_query(f"{self.tree_url}/build", top=str(row)) if below else "",
        )

    def _siblings(self, row: int) -> tuple[bool, bool]:
        parent = self.index.parent[row]
        return row != parent + 1, self.index.end[row] != self.index.end[parent]

    def _top(self) -> str:
        return str(self.top) if self.top else ""


def _field(index: TreeIndex, columns: TensorColumns, entry: int, key: str) -> ValueField:
    tensor, kind = columns.tensor[entry], index.kinds.all[columns.kind[entry]]
    is_editable, is_buffer = tensor.numel() <= MOST_ELEMENTS, columns is index.buffers
    text = tensor_text(tensor) if is_editable else ""
    return ValueField(
        key=key,
        name=columns.name[entry],
        text=text,
        was=text,
        about=f"{shape_text(kind.shape)} {kind.dtype_name}",
        is_buffer=is_buffer,
        is_set=bool(columns.flag[entry]),
        is_editable=is_editable,
    )


def _typed(field: ValueField, typed: Mapping[str, str], problems: Mapping[str, str]) -> ValueField:
    return replace(field, text=typed.get(field.key, field.text), problem=problems.get(field.key, ""))
