"""The one pass over a live module that leaves its columns."""

from array import array
from collections.abc import Iterator
from itertools import repeat
from typing import NoReturn, cast

import numpy as np
from torch import Tensor, nn

from app.errors import CannotDo, TooLarge
from app.translation import said
from app.trees.columns import Columns
from app.trees.description import ModuleClass, places_of_none
from app.trees.numbering import Numbering
from app.trees.tensors import column, identities


def walk(root: nn.Module, *, max_modules: int, max_depth: int) -> Columns:
    """Return the columns of a live module, without recursion.

    Raises `TooLarge` when there are more places than `max_modules` or more levels than `max_depth`, and `CannotDo` when
    a module contains itself.
    """
    columns = Columns()
    columns.end = _Walk(columns, max_modules, max_depth).from_root(root)
    columns.identity = identities(columns.modules)
    columns.parameters.close(columns.kinds, are_parameters=True)
    columns.buffers.close(columns.kinds, are_parameters=False)
    _describe_classes(columns)
    return columns


class _Walk:
    def __init__(self, columns: Columns, max_modules: int, max_depth: int) -> None:
        self.columns = columns
        self.max_modules = max_modules
        self.max_depth = max_depth
        self.buffer_owner: list[int] = []

    def from_root(self, root: nn.Module) -> "array[int]":
        """Fill the columns and return the ends of the subtrees."""
        # The innermost of `levels` goes on over one module's children, which stand under the last of `above`.
        # One loop, on local names and lists: a call a module, or an array to append to, shows in a large tree's time.
        columns, max_modules, max_levels = self.columns, self.max_modules, self.max_depth + 1
        names, modules = columns.name, columns.modules
        parameters = columns.parameters.name
        tensors = cast("list[Tensor | None]", columns.parameters.tensor)  # `close` takes the None out
        training: list[bool] = []
        parameter_start: list[int] = []
        # What is visited between two changes of level is of one parent.
        visits: list[int] = []
        parents: list[int] = []
        levels: list[Iterator[tuple[str, nn.Module | None]]] = [iter((("", root),))]
        above, ends = [-1], {}
        while levels:
            parent, num_levels = above[-1], len(above)
            visits.append(len(names))
            parents.append(parent)
            for name, module in levels[-1]:
                if module is None:
                    columns.none_children.setdefault(parent, []).append(name)
                    continue
                names.append(name)
                modules.append(module)
                training.append(module.training)
                parameter_start.append(len(parameters))
                if own := module._parameters:
                    parameters.extend(own)
                    tensors.extend(own.values())
                if module._buffers:
                    self._add_buffers(module, len(names) - 1)
                if children := module._modules:
                    levels.append(iter(children.items()))
                    above.append(len(names) - 1)
                    break
            else:
                levels.pop()
                ends[above.pop()] = len(names)
            if len(names) > max_modules or (num_levels > max_levels and len(names) > visits[-1]):
                self._refuse(above, len(names) > max_modules)
        columns.none_places = {row: places_of_none(modules[row]._modules.values()) for row in columns.none_children}
        columns.parent = column(np.repeat(parents, np.diff(visits, append=len(names))))
        columns.training = bytearray(training)
        columns.parameters.start = array("q", parameter_start)
        columns.buffers.start = column(np.searchsorted(self.buffer_owner, np.arange(len(names))))
        del ends[-1]
        end = np.arange(1, len(names) + 1)
        end[list(ends)] = list(ends.values())
        return column(end)

    def _add_buffers(self, module: nn.Module, row: int) -> None:
        buffers = self.columns.buffers
        fleeting = module._non_persistent_buffers_set
        buffers.name.extend(module._buffers)
        cast("list[Tensor | None]", buffers.tensor).extend(module._buffers.values())
        buffers.flag.extend(name not in fleeting for name in module._buffers)
        self.buffer_owner.extend(repeat(row, len(module._buffers)))

    def _refuse(self, above: list[int], has_too_many: bool) -> NoReturn:
        names, modules = self.columns.name, self.columns.modules
        rows, first_of = above[1:], dict[int, int]()
        for level, row in enumerate(rows):
            first = first_of.setdefault(id(modules[row]), level)
            if first < level:
                raise CannotDo(
                    said(
                        "%(kind)s at %(path)r contains itself: that is not a tree.",
                        kind=type(modules[row]).__name__,
                        path=".".join([names[place] for place in rows[1 : first + 1]]),
                    )
                )
        if has_too_many:
            limit, what = self.max_modules, "modules (a shared one counts at each place)"
        else:
            limit, what = self.max_depth, "levels"
        raise TooLarge(
            said("The tree has more than %(limit)s %(what)s, which is the limit here.", limit=f"{limit:,}", what=what),
            limit,
        )


def _describe_classes(columns: Columns) -> None:
    numbers: Numbering[type[nn.Module]] = Numbering()
    columns.class_id = array("q", map(numbers.__getitem__, map(type, columns.modules)))
    columns.classes = [ModuleClass(cls.__name__, cls.__module__) for cls in numbers]
    quiet = {number for cls, number in numbers.items() if cls.extra_repr is nn.Module.extra_repr}
    if len(quiet) < len(numbers):
        for row, module in enumerate(columns.modules):
            if columns.class_id[row] not in quiet and (text := module.extra_repr()):
                columns.extra_repr[row] = text
