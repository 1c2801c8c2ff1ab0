"""The arguments of a factory as fields of a form, and what was typed into them as JSON."""

import json
from collections.abc import Mapping, Sequence

from app.api.bodies import decode
from app.errors import Invalid, Misfit
from app.pages.forms import Field
from app.translation import gettext as _
from app.translation import told_anew
from app.trees.foreign import cut
from app.trees.sources.arguments import Argument, Type, Variadic
from app.trees.values import DTYPES

PREFIX = "arg."
EXAMPLES: Mapping[Type, object] = {
    Type.INTEGER: 8,
    Type.NUMBER: 0.5,
    Type.BOOLEAN: True,
    Type.STRING: "text",
    Type.DTYPE: "float32",
    Type.OBJECT: {},
    Type.MODULE: {"target": "torch.nn:Linear", "kwargs": {"in_features": 8, "out_features": 8}},
}
NESTED = frozenset({Type.MODULE, Type.OBJECT})
WORDS = {"True": True, "False": False, "None": None}
TEXTS = frozenset({Type.STRING, Type.DTYPE, Type.ANY})


def field_of(argument: Argument) -> Field:
    """Return the field for an argument: left empty it is left out of the call."""
    stars = {Variadic.POSITIONAL: "*", Variadic.KEYWORD: "**"}.get(argument.variadic, "")
    kind, choices = _kind(argument)
    return Field(
        name=PREFIX + argument.name,
        label=stars + argument.name,
        kind=kind,
        choices=choices,
        hint=_takes(argument),
        doc=argument.doc,
        placeholder=_placeholder(argument),
        rows=3,
    )


def kwargs_of(arguments: Sequence[Argument], typed: Mapping[str, str]) -> tuple[dict[str, object], list[Misfit]]:
    """Return the arguments that were typed, and at their fields what is wrong with those that cannot be read."""
    given: dict[str, object] = {}
    misfits: list[Misfit] = []
    for argument in arguments:
        name = PREFIX + argument.name
        text = typed.get(name, "").strip()
        if not text:
            continue
        try:
            value = _value(argument, text)
        except ValueError as error:
            misfits.append(Misfit((name,), str(error)))
            continue
        if argument.variadic is Variadic.KEYWORD and isinstance(value, dict):
            given.update(value)
        else:
            given[argument.name] = value
    return given, misfits


def at_fields(error: Invalid, arguments: Sequence[Argument]) -> Invalid:
    """Return the error with each misfit of the source at the field that it was typed into."""
    names = {argument.name for argument in arguments}
    more = next((argument.name for argument in arguments if argument.variadic is Variadic.KEYWORD), "")
    return Invalid(error.detail, tuple(_at_field(misfit, names, more) for misfit in error.errors))


def example_of(arguments: Sequence[Argument]) -> dict[str, object]:
    """Return kwargs that are a start: something for each argument that has no default."""
    return {argument.name: _example(argument) for argument in arguments if argument.required}


def _kind(argument: Argument) -> tuple[str, tuple[str, ...]]:
    types = {one.type for one in argument.types} - {Type.NULL}
    choices = tuple(choice for one in argument.types for choice in one.choices)
    if argument.variadic is not Variadic.NO or types & NESTED or _holds_modules(argument):
        return "long", ()
    if types == {Type.BOOLEAN}:
        return "choice", ("", "true", "false")
    if types == {Type.DTYPE}:
        return "choice", ("", *DTYPES)
    if types == {Type.STRING} and choices:
        return "choice", ("", *choices)
    return "text", ()


def _takes(argument: Argument) -> str:
    annotation = told_anew(argument.annotation) or argument.annotation
    match argument.variadic:
        case Variadic.POSITIONAL:
            return _("a list, each %(type)s", type=annotation)
        case Variadic.KEYWORD:
            return _("an object, each %(type)s", type=annotation)
    return annotation


def _placeholder(argument: Argument) -> str:
    if argument.variadic is Variadic.POSITIONAL:
        return f"[{json.dumps(_example(argument))}]"
    if argument.required or any(one.type is Type.MODULE for one in argument.types):
        example = _example(argument)
        return (
            _("required, such as %(example)s", example=json.dumps(example))
            if argument.required
            else json.dumps(example)
        )
    return argument.default_text


def _holds_modules(argument: Argument) -> bool:
    return any(item.type in NESTED for one in argument.types for item in one.items)


def _example(argument: Argument) -> object:
    for one in argument.types:
        if one.choices:
            return one.choices[0]
        if one.type is Type.ARRAY:
            return [EXAMPLES.get(item.type, 1) for item in one.items[:1]] * (one.length or 1)
        if one.type in EXAMPLES:
            return EXAMPLES[one.type]
    return 1


def _value(argument: Argument, text: str) -> object:
    types = {one.type for one in argument.types}
    if text in WORDS:
        return WORDS[text]
    if types <= {Type.STRING, Type.DTYPE}:
        return text
    # A tuple as Python writes it.
    as_json = f"[{text[1:-1].rstrip(', ')}]" if text[0] == "(" and text[-1] == ")" else text
    try:
        return decode(as_json.encode("utf-8", "replace"))
    except Invalid as error:
        if types & TEXTS and argument.variadic is Variadic.NO and text[0] not in "{[":
            return text
        if text[0] in "{[":
            raise ValueError(error.detail.replace("The body", "This").removesuffix(".")) from None
        raise ValueError(
            _("expected %(type)s, got %(given)s", type=_takes(argument), given=repr(cut(text, 60)))
        ) from None


def _at_field(misfit: Misfit, names: set[str], more: str) -> Misfit:
    match misfit.loc:
        case ("source", "device"):
            return Misfit(("device",), misfit.msg)
        case ("source", "kwargs", first, *rest) if first in names:
            return Misfit((f"{PREFIX}{first}",), _inside(rest, misfit.msg))
        case ("source", "kwargs", *rest) if rest and more:
            return Misfit((f"{PREFIX}{more}",), _inside(rest, misfit.msg))
        case ("source", *_):
            return Misfit((), misfit.msg)
    return misfit


def _inside(path: Sequence[object], msg: str) -> str:
    return f"{'.'.join(map(str, path))}: {msg}" if path else msg
