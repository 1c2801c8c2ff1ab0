"""Every setting as an option of a command."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, get_args, get_origin

import typer
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from app.settings import Settings, env_name

METAVARS = {
    "data_dir": "DIR",
    "database": "URL",
    "root": "DIR",
    "allow_import": "MODULE",
    "token": "TOKEN",
    "allow_host": "NAME",
    "max_body": "BYTES",
    "max_upload": "BYTES",
}


def takes_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command with an option for each setting; those that are named come to it as `options`, by name."""
    own = [part for part in inspect.signature(command).parameters.values() if part.name != "options"]
    knobs = [_knob(name, field) for name, field in Settings.model_fields.items()]

    @wraps(command)
    def with_settings(**given: Any) -> None:
        options = {name: given.pop(name) for name in Settings.model_fields}
        named = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
        command(options=named, **given)

    with_settings.__signature__ = inspect.Signature([*own, *knobs])  # type: ignore[attr-defined]
    return with_settings


def _knob(name: str, field: FieldInfo) -> inspect.Parameter:
    # It has no default here: settings know theirs.
    default = f", default {field.default}" if field.default not in (PydanticUndefined, None, ()) else ""
    help_text = f"{field.description} [{env_name(name)}{default}]"
    option = typer.Option(f"--{name.replace('_', '-')}", help=help_text, metavar=METAVARS.get(name))
    kind: Any = Annotated[_type_of(field.annotation) | None, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)


def _type_of(annotation: Any) -> Any:
    first: Any = get_args(annotation)[0] if get_args(annotation) else annotation
    return list.__class_getitem__(first) if get_origin(annotation) is tuple else first
