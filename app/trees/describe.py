"""`describe`: the Description of a live module, whatever odd things it holds."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from app.collector import collector_paused
from app.errors import CannotDo, TooLarge
from app.translation import said
from app.trees.description import Description, Kind, ModuleClass, TensorTable, places_of_none
from app.trees.foreign import Raised, attempt, cut, plain
from app.trees.numbering import Numbering

MAX_EXTRA_REPR = 10_000
MAX_NAME = 1_000
PLAIN = (Tensor, nn.Parameter)


class Place(NamedTuple):
    """A module under a name; `parent` is the row of the module it is in, -1 for the root."""

    module: nn.Module
    parent: int
    name: str


def describe(module: nn.Module, *, max_modules: int, max_depth: int) -> Description:
    """Return the tree of a module by column, shared modules at each of their places.

    A tensor without a shape (lazy, nested) has None for it; an `extra_repr` that raises becomes one line that says so.
    Raises `TooLarge` past `max_modules` places or `max_depth` levels, `CannotDo` for a module that contains itself.
    """
    with collector_paused():
        return _Describer().describe(module, max_modules, max_depth)


def places(root: nn.Module, *, max_modules: int, max_depth: int) -> Iterator[Place]:
    """Yield every place of the tree in pre-order, without recursion; raises as `describe` does."""
    todo = [Place(root, -1, "")]
    depths: list[int] = []
    above: list[Place] = []
    while todo:
        place = todo.pop()
        depth = depths[place.parent] + 1 if place.parent >= 0 else 0
        if len(depths) >= max_modules or depth > max_depth:
            _refuse(place, depth, above, max_modules, max_depth)
        row = len(depths)
        depths.append(depth)
        del above[depth:]
        above.append(place)
        yield place
        if children := place.module._modules:
            todo.extend(
                [Place(child, row, plain(name)) for name, child in reversed(children.items()) if child is not None]
            )


def _refuse(place: Place, depth: int, above: list[Place], max_modules: int, max_depth: int) -> None:
    trail, seen = [*above[:depth], place], set[int]()
    for level, other in enumerate(trail):
        if id(other.module) in seen:
            path = cut(".".join(one.name for one in trail[1 : level + 1]), 80)
            raise CannotDo(
                said(
                    "%(class_name)s at %(path)r contains itself: that is not a tree.",
                    class_name=type(other.module).__name__,
                    path=path,
                )
            )
        seen.add(id(other.module))
    if depth > max_depth:
        raise TooLarge(
            said("The tree has more than %(max_depth)s levels, which is the limit here.", max_depth=f"{max_depth:,}"),
            max_depth,
        )
    raise TooLarge(
        said(
            "The tree has more than %(max_modules)s modules, counting a shared one at each place, which is the limit "
            "here.",
            max_modules=f"{max_modules:,}",
        ),
        max_modules,
    )


class _Describer:
    def __init__(self) -> None:
        self.modules: Numbering[int] = Numbering()
        self.tensors: Numbering[int] = Numbering()
        self.kinds: Numbering[Kind] = Numbering()
        self.classes: Numbering[ModuleClass] = Numbering()
        self.extra_reprs: dict[int, str] = {}
        self._kind_of_plain: dict[object, int] = {}
        self._class_ids: dict[type[nn.Module], int] = {}

    def describe(self, root: nn.Module, max_modules: int, max_depth: int) -> Description:
        parent, names, same, class_id = list[int](), list[str](), list[int](), list[int]()
        extra_repr, none_children, none_places = dict[int, str](), dict[int, list[str]](), dict[int, list[int]]()
        training = bytearray()
        parameters, buffers = _Table(self), _Table(self)
        for row, place in enumerate(places(root, max_modules=max_modules, max_depth=max_depth)):
            module = place.module
            parent.append(place.parent)
            names.append(place.name)
            same.append(self.modules[id(module)])
            class_id.append(self._class_id(module))
            training.append(bool(module.training))
            if text := self._extra_repr(module):
                extra_repr[row] = text
            if none := [plain(name) for name, child in module._modules.items() if child is None]:
                none_children[row] = none
                none_places[row] = places_of_none(module._modules.values())
            for name, parameter in module._parameters.items():
                if parameter is not None:
                    parameters.add(row, name, parameter, bool(parameter.requires_grad))
            for name, buffer in module._buffers.items():
                if buffer is not None:
                    buffers.add(row, name, buffer, name not in module._non_persistent_buffers_set)
        return Description(
            parent=parent,
            name=names,
            same=same,
            class_id=class_id,
            classes=list(self.classes),
            extra_repr=extra_repr,
            training=bytes(training),
            none_children=none_children,
            none_places=none_places,
            kinds=list(self.kinds),
            parameters=parameters.close(),
            buffers=buffers.close(),
        )

    def _class_id(self, module: nn.Module) -> int:
        number = self._class_ids.get(type(module))
        if number is None:
            number = self._class_ids[type(module)] = self.classes[class_of(module)]
        return number

    def kind(self, tensor: Tensor) -> int:
        """Return the number of the tensor's kind; a plain tensor's is looked up by what it is made of."""
        if type(tensor) not in PLAIN:
            return self.kinds[kind_of(tensor)]
        key = (tensor.shape, tensor.dtype, tensor.device, tensor.layout) if not tensor.is_nested else id(tensor)
        number = self._kind_of_plain.get(key)
        if number is None:
            number = self._kind_of_plain[key] = self.kinds[kind_of(tensor)]
        return number

    def _extra_repr(self, module: nn.Module) -> str:
        if type(module).extra_repr is nn.Module.extra_repr and type(module).__repr__ is nn.Module.__repr__:
            return ""
        text = self.extra_reprs.get(id(module))
        if text is None:
            text = self.extra_reprs[id(module)] = extra_repr_of(module)
        return text


class _Table:
    def __init__(self, describer: _Describer) -> None:
        self._describer = describer
        self._table = TensorTable([], [], [], b"", [])
        self._flag = bytearray()

    def add(self, row: int, name: object, tensor: Tensor, flag: bool) -> None:
        self._table.owner.append(row)
        self._table.name.append(plain(name))
        self._table.kind.append(self._describer.kind(tensor))
        self._table.same.append(self._describer.tensors[id(tensor)])
        self._flag.append(flag)

    def close(self) -> TensorTable:
        self._table.flag = bytes(self._flag)
        return self._table


def class_of(module: nn.Module) -> ModuleClass:
    """Return the name of the module's class as `print` shows it, and where the class comes from."""
    cls = type(module)
    return ModuleClass(cut(plain(cls.__name__), MAX_NAME), cut(plain(cls.__module__), MAX_NAME))


def extra_repr_of(module: nn.Module) -> str:
    """Return the module's `extra_repr`, or a line that says what it raised.

    A class without children that prints itself in its own way, as `Name(...)`, tells there what others tell here.
    """
    text = attempt(lambda: str(module.extra_repr()) or _own_repr(module))
    if isinstance(text, Raised):
        return f"(extra_repr raised {cut(str(text), 200)})"
    return cut(plain(text), MAX_EXTRA_REPR)


def _own_repr(module: nn.Module) -> str:
    if type(module).__repr__ is nn.Module.__repr__ or module._modules:
        return ""
    text, start = repr(module), f"{type(module).__name__}("
    is_usual = text.startswith(start) and text.endswith(")") and "\n" not in text
    return text[len(start) : -1] if is_usual else ""


def kind_of(tensor: Tensor) -> Kind:
    """Return what is known of a tensor without its values: also of one that is lazy, nested, sparse or quantised."""
    shape = None if is_lazy(tensor) else attempt(lambda: tuple(map(int, tensor.shape)))
    layout = attempt(lambda: _word(tensor.layout))
    device = attempt(lambda: tensor.device.type)
    return Kind(
        shape=None if isinstance(shape, Raised) else shape,
        dtype=_word(tensor.dtype),
        device="" if isinstance(device, Raised) else device,
        layout="" if isinstance(layout, Raised) else layout,
    )


def _word(value: torch.dtype | torch.layout) -> str:
    return str(value).removeprefix("torch.")
