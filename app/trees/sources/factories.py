"""The callables that may build trees: a table made once, at start; no name from a request is ever resolved."""

import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from operator import attrgetter
from types import MappingProxyType, ModuleType

import msgspec
from torch import nn

from app.errors import ModuletreeError, NotAllowed
from app.translation import said
from app.trees.foreign import Raised, attempt, cut
from app.trees.sources.arguments import Argument, Variadic
from app.trees.sources.signatures import arguments_of, doc_of, returns_module

DEFAULT = "torch.nn"


class CannotImport(ModuletreeError):
    """A module or callable that was to be allowed is not there, or does not import."""


class Factory(msgspec.Struct, frozen=True):
    """A callable of the table: what it is called, the first line on it, and its arguments.

    `unfit` says why it cannot be called with JSON, "" where it can.
    """

    id: str
    name: str
    module: str
    doc: str
    arguments: list[Argument]
    unfit: str = ""

    @property
    def signature(self) -> str:
        """The call as its documentation writes it: `Linear(in_features, out_features, bias=True)`."""
        return f"{self.name}({', '.join(map(_parameter, self.arguments))})"


class Factories:
    """The table as data: what is listed, searched, and checked against before any process is asked."""

    def __init__(self, allowed: Sequence[str], factories: Iterable[Factory]) -> None:
        self.allowed = tuple(allowed)
        self.by_id: Mapping[str, Factory] = MappingProxyType({factory.id: factory for factory in factories})

    def __len__(self) -> int:
        return len(self.by_id)

    def get(self, target: object) -> Factory:
        """Return the factory of an id; raises `NotAllowed`, which says what option would allow it."""
        factory = self.by_id.get(target) if isinstance(target, str) else None
        if factory is None:
            raise NotAllowed(self._why_not(target))
        return factory

    def search(self, q: str = "") -> list[Factory]:
        """Return the factories that hold every word of `q` in id or first line; names that begin with it come first."""
        words = q.casefold().split()
        found = [(_rank(factory, words), factory) for factory in self.by_id.values()]
        fitting = [(rank, factory) for rank, factory in found if rank is not None]
        return [factory for _, factory in sorted(fitting, key=lambda pair: (pair[0], pair[1].id.casefold()))]

    def _why_not(self, target: object) -> str:
        if not isinstance(target, str):
            return said('target: expected the id of a factory, such as "torch.nn:Transformer".')
        shown = cut(target, 200)
        module, _, name = target.replace(":", ".").rpartition(".")
        if not (module and name):
            return said(
                "target %(shown)r is not the id of a factory, which looks like 'torch.nn:Transformer'.", shown=shown
            )
        names = {factory.name: factory.id for factory in self.by_id.values() if factory.module == module}
        close = get_close_matches(name, names, 1, 0.8)
        hint = said("; did you mean %(names)r?", names=names[close[0]]) if close else "."
        option = cut(module if module not in self.allowed else f"{module}:{name}", 200)
        return said(
            "target %(shown)r is not among the factories (%(names)s)%(hint)s If it is a callable that returns a "
            "module, starting the server with --allow-import %(option)s adds it.",
            shown=shown,
            names=", ".join(self.allowed),
            hint=hint,
            option=option,
        )


class FactoryTable(Factories):
    """The table with the callables themselves; it exists only in the process that builds."""

    def __init__(self, allowed: Sequence[str], found: Mapping[str, Callable[..., object]]) -> None:
        super().__init__(allowed, [_factory(target, call) for target, call in found.items()])
        self.calls: Mapping[str, Callable[..., object]] = MappingProxyType(dict(found))

    @classmethod
    def of(cls, allow_import: Sequence[str] = ()) -> "FactoryTable":
        """Return the table of torch.nn's module classes and what each of `allow_import` adds.

        That is a module's name, for its public callables that return modules, or "module:name" for one callable
        whatever it says of itself. Raises `CannotImport` with the reason of all that cannot be had.
        """
        allowed = list(dict.fromkeys([DEFAULT, *allow_import]))
        found: dict[str, Callable[..., object]] = {}
        wrong: list[str] = []
        for entry in allowed:
            try:
                found.update(_found(entry))
            except CannotImport as error:
                wrong.append(error.detail)
        if wrong:
            raise CannotImport(" ".join(wrong))
        return cls(allowed, found)


def _parameter(argument: Argument) -> str:
    stars = {Variadic.POSITIONAL: "*", Variadic.KEYWORD: "**"}.get(argument.variadic, "")
    has_default = not argument.required and not stars
    return f"{stars}{argument.name}{'=' + argument.default_text if has_default else ''}"


def _rank(factory: Factory, words: list[str]) -> int | None:
    name, text = factory.name.casefold(), f"{factory.id} {factory.doc}".casefold()
    if not all(word in text for word in words):
        return None
    if words and name == words[0]:
        return 0
    if words and name.startswith(words[0]):
        return 1
    return 2 if all(word in factory.id.casefold() for word in words) else 3


def _found(entry: str) -> Iterator[tuple[str, Callable[..., object]]]:
    name, _, path = entry.partition(":")
    module = attempt(lambda: importlib.import_module(name))
    if isinstance(module, Raised):
        raise CannotImport(
            said(
                "--allow-import %(entry)s: %(name)s cannot be imported: %(module)s.",
                entry=entry,
                name=name,
                module=str(module),
            )
        )
    if path:
        yield f"{name}:{path}", _named(module, path, entry)
        return
    for public in _public_names(module):
        # A package may import what it offers only now, and not have all that this needs.
        value = attempt(partial(getattr, module, public, None))
        if callable(value) and _is_factory(module, public, value):
            yield f"{name}:{public}", value


def _named(module: ModuleType, path: str, entry: str) -> Callable[..., object]:
    value: object = attempt(lambda: attrgetter(path)(module))
    if not callable(value):
        why = f": {value}" if isinstance(value, Raised) and not isinstance(value.error, AttributeError) else ""
        raise CannotImport(
            said(
                "--allow-import %(entry)s: %(class_name)s has no callable %(path)r%(why)s.",
                entry=entry,
                class_name=module.__name__,
                path=path,
                why=why,
            )
        )
    return value


def _public_names(module: ModuleType) -> list[str]:
    names = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    return sorted(set(map(str, names)))


def _is_factory(module: ModuleType, name: str, value: object) -> bool:
    if isinstance(value, type):
        makes_modules = issubclass(value, nn.Module) and not inspect.isabstract(value)
    else:
        makes_modules = inspect.isfunction(value) and returns_module(value)
    return makes_modules and _is_own(module, name, value)


def _is_own(module: ModuleType, name: str, value: object) -> bool:
    # What a module imported for its own use is not offered under its name.
    home = str(getattr(value, "__module__", ""))
    return name in getattr(module, "__all__", ()) or f"{home}.".startswith(f"{module.__name__}.")


def _factory(target: str, call: Callable[..., object]) -> Factory:
    module, _, name = target.partition(":")
    arguments = attempt(lambda: arguments_of(call))
    if isinstance(arguments, Raised):
        return Factory(
            target,
            name,
            module,
            doc_of(call),
            [],
            str(said("its signature cannot be read: %(error)s", error=str(arguments))),
        )
    return Factory(target, name, module, doc_of(call), arguments)
