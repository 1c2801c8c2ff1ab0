"""What is known of a module: facts with their receipts, and what a person should know."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.pages import filters
from app.pages.gradient import Reach
from app.pages.visible import clipped
from app.trees.description import ModuleClass
from app.trees.dtypes import num_bits
from app.trees.index import TreeIndex
from app.trees.linear import LinearModel

CHECKED_ROWS = 1_000
CHECKED_DEPTH = 200
MOST_TERMS = 4
DEVICES = {
    "meta": "shapes, no values",
    "file": "values are read when asked for",
    "cpu": "built there; its values are not kept",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact and its receipt; `is_checked` only where the figure was computed a second way and came out equal."""

    label: str
    value: str
    receipt: str
    is_checked: bool = False
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class Insight:
    """Something that a person should know about the selected module."""

    title: str
    text: str


class Facts:
    """What is known of the module at a row."""

    def __init__(self, index: TreeIndex, row: int) -> None:
        self.index = index
        self.row = row
        self.module = index.modules[row] if index.is_live else None

    def insight(self) -> Insight | None:
        """What the tutorial's forward leaves out: the children, so that no gradient reaches them."""
        reach, children = Reach(self.index), list(self.index.children(self.row))
        if not reach(self.row):
            return Insight(
                f"No gradient reaches {clipped(self.index.name[self.row], 40)}: forward never calls it.",
                "Its parameters keep their first values while the tree trains; their grad stays None.",
            )
        if children and not reach(children[0]):
            names = [clipped(self.index.name[child], 40) for child in children[:3]]
            said = ", ".join(names) + (f" and {filters.exact(len(children) - 3)} more" if len(children) > 3 else "")
            return Insight(
                f"No gradient reaches {said}: forward never calls {filters.plural(len(children), 'it', 'them')}.",
                "y = x * weight + bias leaves children out: their parameters keep their values, their grad stays None.",
            )
        return None

    def __iter__(self) -> Iterator[Fact]:
        index, totals, row = self.index, self.index.totals, self.row
        cls = index.classes[index.class_id[row]]
        yield Fact("Class", cls.shown, _class_receipt(cls), is_code=True)
        if isinstance(self.module, LinearModel):
            yield self._forward(self.module)
            if line := _line(self.module):
                yield Fact("Now", line, "weight and bias as they are", is_code=True)
        count = int(totals.num_parameters[row])
        yield Fact("Parameters", filters.exact(count), self._sum(), self._is_sum(count))
        yield self._bytes(count)
        if row:
            parent = index.parent[row]
            of_parent = filters.percent(count, int(totals.num_parameters[parent]))
            of = f"of the tree; {of_parent} of {clipped(index.name[parent], 30)}" if parent else "of the tree"
            yield Fact("Share", filters.percent(count, int(totals.num_parameters[0])) or filters.DASH, of)
        yield self._trainable(count)
        yield from self._device()
        yield Fact("Modules", filters.exact(int(totals.num_modules[row])), self._below())
        if buffers := int(totals.num_buffers[row]):
            yield Fact("Buffers", filters.exact(buffers), filters.plural(buffers, "element", "elements"))
        shape = index.shapes.shape[row]
        if (places := index.shapes.shape.count(shape)) > 1:
            yield Fact("Same shape", f"{filters.exact(places)} places", f"shape id {index.shapes.ids[shape][:6]}")
        if (first := int(index.first[row])) != row:
            yield Fact("Shared with", clipped(index.path(first), 60) or "the root", "the same module", is_code=True)

    def _forward(self, module: LinearModel) -> Fact:
        if module.chain:
            children = list(self.index.children(self.row))
            names = ", ".join(clipped(self.index.name[child], 30) for child in children[:3])
            then = f"chain: then {names}{', …' if len(children) > 3 else ''}" if children else "chain: it ends here"
            return Fact("Forward", "x * weight + bias", then, is_code=True)
        has_children = self.index.end[self.row] > self.row + 1
        return Fact("Forward", "x * weight + bias", "own: children unused" if has_children else "own", is_code=True)

    def _sum(self) -> str:
        index, row = self.index, self.row
        own = sum(index.kinds.all[index.parameters.kind[entry]].numel for entry in index.own(index.parameters, row))
        children = index.distinct_children(row)
        terms = [f"{filters.exact(int(index.totals.num_parameters[child]))}" for child in children[:MOST_TERMS]]
        if len(children) > MOST_TERMS:
            rest = sum(int(index.totals.num_parameters[child]) for child in children[MOST_TERMS:])
            terms.append(f"{filters.exact(rest)} in {filters.exact(len(children) - MOST_TERMS)} more")
        summed = own + sum(int(index.totals.num_parameters[child]) for child in children)
        again = summed - int(index.totals.num_parameters[row])
        # A tensor that stands in several of the terms is counted once.
        less = f" {filters.MINUS} {filters.exact(again)} tied" if again else ""
        return " + ".join([f"{filters.exact(own)} own", *terms]) + less

    def _is_sum(self, count: int) -> bool:
        # torch's own walk recurses, so it is asked only where it is short and cheap.
        index, row = self.index, self.row
        if (
            index.end[row] - row > CHECKED_ROWS
            or max(index.depth[row : index.end[row]]) - index.depth[row] > CHECKED_DEPTH
        ):
            return False
        if self.module is not None:
            return sum(parameter.numel() for parameter in self.module.parameters()) == count
        columns = index.parameters
        own = slice(columns.start[row], columns.start[index.end[row]])
        kinds = dict(zip(columns.identity[own].tolist(), columns.kind[own], strict=True))
        return sum(index.kinds.all[kind].numel for kind in kinds.values()) == count

    def _bytes(self, count: int) -> Fact:
        index, row = self.index, self.row
        size = int(index.totals.num_bytes[row])
        start, stop = index.parameters.start[row], index.parameters.start[index.end[row]]
        words = {index.kinds.all[number].dtype_name for number in set(index.parameters.kind[start:stop])}
        if len(words) == 1 and not index.totals.num_buffers[row] and (bits := num_bits(word := words.pop())) % 8 == 0:
            receipt = f"{filters.exact(count)} × {bits // 8}, {word}"
            return Fact("Bytes", filters.num_bytes(size), receipt, count * bits // 8 == size)
        return Fact("Bytes", filters.num_bytes(size), "parameters and buffers")

    def _trainable(self, count: int) -> Fact:
        trainable = int(self.index.totals.num_trainable[self.row])
        said = "all" if trainable == count else filters.exact(trainable) if trainable else "none"
        mode = "train mode" if self.index.training[self.row] else "eval mode"
        return Fact(
            "Trainable",
            said if count else filters.DASH,
            f"{filters.exact(trainable)} of {filters.exact(count)}; {mode}",
        )

    def _device(self) -> Iterator[Fact]:
        # Of a live tree all values are here, and its tensors on the CPU.
        if self.index.is_live:
            return
        numbers = {
            number
            for columns in (self.index.parameters, self.index.buffers)
            for number in columns.kind[columns.start[self.row] : columns.start[self.index.end[self.row]]]
        }
        devices = sorted({self.index.kinds.all[number].device for number in numbers})
        if devices:
            said = DEVICES.get(devices[0], "") if len(devices) == 1 else ""
            yield Fact("Device", ", ".join(devices), said, is_code=True)

    def _below(self) -> str:
        index, row = self.index, self.row
        deepest = max(index.depth[row : index.end[row]]) - index.depth[row]
        children = int(index.totals.num_children[row])
        below = f"{filters.exact(deepest)} {filters.plural(deepest, 'level', 'levels')} below"
        return f"{filters.exact(children)} {filters.plural(children, 'child', 'children')}, {below}"


def _class_receipt(cls: ModuleClass) -> str:
    match cls.status:
        case "inferred":
            return f"{cls.module}; inferred from names and shapes"
        case "unknown":
            return "not known: a file of tensors does not say"
    return cls.module


def _line(module: LinearModel) -> str:
    numbers = [module._parameters.get(name) for name in ("weight", "bias")]
    if any(number is None or number.numel() != 1 for number in numbers):
        return ""
    weight, bias = (float(number.item()) for number in numbers if number is not None)
    return f"{filters.significant(weight)} x {filters.signed(bias)}"
