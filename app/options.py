"""Options of commands that are listed elsewhere: every setting is one."""

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Annotated, Any, TypeAlias, get_args, get_origin

import typer
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from app.settings import Reach, Settings, env_name

Command: TypeAlias = Callable[..., None]

METAVARS = {
    "data_dir": "DIR",
    "database": "URL",
    "root": "DIR",
    "allow_import": "MODULE",
    "token": "TOKEN",
    "allow_host": "NAME",
    "max_body": "BYTES",
    "max_upload": "BYTES",
    "server": "URL",
}


def takes(into: str, knobs: Sequence[inspect.Parameter]) -> Callable[[Command], Command]:
    """Return a decorator that gives a command these options; their values come to it as `into`, by name."""

    def decorate(command: Command) -> Command:
        own = [part for part in inspect.signature(command).parameters.values() if part.name != into]

        @wraps(command)
        def with_options(**given: Any) -> None:
            options = {knob.name: given.pop(knob.name) for knob in knobs}
            named = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
            command(**{into: named}, **given)

        with_options.__signature__ = inspect.Signature([*own, *knobs])  # type: ignore[attr-defined]
        return with_options

    return decorate


def knobs_of(kind: type[BaseSettings]) -> list[inspect.Parameter]:
    """Return an option for each setting."""
    return [_knob(name, field) for name, field in kind.model_fields.items()]


def knob(name: str, kind: Any, help_text: str, metavar: str | None = None) -> inspect.Parameter:
    """Return an option that is None where it was not named; a switch, for a bool, has only its one name."""
    flag = f"--{name.replace('_', '-')}"
    option = typer.Option(flag, help=help_text, metavar=metavar)
    annotation: Any = Annotated[kind | None, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _knob(name: str, field: FieldInfo) -> inspect.Parameter:
    # It has no default here: settings know theirs.
    default = f", default {field.default}" if field.default not in (PydanticUndefined, None, ()) else ""
    help_text = f"{field.description} [{env_name(name)}{default}]"
    return knob(name, _type_of(field.annotation), help_text, METAVARS.get(name))


def _type_of(annotation: Any) -> Any:
    first: Any = get_args(annotation)[0] if get_args(annotation) else annotation
    return list.__class_getitem__(first) if get_origin(annotation) is tuple else first


takes_settings = takes("options", knobs_of(Settings))
takes_reach = takes("reach", knobs_of(Reach))
