"""The tree that the keys of a checkpoint spell: split at ".", the last part a tensor, the parts before it modules."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from app.collector import collector_paused
from app.errors import TooLarge
from app.translation import N_, said
from app.trees.description import Description, Kind, ModuleClass, TensorTable
from app.trees.limits import Limits
from app.trees.sources.checkpoint.classes import BUFFERS, UNKNOWN, Evidence, Inferred, infer, is_conv1d
from app.trees.sources.checkpoint.contents import Contents
from app.trees.sources.checkpoint.dtypes import DTYPES

_FIRST = {"weight": 0, "bias": 1}


@dataclass(frozen=True, slots=True)
class KeyTree:
    """A tree, and the entry of `Contents` behind each row of its two tables of tensors."""

    description: Description
    parameter_entries: "array[int]"
    buffer_entries: "array[int]"


def tree_of(contents: Contents, limits: Limits) -> KeyTree:
    """Return the tree that the keys spell; raises `TooLarge` over a limit.

    A file cannot tell a parameter from a buffer: what torch's own modules call `running_mean`, `running_var` and
    `num_batches_tracked` is listed as a buffer, all else as a parameter, which requires a gradient where the file says
    so, or says nothing and its dtype can. Every module is said to be in training mode.

    A key that is also the beginning of others ("a" beside "a.b") is a tensor and a module of that name. An empty part
    of a key ("a..b", ".a", "") is spelled `''`, and a part of quotes only gets two more, so that every key has a path
    of its own. Modules are in the order in which the file names them, those that are numbers in that of the numbers,
    and a `weight` comes before its `bias`.
    """
    with collector_paused():
        modules = _Modules(limits)
        for path in contents.modules:
            modules.find(path)
        _place_tensors(modules, contents)
        return _describe(modules, contents)


def spelled(part: str) -> str:
    """Return a part of a key as the name of a module or a tensor: itself, unless it is nothing but quotes."""
    return f"'{part}'" if not part.strip("'") else part


class _Modules:
    """Modules by number as they come, 0 the root; `tensors` are entries of `Contents` by their name in the module."""

    def __init__(self, limits: Limits) -> None:
        self.name = [""]
        self.parent = [-1]
        self.depth = [0]
        self.children: list[dict[str, int]] = [{}]
        self.tensors: list[dict[str, int]] = [{}]
        self._limits = limits
        self._by_path = {"": 0}

    def find(self, path: str) -> int:
        """Return the module of a path as the file spells it, with all that it is in; "" is the root."""
        number = self._by_path.get(path)
        if number is None:
            above, _, name = path.rpartition(".")
            if above and above not in self._by_path:
                self._by_path[above] = self.below(0, above.split("."))
            number = self.below(self._by_path[above], (name,)) if above else self.below(0, path.split("."))
            self._by_path[path] = number
        return number

    def below(self, number: int, parts: Sequence[str]) -> int:
        """Return the module that the parts of a path lead to."""
        for part in parts:
            name = spelled(part)
            child = self.children[number].get(name)
            number = self._add(number, name) if child is None else child
        return number

    def _add(self, parent: int, name: str) -> int:
        number, depth = len(self.name), self.depth[parent] + 1
        limits = self._limits
        if number >= limits.max_modules or depth > limits.max_depth:
            limit, message = (
                (
                    limits.max_modules,
                    N_("The keys of the checkpoint spell more than %(limit)s modules, the limit here."),
                )
                if depth <= limits.max_depth
                else (
                    limits.max_depth,
                    N_("The keys of the checkpoint spell more than %(limit)s levels, the limit here."),
                )
            )
            raise TooLarge(said(message, limit=f"{limit:,}"), limit)
        self.children[parent][name] = number
        self.name.append(name)
        self.parent.append(parent)
        self.depth.append(depth)
        self.children.append({})
        self.tensors.append({})
        return number

    def in_order(self) -> list[int]:
        """Return the numbers of all modules in pre-order."""
        order, todo = [], [0]
        while todo:
            number = todo.pop()
            order.append(number)
            todo.extend(reversed(_sorted(self.children[number])))
        return order


def _sorted(children: dict[str, int]) -> list[int]:
    if len(children) > 1 and all(len(name) < 10 and name.isascii() and name.isdigit() for name in children):
        return [children[name] for name in sorted(children, key=int)]
    return list(children.values())


def _place_tensors(modules: _Modules, contents: Contents) -> None:
    tensors = modules.tensors
    for entry, key in enumerate(contents.name):
        path, dot, name = key.rpartition(".")
        if not dot:
            number = 0
        elif path:
            number = modules.find(path)
        else:
            number = modules.below(0, [""])
        tensors[number][spelled(name)] = entry


def _describe(modules: _Modules, contents: Contents) -> KeyTree:
    order = modules.in_order()
    row_of = [0] * len(order)
    for row, number in enumerate(order):
        row_of[number] = row
    classes = _Classes(modules, contents)
    parameters, buffers = _Table(contents), _Table(contents)
    class_id, extra_repr = [], {}
    for row, number in enumerate(order):
        tensors = modules.tensors[number]
        inferred = classes.number(number, tensors)
        class_id.append(inferred)
        if classes.extra_repr[inferred]:
            extra_repr[row] = classes.extra_repr[inferred]
        for name in sorted(tensors, key=_rank) if len(tensors) > 1 else tensors:
            (buffers if name in BUFFERS else parameters).add(row, name, tensors[name])
    description = Description(
        parent=[row_of[modules.parent[number]] if number else -1 for number in order],
        name=[modules.name[number] for number in order],
        same=list(range(len(order))),
        class_id=[classes.class_of[number] for number in class_id],
        classes=classes.all,
        extra_repr=extra_repr,
        training=b"\1" * len(order),
        none_children={},
        kinds=contents.kinds,
        parameters=parameters.closed(is_parameter=True),
        buffers=buffers.closed(is_parameter=False),
    )
    return KeyTree(description, parameters.entries, buffers.entries)


def _rank(name: str) -> int:
    return _FIRST.get(name, len(_FIRST))


class _Table:
    """A `TensorTable` while its rows come."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._owner: list[int] = []
        self._name: list[str] = []
        self.entries = array("q")

    def add(self, owner: int, name: str, entry: int) -> None:
        """Add a tensor."""
        self._owner.append(owner)
        self._name.append(name)
        self.entries.append(entry)

    def closed(self, *, is_parameter: bool) -> TensorTable:
        """Return the table; the flag of a buffer, persistent, holds for all that a file has."""
        contents, entries = self._contents, self.entries
        can_require = bytes(DTYPES[kind.dtype].is_differentiable for kind in contents.kinds)
        known = contents.requires_grad
        kind = [contents.kind[entry] for entry in entries]
        flag = b"\1" * len(entries)
        if is_parameter:
            flag = bytes(
                known.get(entry, True) and can_require[number] for entry, number in zip(entries, kind, strict=True)
            )
        same = [contents.same[entry] for entry in entries]
        return TensorTable(owner=self._owner, name=self._name, kind=kind, flag=flag, same=same)


class _Classes:
    """The classes that are inferred, each kind of module once."""

    def __init__(self, modules: _Modules, contents: Contents) -> None:
        self.all: list[ModuleClass] = [UNKNOWN]
        self.class_of = [0]
        self.extra_repr = [""]
        self._modules = modules
        self._contents = contents
        self._number: dict[tuple[object, ...], int] = {}
        self._by_class = {UNKNOWN: 0}
        self._has_conv1d = any(
            len(tensors) == 2 and is_conv1d(self._kinds(tensors)) for tensors in self._modules.tensors
        )

    def number(self, module: int, tensors: dict[str, int]) -> int:
        """Return the number, in `class_of` and `extra_repr`, of what is inferred for a module."""
        if not tensors:
            return 0
        kind = self._contents.kind
        name, has_children = self._modules.name[module], bool(self._modules.children[module])
        key = (name, has_children, *tensors, *[kind[entry] for entry in tensors.values()])
        number = self._number.get(key)
        if number is None:
            inferred = infer(self._kinds(tensors), Evidence(name, has_children, self._has_conv1d))
            number = self._number[key] = self._add(inferred) if inferred is not None else 0
        return number

    def _add(self, inferred: Inferred) -> int:
        number = self._by_class.setdefault(inferred.cls, len(self.all))
        if number == len(self.all):
            self.all.append(inferred.cls)
        self.class_of.append(number)
        self.extra_repr.append(inferred.extra_repr)
        return len(self.class_of) - 1

    def _kinds(self, tensors: dict[str, int]) -> dict[str, Kind]:
        kinds, kind = self._contents.kinds, self._contents.kind
        return {name: kinds[kind[entry]] for name, entry in tensors.items()}
