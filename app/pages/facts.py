"""What is known of a module: facts with their receipts."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.pages import filters
from app.pages.links import tree_url
from app.pages.visible import clipped
from app.translation import N_, ngettext
from app.translation import gettext as _
from app.trees.description import ModuleClass
from app.trees.dtypes import num_bits
from app.trees.index import TreeIndex
from app.trees.linear import LinearModel
from app.trees.sources.trained_data import TrainedData

CHECKED_ROWS = 1_000
CHECKED_DEPTH = 200
MOST_TERMS = 4
DEVICES = {
    "meta": N_("shapes, no values"),
    "file": N_("values are read when asked for"),
    "cpu": N_("built there; its values are not kept"),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact and its receipt; `is_checked` only where the figure was computed a second way and came out equal.

    `exact` is the whole figure behind one that is rounded, `url` where its receipt leads to.
    """

    label: str
    value: str
    receipt: str
    is_checked: bool = False
    is_code: bool = False
    exact: str = ""
    url: str = ""


class Facts:
    """What is known of the module at a row."""

    def __init__(self, index: TreeIndex, row: int, tree_id: str) -> None:
        self.index = index
        self.row = row
        self.tree_id = tree_id
        self.module = index.modules[row] if index.is_live else None

    def __iter__(self) -> Iterator[Fact]:
        index, row = self.index, self.row
        cls = index.classes[index.class_id[row]]
        yield Fact(_("Class"), cls.shown, _class_receipt(cls), is_code=True)
        if isinstance(self.module, LinearModel):
            yield self._forward(self.module)
            if line := _line(self.module):
                yield Fact(_("Now"), line, _("weight and bias as they are"), is_code=True)
        count = int(index.totals.num_parameters[row])
        yield Fact(_("Parameters"), filters.exact(count), self._sum(), self._is_sum(count))
        if row:
            yield self._share(count)
        yield self._bytes(count)
        yield self._trainable(count)
        yield from self._device()
        if index.end[row] > row + 1:
            yield Fact(_("Modules"), filters.exact(int(index.totals.num_modules[row])), self._below())
        if buffers := int(index.totals.num_buffers[row]):
            yield Fact(_("Buffers"), filters.exact(buffers), ngettext("element", "elements", buffers))
        yield from self._places()
        if (first := int(index.first[row])) != row:
            shown = clipped(index.path(first), 60) or _("the root")
            yield Fact(_("Shared with"), shown, _("the same module"), is_code=True)

    def _forward(self, module: LinearModel) -> Fact:
        children = list(self.index.children(self.row))
        if module.chain and children:
            names = ", ".join(clipped(self.index.name[child], 30) for child in children[:3])
            said = _("chain: then %(names)s", names=f"{names}, …" if len(children) > 3 else names)
        elif module.chain:
            said = _("chain: it ends here")
        else:
            said = _("own: children unused") if children else _("own")
        return Fact(_("Forward"), "x * weight + bias", said, is_code=True)

    def _sum(self) -> str:
        index, row = self.index, self.row
        own = sum(index.kinds.all[index.parameters.kind[entry]].numel for entry in index.own(index.parameters, row))
        children = index.distinct_children(row)
        terms = [filters.exact(int(index.totals.num_parameters[child])) for child in children[:MOST_TERMS]]
        if len(children) > MOST_TERMS:
            rest = sum(int(index.totals.num_parameters[child]) for child in children[MOST_TERMS:])
            num = filters.exact(len(children) - MOST_TERMS)
            terms.append(_("%(count)s in %(num)s more", count=filters.exact(rest), num=num))
        if not children:
            return self._product() or _("%(count)s own", count=filters.exact(own))
        summed = own + sum(int(index.totals.num_parameters[child]) for child in children)
        again = summed - int(index.totals.num_parameters[row])
        # A tensor that stands in several of the terms is counted once.
        less = f" {filters.MINUS} " + _("%(count)s tied", count=filters.exact(again)) if again else ""
        return " + ".join([_("%(count)s own", count=filters.exact(own)), *terms]) + less

    def _product(self) -> str:
        """Return the sizes of own parameters multiplied out: `768 × 2,304 + 2,304`."""
        index = self.index
        shapes = [index.kinds.all[index.parameters.kind[at]].shape for at in index.own(index.parameters, self.row)]
        if not 0 < len(shapes) <= MOST_TERMS:
            return ""
        return " + ".join(" × ".join(map(filters.exact, shape)) if shape else "1" for shape in shapes)

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

    def _share(self, count: int) -> Fact:
        index, parent = self.index, self.index.parent[self.row]
        share = filters.percent(count, int(index.totals.num_parameters[0])) or filters.DASH
        of_parent = filters.percent(count, int(index.totals.num_parameters[parent]))
        if not parent or not of_parent:
            return Fact(_("Share"), share, _("of the tree"))
        name = clipped(index.name[parent], 30)
        return Fact(_("Share"), share, _("of the tree; %(share)s of %(name)s", share=of_parent, name=name))

    def _bytes(self, count: int) -> Fact:
        index, row = self.index, self.row
        size = int(index.totals.num_bytes[row])
        exact = f"{filters.exact(size)}{filters.THIN}B"
        start, stop = index.parameters.start[row], index.parameters.start[index.end[row]]
        words = {index.kinds.all[number].dtype_name for number in set(index.parameters.kind[start:stop])}
        if len(words) == 1 and not index.totals.num_buffers[row] and (bits := num_bits(word := words.pop())) % 8 == 0:
            receipt = f"{filters.exact(count)} × {bits // 8}, {word}"
            return Fact(_("Bytes"), filters.num_bytes(size), receipt, count * bits // 8 == size, exact=exact)
        return Fact(_("Bytes"), filters.num_bytes(size), _("parameters and buffers"), exact=exact)

    def _trainable(self, count: int) -> Fact:
        trainable = int(self.index.totals.num_trainable[self.row])
        said = _("all") if trainable == count else filters.exact(trainable) if trainable else _("none")
        part, whole = filters.exact(trainable), filters.exact(count)
        if self.index.training[self.row]:
            receipt = _("%(part)s of %(whole)s; train mode", part=part, whole=whole)
        else:
            receipt = _("%(part)s of %(whole)s; eval mode", part=part, whole=whole)
        return Fact(_("Trainable"), said if count else filters.DASH, receipt)

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
            if isinstance(self.index.data, TrainedData):
                said = N_("its values are what a run has left")
            yield Fact(_("Device"), ", ".join(devices), _(said) if said else "", is_code=True)

    def _below(self) -> str:
        index, row = self.index, self.row
        deepest = int(np.asarray(memoryview(index.depth)[row : index.end[row]]).max()) - index.depth[row]
        children = int(index.totals.num_children[row])
        below = ngettext("%(num)s level below", "%(num)s levels below", deepest, num=filters.exact(deepest))
        within = ngettext("%(num)s child", "%(num)s children", children, num=filters.exact(children))
        return f"{within}, {below}"

    def _places(self) -> Iterator[Fact]:
        shape = self.index.shapes.shape[self.row]
        rows = np.flatnonzero(np.asarray(self.index.shapes.shape) == shape)
        if len(rows) > 1:
            num, part = filters.exact(len(rows)), self.index.shapes.ids[shape][:6]
            first, last = between(self.index.path(int(rows[0])), self.index.path(int(rows[-1])))
            said = _("%(first)s to %(last)s, shape id %(id)s", first=first, last=last, id=part)
            places = ngettext("%(num)s place", "%(num)s places", len(rows), num=num)
            yield Fact(_("Same shape"), places, said, url=f"{tree_url(self.tree_id)}/shapes")


def between(first: str, last: str) -> tuple[str, str]:
    """Return two paths cut to where they part: `h.0` and `h.11` of the same place in two blocks."""
    left, right = first.split("."), last.split(".")
    at = next((at for at, (one, other) in enumerate(zip(left, right, strict=False)) if one != other), 0)
    if len(left) != len(right) or left[at + 1 :] != right[at + 1 :]:
        return clipped(first, 40) or _("the root"), clipped(last, 40)
    cut = slice(max(0, at - 1), at + 1)
    return clipped(".".join(left[cut]), 40), clipped(".".join(right[cut]), 40)


def _class_receipt(cls: ModuleClass) -> str:
    match cls.status:
        case "inferred":
            return _("%(module)s; inferred from names and shapes", module=cls.module)
        case "unknown":
            return _("not known: a file of tensors does not say")
    return cls.module


def _line(module: LinearModel) -> str:
    numbers = [module._parameters.get(name) for name in ("weight", "bias")]
    if any(number is None or number.numel() != 1 for number in numbers):
        return ""
    weight, bias = (float(number.item()) for number in numbers if number is not None)
    return f"{filters.significant(weight)} x {filters.signed(bias)}"
