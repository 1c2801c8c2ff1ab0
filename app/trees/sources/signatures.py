"""The signature of a callable, read into `Argument`s: from its annotations, defaults, overloads and docstring."""

import collections.abc
import enum
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from app.trees.foreign import Raised, attempt, cut
from app.trees.sources.arguments import ANY, Argument, Type, ValueType, Variadic, json_default, words

MAX_DOC = 300
MAX_DEFAULT = 100

PLAIN: dict[object, Type] = {
    int: Type.INTEGER,
    float: Type.NUMBER,
    bool: Type.BOOLEAN,
    str: Type.STRING,
    None: Type.NULL,
    types.NoneType: Type.NULL,
    Tensor: Type.TENSOR,
    torch.dtype: Type.DTYPE,
}
LISTS = (list, tuple, torch.Size, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection)
MAPPINGS = (dict, collections.OrderedDict, collections.abc.Mapping, collections.abc.MutableMapping)
# What a name resolves to in an annotation whose own module imports it for type checkers only.
FALLBACK = {name: getattr(typing, name) for name in ("Any", "Iterable", "Iterator", "Mapping", "Sequence", "Callable")}
# Given by the source, for the module as a whole.
HIDDEN = frozenset({"device"})

Parameter = inspect.Parameter


def arguments_of(factory: Callable[..., object]) -> list[Argument]:
    """Return the arguments of a class or function in order, `device` left out: the source of a tree has its own.

    Raises ValueError where Python knows no signature.
    """
    made_by = factory.__init__ if isinstance(factory, type) else factory  # type: ignore[misc]
    function = _telling(factory, made_by)
    if function is nn.Module.__init__:
        return []
    parameters = list(inspect.signature(function).parameters.values())
    if isinstance(factory, type):
        parameters = parameters[1:]
    hints = _hints(function)
    docs = _docs_of_arguments(inspect.getdoc(factory) or "")
    if isinstance(factory, type):
        docs = {**_docs_of_arguments(inspect.getdoc(made_by) or ""), **docs}
    return [
        _argument(parameter, hints.get(parameter.name, parameter.annotation), docs.get(parameter.name, ""))
        for parameter in parameters
        if not _is_hidden(parameter, hints)
    ]


def doc_of(factory: Callable[..., object]) -> str:
    """Return the first sentence of the callable's own docstring, as plain text."""
    text = inspect.getdoc(factory) if factory.__doc__ else ""
    paragraphs = (text or "").split("\n\n")
    # Some of torch's begin with the signature.
    return _sentence(next((part for part in paragraphs if not _CALL.match(part)), ""))


def returns_module(function: Callable[..., object]) -> bool:
    """Whether the annotation of what a function returns is a class of modules."""
    hint = _hints(function).get("return")
    return isinstance(hint, type) and issubclass(hint, nn.Module)


def _telling(factory: Callable[..., object], made_by: Callable[..., object]) -> Callable[..., object]:
    # `__init__(self, *args, **kwargs)` tells nothing: its overloads do, or the class that it passes everything on to.
    if not isinstance(factory, type):
        return made_by
    for cls in factory.__mro__:
        init = cls.__dict__.get("__init__")
        if not inspect.isfunction(init):
            continue
        functions: list[Callable[..., object]] = [*typing.get_overloads(init), init]
        for function in functions:
            if _names(function) or not _is_variadic(function):
                return function
    return made_by


def _names(function: Callable[..., object]) -> list[str]:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return [parameter.name for parameter in parameters if parameter.kind not in _VARIADIC or _says_module(parameter)]


def _is_variadic(function: Callable[..., object]) -> bool:
    return any(parameter.kind in _VARIADIC for parameter in inspect.signature(function).parameters.values())


def _says_module(parameter: Parameter) -> bool:
    return "Module" in str(parameter.annotation)


def _is_hidden(parameter: Parameter, hints: Mapping[str, object]) -> bool:
    if parameter.name in HIDDEN or (parameter.name.startswith("_") and parameter.default is not Parameter.empty):
        return True
    # `*args: Any` of nn.Identity: nothing could be given that has a meaning.
    return parameter.kind is Parameter.VAR_POSITIONAL and hints.get(parameter.name, Any) is Any


_VARIADIC: dict[object, Variadic] = {
    Parameter.VAR_POSITIONAL: Variadic.POSITIONAL,
    Parameter.VAR_KEYWORD: Variadic.KEYWORD,
}


def _hints(function: Callable[..., object]) -> dict[str, object]:
    known = {**FALLBACK, **vars(nn), **getattr(function, "__globals__", {})}
    hints = attempt(lambda: typing.get_type_hints(function, known))
    return {} if isinstance(hints, Raised) else hints


def _argument(parameter: Parameter, hint: object, doc: str) -> Argument:
    has_default = parameter.default is not Parameter.empty
    value_types = _types_of(parameter, hint)
    return Argument(
        name=parameter.name,
        types=value_types,
        annotation=words(value_types),
        required=not has_default and parameter.kind not in _VARIADIC,
        default=json_default(parameter.default) if has_default else None,
        default_text=_default_text(parameter.default) if has_default else "",
        variadic=_VARIADIC.get(parameter.kind, Variadic.NO),
        positional_only=parameter.kind is Parameter.POSITIONAL_ONLY,
        doc=doc,
    )


def _default_text(default: object) -> str:
    if inspect.isroutine(default) or isinstance(default, type):
        return default.__qualname__
    text = attempt(lambda: repr(default))
    return "…" if isinstance(text, Raised) else cut(text, MAX_DEFAULT)


def _types_of(parameter: Parameter, hint: object) -> tuple[ValueType, ...]:
    if hint is not Parameter.empty:
        found = tuple(dict.fromkeys(_types(hint)))
    elif parameter.name == "dtype":
        found = (ValueType(Type.DTYPE), ValueType(Type.NULL))
    elif parameter.default is not Parameter.empty and type(parameter.default) in PLAIN:
        found = () if parameter.default is None else (ValueType(PLAIN[type(parameter.default)]),)
    else:
        found = ()
    if any(one.type is Type.ANY for one in found):
        return ANY
    if found and parameter.default is None and not any(one.type is Type.NULL for one in found):
        found = (*found, ValueType(Type.NULL))
    return found or ANY


def _types(hint: object) -> Iterable[ValueType]:
    """Yield what JSON a hint allows; nothing for what JSON has not, such as a function."""
    if isinstance(hint, typing.TypeVar):
        hint = hint.__bound__ or Any
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        for one in inner:
            yield from _types(one)
    elif origin is typing.Annotated:
        yield from _types(inner[0])
    elif origin is typing.Literal:
        yield from _literal(inner)
    elif isinstance(hint, type | types.NoneType) and hint in PLAIN:
        yield ValueType(PLAIN[hint])
    elif isinstance(hint, type) and issubclass(hint, nn.Module):
        yield ValueType(Type.MODULE)
    elif isinstance(hint, type) and issubclass(hint, enum.Enum) and issubclass(hint, str):
        yield ValueType(Type.STRING, choices=tuple(str(member.value) for member in hint))
    elif (origin or hint) in LISTS:
        yield _array(origin or hint, inner)
    elif (origin or hint) in MAPPINGS:
        yield ValueType(Type.OBJECT, tuple(_types(inner[1])) if len(inner) == 2 else ())
    elif (origin or hint) is not collections.abc.Callable:
        yield ValueType(Type.ANY)


def _literal(choices: tuple[object, ...]) -> Iterable[ValueType]:
    texts = tuple(choice for choice in choices if isinstance(choice, str))
    if texts:
        yield ValueType(Type.STRING, choices=texts)
    others = {PLAIN.get(type(choice), Type.ANY) for choice in choices if not isinstance(choice, str)}
    yield from (ValueType(other) for other in sorted(others))


def _array(made: object, inner: tuple[object, ...]) -> ValueType:
    is_tuple = made in {tuple, torch.Size}
    if made is torch.Size:
        inner = (int, ...)
    length = len(inner) if made is tuple and inner and inner[-1] is not ... else None
    items = [one for part in inner if part is not ... for one in _types(part)]
    return ValueType(Type.ARRAY, tuple(dict.fromkeys(items)), length, is_tuple)


_CALL = re.compile(r"\w+\(.*\)\s*$", re.DOTALL)
_SECTION = re.compile(r"^(Args|Arguments|Parameters|Keyword Args):\s*$", re.MULTILINE)
_ENTRY = re.compile(r"^(\*{0,2}\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")
_ROLE = re.compile(r":\w+:`~?([^`]*)`")
_END = re.compile(r"(?<=[^.\s][.!?])\s+(?=[A-Z`'])")


def _docs_of_arguments(doc: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for section in _SECTION.finditer(doc):
        name = ""
        lines = doc[section.end() :].splitlines()[1:]
        indent = next((len(line) - len(line.lstrip()) for line in lines if line.strip()), 0)
        for line in lines:
            if line.strip() and len(line) - len(line.lstrip()) < max(indent, 1):
                break
            entry = _ENTRY.match(line.strip()) if len(line) - len(line.lstrip()) == indent else None
            if entry:
                name = entry[1].lstrip("*")
                found.setdefault(name, entry[2])
            elif name:
                found[name] += " " + line.strip()
    return {name: _sentence(text) for name, text in found.items()}


def _sentence(text: str) -> str:
    plain = _ROLE.sub(r"\1", text).replace("``", "").replace("\\", "")
    first = _END.split(" ".join(plain.split()), maxsplit=1)[0]
    return cut(first, MAX_DOC)
