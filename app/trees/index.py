"""`TreeIndex`: a tree of modules described once, into columns; everything that is shown is a function of it."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
from torch import Tensor, nn

from app.errors import CannotDo, TargetNotFound, TooLarge
from app.trees.collector import collector_paused
from app.trees.numbering import Numbering
from app.trees.shapes import Shapes
from app.trees.tensors import Ints, Kinds, TensorColumns, column, identities, repeats
from app.trees.totals import Totals, totals_of


@dataclass(frozen=True, slots=True)
class ModuleClass:
    """The class of a module: its name, and the Python module that it comes from."""

    name: str
    module: str


class TreeIndex:
    """All places of a tree in pre-order: row 0 is the root, and a subtree is the slice `row:end[row]`.

    A place is a module under a name. A shared module has several places, each with a row and a whole subtree of its
    own; `first[row]` is the module's first place and `previous[row]` the last one before, or -1. A child that is None
    has no row. Totals (`totals`) are exact in every subtree: a tensor that is shared within it counts once.

    It keeps what it describes alive (`modules`, the tensors), and holds as long as the tree is not changed.
    """

    def __init__(self, root: nn.Module, *, max_modules: int, max_depth: int) -> None:
        self.parent: array[int] = array("q")
        self.name: list[str] = []
        self.modules: list[nn.Module] = []
        self.training = bytearray()
        self.none_children: dict[int, list[str]] = {}
        self.kinds = Kinds()
        self.parameters = TensorColumns()
        self.buffers = TensorColumns()
        with collector_paused():
            self.end: array[int] = self._walk(root, max_modules, max_depth)
            self.depth: array[int] = _depths(self.end)
            self.previous, self.first = repeats(identities(self.modules))
            self.parameters.close(self.kinds, are_parameters=True)
            self.buffers.close(self.kinds, are_parameters=False)
            self._describe_classes()
            self.shapes = Shapes.of(self)
        self.totals: Totals = totals_of(self)
        self._names_of: dict[int, dict[str, int]] = {}

    @classmethod
    def of(cls, root: nn.Module, *, max_modules: int = 1_000_000, max_depth: int = 100_000) -> "TreeIndex":
        """Return the index of a live module in one iterative pass.

        Raises `TooLarge` when there are more places than `max_modules` or more levels than `max_depth`, and `CannotDo`
        when a module contains itself.
        """
        return cls(root, max_modules=max_modules, max_depth=max_depth)

    def __len__(self) -> int:
        return len(self.parent)

    def children(self, row: int) -> Iterator[int]:
        """Yield the rows of the module's children in order, a shared sibling at each of its places."""
        child, end = row + 1, self.end[row]
        while child < end:
            yield child
            child = self.end[child]

    def listed(self, row: int, *, remove_duplicate: bool = True) -> Ints:
        """Return the rows of `named_modules` called on a module: its subtree, or the first places within it."""
        end = self.end[row]
        if not remove_duplicate:
            return np.arange(row, end, dtype=np.int64)
        return np.flatnonzero(self.previous[row:end] < row) + row

    def distinct_children(self, row: int) -> list[int]:
        """Return the rows of `named_children`: a sibling that is the same module as one before it is left out."""
        rows = list(self.children(row))
        if len(set(self.first[rows].tolist())) == len(rows):
            return rows
        seen: dict[int, int] = {}
        for child in rows:
            seen.setdefault(int(self.first[child]), child)
        return list(seen.values())

    def row(self, target: str) -> int:
        """Return the row that a dotted path leads to, the root for "".

        Raises `TargetNotFound` with the message of torch's `get_submodule` when there is none.
        """
        row = 0
        for name in target.split(".") if target else ():
            child = self._child(row, name)
            if child is None:
                raise TargetNotFound(self._why_not(row, name, "an nn.Module"), target)
            row = child
        return row

    def parameter(self, target: str) -> int:
        """Return the entry of a parameter in `parameters`; raises `TargetNotFound` as `get_parameter` would."""
        return self._tensor(self.parameters, target, "an nn.Parameter")

    def buffer(self, target: str) -> int:
        """Return the entry of a buffer in `buffers`; raises `TargetNotFound` as `get_buffer` would."""
        return self._tensor(self.buffers, target, "a buffer")

    def own(self, columns: TensorColumns, row: int) -> range:
        """Return the entries of the module's own tensors."""
        return range(columns.start[row], columns.start[row + 1])

    def path(self, row: int) -> str:
        """Return the dotted path from the root, "" for the root itself."""
        names = []
        while row:
            names.append(self.name[row])
            row = self.parent[row]
        return ".".join(reversed(names))

    def paths(self, rows: Sequence[int], top: int = 0) -> Iterator[str]:
        """Yield the dotted path from `top` of each of the rows, which lie in its subtree in ascending order.

        Paths are not kept: those of a deep chain would be quadratic in its length.
        """
        trail = [(top, "")]
        for row in rows:
            while self.end[trail[-1][0]] <= row:
                trail.pop()
            above, path = trail[-1]
            if row != above:
                parent = self.parent[row]
                if parent != above:
                    path = self._join(parent, above, path)
                    trail.append((parent, path))
                path = f"{path}.{self.name[row]}" if parent != top else self.name[row]
                if self.end[row] > row + 1:
                    trail.append((row, path))
            yield path

    @cached_property
    def path_chars(self) -> Ints:
        """By row, how many characters its path has: what a list of paths will cost, before it is made."""
        step = np.array([len(name) + 1 for name in self.name], np.int64)
        step[0] = 0
        ended = np.bincount(self.end, weights=step, minlength=len(self) + 1)[: len(self)].astype(np.int64)
        chars: Ints = np.maximum(np.cumsum(step - ended) - 1, 0)
        return chars

    def _join(self, row: int, above: int, path: str) -> str:
        names = []
        while row != above:
            names.append(self.name[row])
            row = self.parent[row]
        if path:
            names.append(path)
        return ".".join(reversed(names))

    def _walk(self, root: nn.Module, max_modules: int, max_depth: int) -> "array[int]":
        # The innermost of `levels` goes on over one module's children, which stand under the last of `above`.
        # One loop, on local names: a call a module, or a lookup more, shows in the time of a large tree.
        parents, names, modules, training = self.parent, self.name, self.modules, self.training
        parameters, parameter_start = self.parameters.name, self.parameters.start
        tensors = cast("list[Tensor | None]", self.parameters.tensor)  # `close` takes the None out
        buffers, buffer_start = self.buffers.name, self.buffers.start
        levels: list[Iterator[tuple[str, nn.Module | None]]] = [iter((("", root),))]
        above, ends = [-1], {}
        while levels:
            parent = above[-1]
            for name, module in levels[-1]:
                if module is None:
                    self.none_children.setdefault(parent, []).append(name)
                    continue
                row = len(names)
                if row >= max_modules or len(above) > max_depth + 1:
                    self._refuse(parent, module, max_modules if row >= max_modules else max_depth)
                parents.append(parent)
                names.append(name)
                modules.append(module)
                training.append(module.training)
                parameter_start.append(len(parameters))
                buffer_start.append(len(buffers))
                if own := module._parameters:
                    parameters.extend(own)
                    tensors.extend(own.values())
                if module._buffers:
                    self._add_buffers(module)
                if children := module._modules:
                    levels.append(iter(children.items()))
                    above.append(row)
                    break
            else:
                levels.pop()
                ends[above.pop()] = len(names)
        del ends[-1]
        end = array("q", range(1, len(names) + 1))
        for row, stop in ends.items():
            end[row] = stop
        return end

    def _add_buffers(self, module: nn.Module) -> None:
        fleeting = module._non_persistent_buffers_set
        self.buffers.name.extend(module._buffers)
        cast("list[Tensor | None]", self.buffers.tensor).extend(module._buffers.values())
        self.buffers.flag.extend(name not in fleeting for name in module._buffers)

    def _refuse(self, parent: int, module: nn.Module, limit: int) -> None:
        above = parent
        while above >= 0:
            if self.modules[above] is module:
                raise CannotDo(f"{type(module).__name__} at {self.path(above)!r} contains itself: that is not a tree.")
            above = self.parent[above]
        what = "modules (a shared one counts at each place)" if limit == len(self) else "levels"
        raise TooLarge(f"The tree has more than {limit:,} {what}, which is the limit here.", limit)

    def _describe_classes(self) -> None:
        numbers: Numbering[type[nn.Module]] = Numbering()
        self.class_id = array("q", map(numbers.__getitem__, map(type, self.modules)))
        self.classes = [ModuleClass(cls.__name__, cls.__module__) for cls in numbers]
        quiet = {number for cls, number in numbers.items() if cls.extra_repr is nn.Module.extra_repr}
        self.extra_repr: dict[int, str] = {}
        if len(quiet) < len(numbers):
            for row, module in enumerate(self.modules):
                if self.class_id[row] not in quiet and (text := module.extra_repr()):
                    self.extra_repr[row] = text

    def _child(self, row: int, name: str) -> int | None:
        names = self._names_of.get(row)
        if names is None:
            names = {self.name[child]: child for child in self.children(row)}
            self._names_of[row] = names
        return names.get(name)

    def _why_not(self, row: int, name: str, what: str) -> str:
        module = self.modules[row]
        if hasattr(module, name):
            return f"`{name}` is not {what}"
        return f"{printed_class(module)} has no attribute `{name}`"

    def _tensor(self, columns: TensorColumns, target: str, what: str) -> int:
        path, _, name = target.rpartition(".")
        try:
            row = self.row(path)
        except TargetNotFound as error:
            raise TargetNotFound(error.detail, target) from error
        for entry in self.own(columns, row):
            if columns.name[entry] == name:
                return entry
        raise TargetNotFound(self._why_not(row, name, what), target)


def _depths(end: "array[int]") -> "array[int]":
    # Of the rows before one, those whose subtree has not ended yet are its ancestors.
    count = len(end)
    num_ended = np.cumsum(np.bincount(end, minlength=count + 1)[:count])
    return column(np.arange(count) - num_ended)


def printed_class(module: nn.Module) -> str:
    """Return what torch prints for the module's class, which a class may choose for itself."""
    name: str = module._get_name()  # type: ignore[no-untyped-call]
    return name
