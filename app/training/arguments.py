"""Arguments by torch's names: which ones a class takes, and what is wrong with those given."""

import inspect
import math
import re
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.errors import Misfit
from app.translation import said

REFUSALS = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
REQUIRED = inspect.Parameter.empty
MAX_ITEMS = 1_000
_CHOICES = re.compile(r"Literal\[(.*)\]")
_LIST_WORDS = ("tuple", "list[", "Iterable[")
# What JSON cannot say.
_UNSAYABLE = ("Callable",)


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a class, its type in torch's words, and its default; `choices` are the words that it may be."""

    name: str
    type: str
    default: object
    choices: tuple[str, ...] = ()

    @property
    def is_required(self) -> bool:
        """Whether there is no default."""
        return self.default is REQUIRED


def arguments_of(kind: Callable[..., object], given_apart: frozenset[str]) -> tuple[Argument, ...]:
    """Return the arguments of a class but those `given_apart`, in the order of its signature."""
    return tuple(_arguments(kind, given_apart))


def _arguments(kind: Callable[..., object], given_apart: frozenset[str]) -> Iterator[Argument]:
    for name, given in inspect.signature(kind).parameters.items():
        named = given.annotation if isinstance(given.annotation, str) else getattr(given.annotation, "__name__", "")
        word = named or str(given.annotation)
        if name in given_apart or any(each in word for each in _UNSAYABLE):
            continue
        found = _CHOICES.search(word)
        choices = tuple(part.strip(" '\"") for part in found[1].split(",")) if found else ()
        yield Argument(name, "str" if choices else word, given.default, choices)


def misfits_of(name: str, loc: str, known: tuple[Argument, ...], args: Mapping[str, object]) -> list[Misfit]:
    """Return what is wrong with arguments by their names and types alone; `name` is the class that is to take them."""
    by_name = {argument.name: argument for argument in known}
    misfits = [misfit for key, value in args.items() if (misfit := _misfit(name, loc, by_name, key, value)) is not None]
    missing = [argument for argument in known if argument.is_required and argument.name not in args]
    misfits += [
        Misfit((loc, argument.name), said("expected %(type)s: %(name)s needs it", type=argument.type, name=name))
        for argument in missing
    ]
    return misfits


def _misfit(name: str, loc: str, known: Mapping[str, Argument], key: str, value: object) -> Misfit | None:
    if key not in known:
        takes = said("%(name)s takes %(known)s", name=name, known=", ".join(known))
        takes = takes if known else said("%(name)s takes no more arguments", name=name)
        return Misfit((loc, key), said("unknown argument; %(expected)s", expected=takes))
    argument = known[key]
    if argument.choices:
        if value not in argument.choices:
            expected = ", ".join(argument.choices)
            return Misfit((loc, key), said("expected one of %(known)s; got %(name)r", known=expected, name=value))
    elif not _is_plain(value) or not _is_like(value, argument):
        return Misfit((loc, key), said("expected %(type)s, got %(value)r", type=argument.type, value=value))
    return None


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return len(value) <= MAX_ITEMS and all(_is_plain(item) and not isinstance(item, list) for item in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, bool | str | None) or (isinstance(value, int) and abs(value) < 2**63)


def _is_like(value: object, argument: Argument) -> bool:
    default, word = argument.default, argument.type
    if isinstance(value, list):
        is_list = any(each in word for each in _LIST_WORDS)
        fits = not isinstance(default, tuple) or len(value) == len(default)
        return is_list and fits and all(_is_item(item, argument) for item in value)
    if isinstance(default, bool):
        return isinstance(value, bool)
    if isinstance(default, tuple) or word.startswith("Iterable"):
        return False
    if "bool" in word:
        return value is None or isinstance(value, bool)
    if "str" in word:
        return isinstance(value, str) or (value is None and default is None)
    if value is None:
        return default is None
    return _is_number(value) and _is_whole_enough(value, word)


def _is_item(value: object, argument: Argument) -> bool:
    if value is None:
        return isinstance(argument.default, tuple)
    return _is_number(value) and _is_whole_enough(value, argument.type)


def _is_whole_enough(value: object, word: str) -> bool:
    return "float" in word or "int" not in word or isinstance(value, int)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def refused(
    loc: str, args: Mapping[str, object], attempt: Callable[[Mapping[str, object]], str | None], *, blame: str = ""
) -> list[Misfit]:
    """Return the arguments that `attempt`, which returns torch's message where it refuses, does not take.

    Where no single one is to blame, all are, or without any `blame`.
    """
    message = attempt(args)
    if message is None:
        return []
    alone = {key: why for key in args if (why := attempt({key: args[key]})) is not None}
    sound = {key: value for key, value in args.items() if key not in alone}
    # An argument may need another one, as nesterov needs momentum: it is refused only if the sound ones do not help.
    found = {key: why for key in alone if (why := attempt({**sound, key: args[key]})) is not None}
    if found:
        return [Misfit((loc, key), why) for key, why in found.items()]
    return [Misfit((loc,) if args or not blame else (blame,), message)]


def taken(args: Mapping[str, object]) -> dict[str, Any]:
    """Return arguments as torch takes them: lists of JSON are tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in args.items()}


_one_at_a_time = threading.Lock()


def refusal_of(make: Callable[[], object]) -> str | None:
    """Return torch's message where `make` raises, else None."""
    # Filters of warnings belong to the whole process, so that two threads must not swap them at once.
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            make()
        except REFUSALS as error:
            return str(error) or type(error).__name__
    return None
