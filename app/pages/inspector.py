"""The inspector: what is known of the selected module, each fact with how it was found."""

from dataclasses import dataclass

from app.pages import filters
from app.pages.calls import Call, in_pytorch, module_code, over_http
from app.pages.counted import ReceiptLine, receipt_lines
from app.pages.facts import Fact, Facts, Insight
from app.pages.hues import hues
from app.pages.links import LONGEST_TARGET, module_url
from app.pages.marks import Badge, Share, buffer_badge, class_badges, shape_text, share_of, swatch_of, values_text
from app.pages.prints import prints_of_modules, prints_of_tensors
from app.pages.tensor_head import tensor_url
from app.pages.visible import clipped, printed
from app.trees.index import TreeIndex
from app.trees.receipts import receipt
from app.trees.rows import BufferRow, ParameterRow
from app.trees.tensors import TensorColumns
from app.trees.texts import repr_of
from app.trees.views import buffer_rows, parameter_rows

TABS = ("overview", "parameters", "buffers", "children", "repr", "change")
REPR_ROWS = 300
REPR_LINES = 12
MOST_TENSORS = 50
MOST_CHILDREN = 50


@dataclass(frozen=True, slots=True)
class Tab:
    """One of the inspector's tabs, with how many things it holds."""

    key: str
    label: str
    url: str
    number: str


@dataclass(frozen=True, slots=True)
class TensorFact:
    """One own tensor: what the tables show and the forms change."""

    name: str
    target: str
    url: str
    shape: str
    dtype: str
    numel: str
    num_bytes: str
    values: str
    typed: str
    flag: str
    badges: tuple[Badge, ...]


@dataclass(frozen=True, slots=True)
class ChildFact:
    """A direct child."""

    name: str
    url: str
    class_name: str
    swatch: str
    share: Share


@dataclass(frozen=True, slots=True)
class Inspector:
    """What stands at the right of the page."""

    target: str
    above: str
    name: str
    class_name: str
    class_badges: tuple[Badge, ...]
    swatch: str
    tab: str
    tabs: tuple[Tab, ...]
    insight: Insight | None
    facts: tuple[Fact, ...]
    receipt: tuple[ReceiptLine, ...]
    parameters: tuple[TensorFact, ...]
    num_more_parameters: int
    buffers: tuple[TensorFact, ...]
    num_more_buffers: int
    children: tuple[ChildFact, ...]
    num_more_children: int
    text: str
    calls: tuple[Call, ...]
    page_url: str


def inspector(
    index: TreeIndex, tree_id: str, root_name: str, row: int, tab: str, origin: str, *, stored: int | None = None
) -> Inspector:
    """Return what is known of the module at `row`, of the tab that is open and of the overview.

    `stored` is how many elements its checkpoint holds for it, where it has one.
    """
    target = index.path(row)
    inspected, facts = _Inspected(index, tree_id, row, target, origin), Facts(index, row)
    above, _, name = target.rpartition(".")
    slots = hues(cls.name for cls in index.classes)
    cls = index.classes[index.class_id[row]]
    parameters, buffers = index.own(index.parameters, row), index.own(index.buffers, row)
    children = index.distinct_children(row)
    text = _text(index, row) if tab in ("overview", "repr") else ""
    return Inspector(
        target=target,
        above=f"{clipped(above, 60)}." if above else ("child of the root" if row else 'root, target ""'),
        name=name if row else root_name,
        class_name=cls.shown,
        class_badges=class_badges(cls.status),
        swatch=swatch_of(cls.name, slots, int(index.totals.num_parameters[row])),
        tab=tab,
        tabs=inspected.tabs(len(parameters), len(buffers), len(children)),
        insight=facts.insight(),
        facts=tuple(facts),
        receipt=receipt_lines(receipt(index, row, stored=stored)) if tab == "overview" else (),
        parameters=tuple(
            _parameter(index, made, tree_id) for made in parameter_rows(index, parameters[:MOST_TENSORS], row)
        ),
        num_more_parameters=max(0, len(parameters) - MOST_TENSORS),
        buffers=tuple(_buffer(index, made, tree_id) for made in buffer_rows(index, buffers[:MOST_TENSORS], row)),
        num_more_buffers=max(0, len(buffers) - MOST_TENSORS),
        children=tuple(inspected.child(child, slots) for child in children[:MOST_CHILDREN]),
        num_more_children=max(0, len(children) - MOST_CHILDREN),
        text=text,
        calls=inspected.calls(text, tab),
        page_url=module_url(tree_id, target, row),
    )


def _text(index: TreeIndex, row: int) -> str:
    if index.end[row] - row > REPR_ROWS:
        return ""
    return printed(repr_of(index, row))


def _first_lines(text: str) -> str:
    lines = text.split("\n")
    return text if len(lines) <= REPR_LINES else "\n".join([*lines[: REPR_LINES - 1], "…"])


class _Inspected:
    def __init__(self, index: TreeIndex, tree_id: str, row: int, target: str, origin: str) -> None:
        self.index = index
        self.tree_id = tree_id
        self.row = row
        self.target = target
        self.origin = origin

    def tabs(self, num_parameters: int, num_buffers: int, num_children: int) -> tuple[Tab, ...]:
        numbers = {"parameters": num_parameters, "buffers": num_buffers, "children": num_children}
        return tuple(
            Tab(
                key,
                key if key == "repr" else key.capitalize(),
                module_url(self.tree_id, self.target, self.row, tab="" if key == "overview" else key),
                filters.exact(numbers[key]) if key in numbers else "",
            )
            for key in TABS
        )

    def child(self, row: int, slots: dict[str, int]) -> ChildFact:
        index = self.index
        cls = index.classes[index.class_id[row]]
        count = int(index.totals.num_parameters[row])
        path = f"{self.target}.{index.name[row]}" if self.target else index.name[row]
        return ChildFact(
            name=index.name[row],
            url=module_url(self.tree_id, path, row),
            class_name=cls.shown,
            swatch=swatch_of(cls.name, slots, count),
            share=share_of(count, int(index.totals.num_parameters[self.row])),
        )

    def calls(self, text: str, tab: str) -> tuple[Call, ...]:
        match tab:
            case "parameters":
                return self.tensor_calls(tab, self.index.parameters)
            case "buffers":
                return self.tensor_calls(tab, self.index.buffers)
            case "children":
                return self.children_calls()
            case "repr":
                return in_pytorch(f"print({module_code(self.target)})"), self._http("repr")
        code = module_code(self.target) if self.target else f"print({module_code(self.target)})"
        lines = filters.exact(self.index.end[self.row] - self.row)
        return in_pytorch(code, _first_lines(text) or f"{lines} modules: see repr"), self._http("get_submodule")

    def tensor_calls(self, kind: str, columns: TensorColumns) -> tuple[Call, ...]:
        one, own = kind.removesuffix("s"), self.index.own(columns, self.row)
        code = f"for name, {one} in {module_code(self.target)}.named_{kind}(recurse=False):\n    print(name, {one})"
        output = prints_of_tensors(self.index, columns, own, self.row, named=True)
        return in_pytorch(code, output), self._http(f"named_{kind}", recurse="false")

    def children_calls(self) -> tuple[Call, ...]:
        code = f"for name, module in {module_code(self.target)}.named_children():\n    print(name, module)"
        output = prints_of_modules(self.index, self.index.distinct_children(self.row), self.row, named=True)
        return in_pytorch(code, output), self._http("named_children")

    def _http(self, method: str, **query: str) -> Call:
        return over_http(self.origin, f"/api/trees/{self.tree_id}/{method}", target=self.target, **query)


def _parameter(index: TreeIndex, row: ParameterRow, tree_id: str) -> TensorFact:
    badges = () if row.requires_grad else (Badge("snowflake", "frozen", "requires no gradient"),)
    return _tensor(index, row, tree_id, "required" if row.requires_grad else "frozen", badges)


def _buffer(index: TreeIndex, row: BufferRow, tree_id: str) -> TensorFact:
    flag = "persistent" if row.persistent else "not persistent"
    return _tensor(index, row, tree_id, flag, (buffer_badge(row.persistent),))


def _tensor(
    index: TreeIndex, row: ParameterRow | BufferRow, tree_id: str, flag: str, badges: tuple[Badge, ...]
) -> TensorFact:
    tied = (Badge("link-2", "tied", f"the same tensor as {clipped(row.shared_with)}"),) if row.shared_with else ()
    return TensorFact(
        name=str(row.name),
        target=row.path,
        url=tensor_url(tree_id, row.path) if len(row.path) <= LONGEST_TARGET else "",
        shape=shape_text(row.shape),
        dtype=row.dtype,
        numel=filters.exact(row.numel),
        num_bytes=filters.num_bytes(row.num_bytes),
        values=values_text(row.values, row.device, is_live=index.is_live),
        typed=_typed(row.values),
        flag=flag,
        badges=(*badges, *tied) if flag != "required" else tied,
    )


def _typed(values: object) -> str:
    """Return the values as a person would type them into a form: plain JSON, every digit."""
    if isinstance(values, list):
        return f"[{', '.join(map(_typed, values))}]"
    if isinstance(values, bool):
        return "true" if values else "false"
    return "" if values is None else repr(values)
