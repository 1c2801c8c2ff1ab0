"""The one pass over a live module that leaves its columns."""

from array import array
from collections.abc import Iterator
from typing import cast

from torch import Tensor, nn

from app.errors import CannotDo, TooLarge
from app.translation import said
from app.trees.columns import Columns
from app.trees.description import ModuleClass
from app.trees.numbering import Numbering
from app.trees.tensors import identities


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

    def from_root(self, root: nn.Module) -> "array[int]":
        """Fill the columns and return the ends of the subtrees."""
        # The innermost of `levels` goes on over one module's children, which stand under the last of `above`.
        # One loop, on local names: a call a module, or a lookup more, shows in the time of a large tree.
        columns, max_modules, max_depth = self.columns, self.max_modules, self.max_depth
        parents, names, modules, training = columns.parent, columns.name, columns.modules, columns.training
        parameters, parameter_start = columns.parameters.name, columns.parameters.start
        tensors = cast("list[Tensor | None]", columns.parameters.tensor)  # `close` takes the None out
        buffers, buffer_start = columns.buffers.name, columns.buffers.start
        levels: list[Iterator[tuple[str, nn.Module | None]]] = [iter((("", root),))]
        above, ends = [-1], {}
        while levels:
            parent = above[-1]
            for name, module in levels[-1]:
                if module is None:
                    columns.none_children.setdefault(parent, []).append(name)
                    continue
                row = len(names)
                if row >= max_modules or len(above) > max_depth + 1:
                    self._refuse(parent, module, row >= max_modules)
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
        buffers = self.columns.buffers
        fleeting = module._non_persistent_buffers_set
        buffers.name.extend(module._buffers)
        cast("list[Tensor | None]", buffers.tensor).extend(module._buffers.values())
        buffers.flag.extend(name not in fleeting for name in module._buffers)

    def _refuse(self, parent: int, module: nn.Module, has_too_many: bool) -> None:
        modules, parents = self.columns.modules, self.columns.parent
        above = parent
        while above >= 0:
            if modules[above] is module:
                path = self._path(above)
                raise CannotDo(
                    said(
                        "%(kind)s at %(path)r contains itself: that is not a tree.",
                        kind=type(module).__name__,
                        path=path,
                    )
                )
            above = parents[above]
        if has_too_many:
            limit, what = self.max_modules, "modules (a shared one counts at each place)"
        else:
            limit, what = self.max_depth, "levels"
        raise TooLarge(
            said("The tree has more than %(limit)s %(what)s, which is the limit here.", limit=f"{limit:,}", what=what),
            limit,
        )

    def _path(self, row: int) -> str:
        names = []
        while row:
            names.append(self.columns.name[row])
            row = self.columns.parent[row]
        return ".".join(reversed(names))


def _describe_classes(columns: Columns) -> None:
    numbers: Numbering[type[nn.Module]] = Numbering()
    columns.class_id = array("q", map(numbers.__getitem__, map(type, columns.modules)))
    columns.classes = [ModuleClass(cls.__name__, cls.__module__) for cls in numbers]
    quiet = {number for cls, number in numbers.items() if cls.extra_repr is nn.Module.extra_repr}
    if len(quiet) < len(numbers):
        for row, module in enumerate(columns.modules):
            if columns.class_id[row] not in quiet and (text := module.extra_repr()):
                columns.extra_repr[row] = text
