"""The arguments of a factory as data: what each is called, takes, and is when left out; a form can be made of it."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec
import torch

from app.translation import N_, said
from app.trees.foreign import cut

MAX_DIGITS = 40


class Type(StrEnum):
    """What a JSON value may be; `MODULE` is an object `{target, kwargs}` and `DTYPE` a string such as "float16"."""

    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    STRING = "string"
    NULL = "null"
    ARRAY = "array"
    OBJECT = "object"
    MODULE = "module"
    DTYPE = "dtype"
    TENSOR = "tensor"
    ANY = "any"


class ValueType(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of the types that an argument takes.

    `items` are the types of each item of an array, `length` how many it must have; `is_tuple` says that the callable
    wants a tuple. `choices` are all the strings there are, where they are known.
    """

    type: Type
    items: tuple["ValueType", ...] = ()
    length: int | None = None
    is_tuple: bool = False
    choices: tuple[str, ...] = ()


class Variadic(StrEnum):
    """An argument that stands for many: `*args` is given as a list, `**kwargs` as further names."""

    NO = ""
    POSITIONAL = "positional"
    KEYWORD = "keyword"


class Argument(msgspec.Struct, frozen=True):
    """One argument: what it takes, what it is when left out, and the line that the documentation has on it.

    `default_text` is the default as Python writes it, `default` the same in JSON where JSON has it. `annotation` is
    the type in words.
    """

    name: str
    types: tuple[ValueType, ...]
    annotation: str
    required: bool
    default: bool | int | float | str | list[bool | int | float | str | None] | None
    default_text: str
    variadic: Variadic
    positional_only: bool
    doc: str


def words(types: Sequence[ValueType]) -> str:
    """Return the types in words: "an integer or a list of 2 integers"."""
    return " or ".join(dict.fromkeys(_word(one) for one in types))


_WORDS = {
    Type.INTEGER: (N_("an integer"), "integers"),
    Type.NUMBER: (N_("a number"), "numbers"),
    Type.BOOLEAN: (N_("true or false"), "booleans"),
    Type.STRING: (N_("a string"), "strings"),
    Type.NULL: ("null", "nulls"),
    Type.ARRAY: (N_("a list"), "lists"),
    Type.OBJECT: (N_("an object"), "objects"),
    Type.MODULE: (N_("a module, as {target, kwargs}"), N_("modules, as {target, kwargs}")),
    Type.DTYPE: (N_("a dtype such as float32"), "dtypes"),
    Type.TENSOR: (N_("nested lists of numbers"), N_("nested lists of numbers")),
    Type.ANY: (N_("any value"), N_("any values")),
}
# What `words` makes of them most of the time, whole, as pages tell it.
LISTS = (
    N_("a list of integers"),
    N_("a list of numbers"),
    N_("a list of booleans"),
    N_("a list of strings"),
    N_("a list of %(num)s integers"),
    N_("a list of %(num)s numbers"),
    N_("an object of integers"),
    N_("an object of numbers"),
    N_("an object of strings"),
    N_("a list of modules, as {target, kwargs}"),
    N_("an object of modules, as {target, kwargs}"),
)
ANY = (ValueType(Type.ANY),)


def _word(one: ValueType) -> str:
    if one.choices:
        return " or ".join(repr(choice) for choice in one.choices)
    word = _WORDS[one.type][0]
    if one.items:
        of = " or ".join(dict.fromkeys(_WORDS[item.type][1] for item in one.items))
        many = f"{one.length} " if one.length is not None else ""
        word += f" of {many}{of}"
    return word


def shown(value: object) -> str:
    """Return a short text of a JSON value, for a message."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return said("a list of %(num)s", num=len(value))
    if isinstance(value, Mapping):
        return N_("an object")
    if isinstance(value, int) and abs(value) >= 10**MAX_DIGITS:
        return said("a number of more than %(max_digits)s digits", max_digits=MAX_DIGITS)
    return cut(repr(value), 60)


def json_default(value: object) -> bool | int | float | str | list[bool | int | float | str | None] | None:
    """Return a default in JSON, None where JSON has nothing like it."""
    if isinstance(value, torch.dtype):
        return str(value).removeprefix("torch.")
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, list | tuple) and all(isinstance(item, bool | int | float | str | None) for item in value):
        return list(value)
    return None
