"""JSON checked against the arguments of a callable, and made into a call of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TypeAlias

from app.errors import Invalid, Misfit
from app.translation import said
from app.trees.foreign import cut
from app.trees.sources.arguments import ANY, MAX_DIGITS, Argument, Type, ValueType, Variadic, shown, words
from app.trees.values import DTYPES, tensor_of

Loc: TypeAlias = tuple[str | int, ...]
# Finds the arguments of a target; it raises `NotAllowed` where it is none of the table's.
FindArguments: TypeAlias = Callable[[object], Sequence[Argument]]

MAX_ITEMS = 10_000
MAX_TEXT = 10_000
MAX_NESTING = 32


@dataclass(slots=True)
class Call:
    """A call of a target, checked and not yet made; a module among its arguments is a call in turn."""

    target: str
    args: list[object] = field(default_factory=list)
    kwargs: dict[str, object] = field(default_factory=dict)


def bind(find: FindArguments, target: object, given: object, loc: Loc) -> Call:
    """Return the call of `target` that the JSON object `given` asks for.

    Raises `Invalid` with every misfit at once, and `NotAllowed` for a target that the table has not.
    """
    binder = _Binder(find)
    call = binder.bind(target, given, loc)
    if binder.misfits:
        first = binder.misfits[0]
        place = ".".join(str(part) for part in first.loc)
        more = said(" (and %(num)s more)", num=len(binder.misfits) - 1) if len(binder.misfits) > 1 else ""
        raise Invalid(said("%(place)s: %(msg)s%(more)s.", place=place, msg=first.msg, more=more), tuple(binder.misfits))
    return call


class _Binder:
    def __init__(self, find: FindArguments) -> None:
        self.misfits: list[Misfit] = []
        self._find = find

    def bind(self, target: object, given: object, loc: Loc) -> Call:
        arguments = self._find(target)
        call = Call(str(target))
        if not isinstance(given, Mapping):
            self._misfit(loc, said("expected an object, got %(value)s", value=shown(given)))
            return call
        known = {argument.name: argument for argument in arguments if argument.variadic is not Variadic.KEYWORD}
        takes_more = any(argument.variadic is Variadic.KEYWORD for argument in arguments)
        for name, value in given.items():
            if name not in known and not (takes_more and str(name).isidentifier()):
                self._misfit((*loc, cut(str(name), 80)), _no_such(str(name), list(known)))
            elif name not in known:
                call.kwargs[name] = self.convert(value, ANY, (*loc, name))
        for argument in known.values():
            self._take(call, argument, given, (*loc, argument.name))
        return call

    def _take(self, call: Call, argument: Argument, given: Mapping[str, object], loc: Loc) -> None:
        if argument.name not in given:
            if argument.required:
                self._misfit(loc, said("expected %(annotation)s: it has no default", annotation=argument.annotation))
            return
        value = given[argument.name]
        if argument.variadic is Variadic.POSITIONAL:
            many = (ValueType(Type.ARRAY, argument.types),)
            converted = self.convert(value, many, loc)
            call.args.extend(converted if isinstance(converted, list) else ())
        elif argument.positional_only:
            call.args.append(self.convert(value, argument.types, loc))
        else:
            call.kwargs[argument.name] = self.convert(value, argument.types, loc)

    def convert(self, value: object, types: Sequence[ValueType], loc: Loc) -> object:
        """Return the value as the callable wants it; a misfit is noted."""
        if len(loc) > MAX_NESTING:
            return self._misfit(loc, said("nested deeper than %(max_nesting)s levels", max_nesting=MAX_NESTING))
        for one in types:
            if _fits(value, one):
                return self._converted(value, one, loc)
        return self._misfit(loc, said("expected %(types)s, got %(value)s", types=words(types), value=shown(value)))

    def _converted(self, value: object, one: ValueType, loc: Loc) -> object:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return self._number(value, one.type, loc)
        if one.type is Type.DTYPE:
            return DTYPES[str(value)]
        if one.type is Type.TENSOR:
            return self._tensor(value, loc)
        if one.type is Type.MODULE and isinstance(value, Mapping):
            return self._module(value, loc)
        if isinstance(value, str):
            return (
                value
                if len(value) <= MAX_TEXT
                else self._misfit(loc, said("longer than %(max_text)s characters", max_text=f"{MAX_TEXT:,}"))
            )
        if isinstance(value, list):
            return self._list(value, one, loc)
        if isinstance(value, Mapping):
            if len(value) > MAX_ITEMS:
                return self._misfit(loc, said("more than %(max_items)s items", max_items=f"{MAX_ITEMS:,}"))
            return {str(key): self.convert(item, one.items or ANY, (*loc, str(key))) for key, item in value.items()}
        return value

    def _list(self, value: list[object], one: ValueType, loc: Loc) -> object:
        if len(value) > MAX_ITEMS:
            return self._misfit(loc, said("more than %(max_items)s items", max_items=f"{MAX_ITEMS:,}"))
        items = [self.convert(item, one.items or ANY, (*loc, at)) for at, item in enumerate(value)]
        return tuple(items) if one.is_tuple else items

    def _number(self, value: float, wanted: Type, loc: Loc) -> object:
        if isinstance(value, int) and abs(value) >= 10**MAX_DIGITS:
            return self._misfit(loc, said("a number of more than %(max_digits)s digits", max_digits=MAX_DIGITS))
        return int(value) if wanted is Type.INTEGER else value

    def _tensor(self, value: object, loc: Loc) -> object:
        try:
            return tensor_of(value, loc)
        except Invalid as error:
            self.misfits.extend(error.errors)
            return None

    def _module(self, value: Mapping[str, object], loc: Loc) -> object:
        return self.bind(value["target"], value.get("kwargs", {}), (*loc, "kwargs"))

    def _misfit(self, loc: Loc, msg: str) -> object:
        self.misfits.append(Misfit(loc, msg))
        return None


def _fits(value: object, one: ValueType) -> bool:
    if one.choices and isinstance(value, str):
        return value in one.choices
    if isinstance(value, list) and one.type is Type.ARRAY:
        return one.length in {None, len(value)} and all(
            not one.items or any(_fits(item, inner) for inner in one.items) for item in value[:MAX_ITEMS]
        )
    return _FITS[one.type](value)


def _is_integer(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_module(value: object) -> bool:
    return isinstance(value, Mapping) and "target" in value and value.keys() <= {"target", "kwargs"}


_FITS: dict[Type, Callable[[object], bool]] = {
    Type.INTEGER: _is_integer,
    Type.NUMBER: _is_number,
    Type.BOOLEAN: lambda value: isinstance(value, bool),
    Type.STRING: lambda value: isinstance(value, str),
    Type.NULL: lambda value: value is None,
    Type.ARRAY: lambda value: isinstance(value, list),
    Type.OBJECT: lambda value: isinstance(value, Mapping),
    Type.MODULE: _is_module,
    Type.DTYPE: lambda value: isinstance(value, str) and value in DTYPES,
    Type.TENSOR: lambda value: isinstance(value, list),
    Type.ANY: lambda value: True,
}


def _no_such(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, 1)
    hint = (
        said("did you mean %(close)r?", close=close[0])
        if close
        else said("there are %(names)s", names=", ".join(known))
        if known
        else said("it takes none")
    )
    return said("there is no such argument; %(hint)s", hint=hint)
