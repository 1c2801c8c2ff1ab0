"""Forms as data: what a form asks, what was typed into it, and what is wrong with that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from app.errors import Invalid, Misfit, ModuletreeError, NameRefused
from app.translation import gettext as _
from app.translation import told


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a form asks.

    `kind` is text, number, long (of so many `rows`), choice, check, hidden, file or files; the placeholder of a file is
    what kinds of it are offered. `doc` is what its documentation has on it, in English.
    """

    name: str
    label: str
    value: str = ""
    kind: str = "text"
    choices: tuple[str, ...] = ()
    hint: str = ""
    placeholder: str = ""
    problem: str = ""
    rows: int = 12
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A form that posts to `url`; `call` is the same in PyTorch, `problem` what no single field is to blame for.

    `again` is where the form is shown with other fields, once a choice in it was made.
    """

    key: str
    title: str
    url: str
    submit: str
    fields: tuple[Field, ...] = ()
    call: str = ""
    curl: str = ""
    about: str = ""
    kind: str = ""
    is_open: bool = False
    problem: str = ""
    again: str = ""

    def refused(self, typed: Mapping[str, str], error: ModuletreeError) -> "Form":
        """Return the form open, with all that was typed and each problem at its field."""
        names = {field.name for field in self.fields}
        problems = problems_of(error, names)
        fields = tuple(typed_into(field, typed, problems.get(field.name, "")) for field in self.fields)
        return replace(self, fields=fields, problem=problems.get("", ""), is_open=True)


def typed_into(field: Field, typed: Mapping[str, str], problem: str) -> Field:
    """Return the field with what was typed into it, and what is wrong with that."""
    if field.kind == "check":
        return replace(field, value="on" if field.name in typed else "", problem=problem)
    return replace(field, value=typed.get(field.name, field.value), problem=problem)


def problems_of(error: ModuletreeError, names: set[str]) -> dict[str, str]:
    """Return what is wrong by field; what belongs to none of them stands under ""."""
    if not isinstance(error, Invalid) or not error.errors:
        return {"name" if isinstance(error, NameRefused) and "name" in names else "": error.detail}
    problems: dict[str, str] = {}
    for misfit in error.errors:
        name = field_of(misfit, names)
        msg = told(misfit.msg)
        problem = msg if name or not misfit.loc else f"{'.'.join(map(str, misfit.loc))}: {msg}"
        problems[name] = f"{problems[name]}; {problem}" if name in problems else problem
    return problems


def unread(error: Invalid) -> str:
    """Return what of a search cannot be read: `Character 7: expected a number after "numel>".`"""
    (misfit,) = error.errors
    at = int(misfit.loc[-1]) + 1
    return _("Character %(at)s: %(problem)s.", at=f"{at:,}", problem=told(misfit.msg))


def field_of(misfit: Misfit, names: set[str]) -> str:
    """Return the innermost field that the misfit's place names, or ""."""
    return next((str(part) for part in reversed(misfit.loc) if str(part) in names), "")


def invalid(problems: Sequence[tuple[str, str]]) -> Invalid:
    """Return the error for fields that cannot be read: (name, what was expected)."""
    misfits = tuple(Misfit((name,), msg) for name, msg in problems)
    return Invalid("; ".join(f"{misfit.loc[0]}: {misfit.msg}" for misfit in misfits) + ".", misfits)
