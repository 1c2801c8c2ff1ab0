"""LinearSpec: which LinearModels nest in which, by column in pre-order, and the module that it describes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import torch
from torch import Tensor, nn

from app.collector import collector_paused
from app.errors import Invalid, Misfit, NameRefused, TooLarge
from app.translation import said
from app.trees.linear import LinearModel, linear_models, set_parameters
from app.trees.values import is_text, tensor_of

Loc: TypeAlias = tuple[str | int, ...]

KEYS = ("weight", "bias", "buffers", "children")
MAX_MISFITS = 20
SEEDS = range(-(2**63), 2**64)


@dataclass(slots=True)
class LinearSpec:
    """A tree of LinearModels by column, one row a module, in pre-order; None is a number to be drawn."""

    parent: list[int] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    weight: list[float | None] = field(default_factory=list)
    bias: list[float | None] = field(default_factory=list)
    buffers: dict[int, dict[str, Tensor]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.parent)

    def add(self, parent: int, name: str, weight: float | None = None, bias: float | None = None) -> int:
        """Append a module and return its row; its parent must have been added before it."""
        self.parent.append(parent)
        self.name.append(name)
        self.weight.append(weight)
        self.bias.append(bias)
        return len(self.parent) - 1


def parse_spec(document: object, *, max_modules: int, max_depth: int, loc: Loc = ("root",)) -> LinearSpec:
    """Return the spec that a decoded JSON document spells, without recursion.

    Raises `Invalid` with every misfit (the first 20), `NameRefused` with torch's message for a name it refuses, and
    `TooLarge` as soon as there are more than `max_modules` modules or `max_depth` levels below the root.
    """
    return _Parser(max_modules, max_depth).parse(document, loc)


class _Parser:
    def __init__(self, max_modules: int, max_depth: int) -> None:
        self.max_modules = max_modules
        self.max_depth = max_depth
        self.spec = LinearSpec()
        self.misfits: list[Misfit] = []

    def parse(self, document: object, loc: Loc) -> LinearSpec:
        # A module's place in the document as a chain of links: a tuple a module would be quadratic in the depth.
        todo: list[tuple[object, int, str, int, _Place]] = [(document, -1, "", 0, _Place(None, loc))]
        while todo and len(self.misfits) < MAX_MISFITS:
            item, parent, name, depth, place = todo.pop()
            if depth > self.max_depth:
                raise TooLarge(
                    said("The spec is nested deeper than %(most)s modules.", most=f"{self.max_depth:,}"),
                    self.max_depth,
                )
            todo.extend(self._module(item, parent, name, depth, place))
            self._check_count(len(self.spec) + len(todo))
        if self.misfits:
            first = self.misfits[0]
            raise Invalid(
                said("%(place)s: %(msg)s.", place=".".join(map(str, first.loc)), msg=first.msg), tuple(self.misfits)
            )
        return self.spec

    def _module(
        self, item: object, parent: int, name: str, depth: int, place: "_Place"
    ) -> Iterator[tuple[object, int, str, int, "_Place"]]:
        if not isinstance(item, Mapping):
            self._misfit(
                place,
                (),
                said(
                    "expected a LinearSpec, an object with %(keys)s; got %(kind)s",
                    keys=", ".join(KEYS),
                    kind=_kind(item),
                ),
            )
            return
        for key in item:
            if key not in KEYS:
                self._misfit(place, (key,), said("unknown key; a LinearSpec has %(keys)s", keys=", ".join(KEYS)))
        row = self.spec.add(parent, name, self._number(item, "weight", place), self._number(item, "bias", place))
        buffers = self._names(item, "buffers", place)
        children = self._names(item, "children", place)
        check_names(buffers, children)
        self._check_count(len(self.spec) + len(children))
        if buffers:
            self.spec.buffers[row] = self._tensors(buffers, place)
        for child_name, child in reversed(list(children.items())):
            yield child, row, child_name, depth + 1, _Place(place, ("children", child_name))

    def _number(self, item: Mapping[str, object], key: str, place: "_Place") -> float | None:
        value = item.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._misfit(place, (key,), said("expected a number, got %(kind)s", kind=_kind(value)))
            return None
        if not abs(value) <= torch.finfo(torch.float32).max:
            self._misfit(place, (key,), said("too large for float32"))
            return None
        return float(value)

    def _names(self, item: Mapping[str, object], key: str, place: "_Place") -> Mapping[str, object]:
        value = item.get(key)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self._misfit(place, (key,), said("expected an object of names, got %(kind)s", kind=_kind(value)))
            return {}
        if not all(map(is_text, value)):
            self._misfit(place, (key,), said("expected Unicode text, got a lone surrogate in a name"))
            return {}
        return value

    def _check_count(self, count: int) -> None:
        if count > self.max_modules:
            raise TooLarge(
                said("The spec has more than %(most)s modules.", most=f"{self.max_modules:,}"),
                self.max_modules,
            )

    def _tensors(self, buffers: Mapping[str, object], place: "_Place") -> dict[str, Tensor]:
        tensors = {}
        for name, value in buffers.items():
            try:
                tensors[name] = tensor_of(value, (*place.loc(), "buffers", name))
            except Invalid as error:
                self.misfits.extend(error.errors)
                if len(self.misfits) >= MAX_MISFITS:
                    break
        return tensors

    def _misfit(self, place: "_Place", loc: Loc, msg: str) -> None:
        if len(self.misfits) < MAX_MISFITS:
            self.misfits.append(Misfit((*place.loc(), *loc), msg))


@dataclass(frozen=True, slots=True)
class _Place:
    above: "_Place | None"
    step: Loc

    def loc(self) -> Loc:
        steps: list[Loc] = []
        place: _Place | None = self
        while place is not None:
            steps.append(place.step)
            place = place.above
        return tuple(part for step in reversed(steps) for part in step)


def check_names(buffers: Mapping[str, object], children: Mapping[str, object]) -> None:
    """Raise `NameRefused`, with torch's own message, for the first name that torch would refuse on a LinearModel."""
    if any(is_refused(name) for name in buffers) or any(is_refused(name) or name in buffers for name in children):
        _ask_torch(buffers, children)


def is_refused(name: str) -> bool:
    """Return whether no buffer and no child of a LinearModel that has its weight and bias can have this name."""
    return not name or "." in name or name in _TAKEN


def _ask_torch(buffers: Mapping[str, object], children: Mapping[str, object]) -> None:
    module = linear_models(1)[0]
    set_parameters([module], [torch.zeros(1)], [torch.zeros(1)])
    name = ""
    try:
        for name in buffers:
            module.register_buffer(name, torch.zeros(1))
        for name in children:
            module.add_module(name, nn.Module())
    except KeyError as error:
        raise NameRefused(str(error.args[0]), name) from error


_TAKEN = frozenset(dir(LinearModel())) | {"weight", "bias"}


def _kind(value: object) -> str:
    names = {type(None): "null", dict: said("an object"), list: "a list", str: "a string", bool: "a boolean"}
    return names.get(type(value), said("the number %(value)s", value=value))


def grid_size(branching: int, depth: int, max_modules: int) -> int:
    """Return how many modules a grid has; raises `TooLarge` without counting further than `max_modules`."""
    count = level = 1
    if branching == 1:
        count = depth + 1
    else:
        for _ in range(depth):
            level *= branching
            count += level
            if count > max_modules:
                break
    if count > max_modules:
        raise TooLarge(
            said(
                "A grid of branching %(branching)s and depth %(depth)s has more than %(most)s modules.",
                branching=f"{branching:,}",
                depth=f"{depth:,}",
                most=f"{max_modules:,}",
            ),
            max_modules,
        )
    return count


def grid_spec(branching: int, depth: int, *, max_modules: int, max_depth: int) -> LinearSpec:
    """Return a full tree, `branching` children (`sub1`, `sub2`, ...) in each module down to `depth` levels.

    Raises `TooLarge` before anything is made when there are more than `max_modules` or `max_depth` of them.
    """
    if depth > max_depth:
        raise TooLarge(
            said("A depth of %(depth)s is more than %(most)s.", depth=f"{depth:,}", most=f"{max_depth:,}"),
            max_depth,
        )
    grid_size(branching, depth, max_modules)
    spec = LinearSpec()
    names = [f"sub{number}" for number in range(branching, 0, -1)] if depth else []
    todo_parent, todo_name, todo_depth = [-1], [""], [0]
    while todo_parent:
        row = spec.add(todo_parent.pop(), todo_name.pop())
        level = todo_depth.pop()
        if level < depth:
            todo_parent.extend([row] * branching)
            todo_name.extend(names)
            todo_depth.extend([level + 1] * branching)
    return spec


def build(spec: LinearSpec, *, seed: int | None = None, chain: bool = False) -> LinearModel:
    """Return the root of the spec's modules, drawing what is left out by `torch.rand(1)` in pre-order, weight first.

    One block of random numbers gives the same values as one call a parameter, at a fraction of the cost. Raises
    `Invalid` for a seed that torch does not take (from -2**63 to 2**64 - 1).
    """
    numbers = [number for pair in zip(spec.weight, spec.bias, strict=True) for number in pair]
    with collector_paused():
        tensors = torch.split(_drawn(numbers, seed), 1)
        modules = linear_models(len(spec), chain=chain)
        set_parameters(modules, tensors[0::2], tensors[1::2])
        for row, buffers in spec.buffers.items():
            modules[row]._buffers.update(buffers)
        for row in range(1, len(spec)):
            modules[spec.parent[row]]._modules[spec.name[row]] = modules[row]
    return modules[0]


def _drawn(numbers: list[float | None], seed: int | None) -> Tensor:
    generator = torch.Generator()
    if seed is None:
        generator.seed()
    elif seed in SEEDS:
        generator.manual_seed(seed)
    else:
        misfit = Misfit(("source", "seed"), said("expected -2**63 to 2**64 - 1, got %(seed)s", seed=seed))
        raise Invalid(said("seed: %(msg)s.", msg=misfit.msg), (misfit,))
    drawn = torch.rand(numbers.count(None), generator=generator)
    if len(drawn) == len(numbers):
        return drawn
    values = torch.tensor([0.0 if number is None else number for number in numbers], dtype=torch.float32)
    values[torch.tensor([number is None for number in numbers])] = drawn
    return values
