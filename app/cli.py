"""The command line: `moduletree serve`, also `python -m app serve`."""

import errno
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic_core import PydanticUndefined
from rich.console import Console

from app.settings import SettingError, Settings, env_name, load
from app.tokens import make_token
from app.version import VERSION

cli = typer.Typer(
    name="moduletree", no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
)


def knob(name: str, **more: Any) -> Any:
    """The option of the setting `name`, documented by it. It has no default here: settings know theirs."""
    field = Settings.model_fields[name]
    default = f", default {field.default}" if field.default not in (PydanticUndefined, None, ()) else ""
    return typer.Option(f"--{name.replace('_', '-')}", help=f"{field.description} [{env_name(name)}{default}]", **more)


def print_version(asked: bool) -> None:
    """Print the version and leave, where it was asked for."""
    if asked:
        typer.echo(f"moduletree {VERSION}")
        raise typer.Exit


@cli.callback()
def moduletree(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=print_version, is_eager=True)
    ] = False,
) -> None:
    """What is inside a PyTorch model, in a browser and over HTTP."""


@cli.command()
def serve(
    host: Annotated[str | None, knob("host")] = None,
    port: Annotated[int | None, knob("port")] = None,
    data_dir: Annotated[Path | None, knob("data_dir", metavar="DIR")] = None,
    database: Annotated[str | None, knob("database", metavar="URL")] = None,
    root: Annotated[list[Path] | None, knob("root", metavar="DIR")] = None,
    allow_import: Annotated[list[str] | None, knob("allow_import", metavar="MODULE")] = None,
    token: Annotated[str | None, knob("token", metavar="TOKEN")] = None,
    allow_host: Annotated[list[str] | None, knob("allow_host", metavar="NAME")] = None,
    max_modules: Annotated[int | None, knob("max_modules")] = None,
    max_depth: Annotated[int | None, knob("max_depth")] = None,
    max_body: Annotated[int | None, knob("max_body", metavar="BYTES")] = None,
    max_upload: Annotated[int | None, knob("max_upload", metavar="BYTES")] = None,
    workers_for_runs: Annotated[int | None, knob("workers_for_runs")] = None,
    max_queued_runs: Annotated[int | None, knob("max_queued_runs")] = None,
) -> None:
    """Serve the pages and the API until Ctrl+C."""
    options = {name: tuple(value) if isinstance(value, list) else value for name, value in locals().items()}
    try:
        settings = load(options)
    except SettingError as error:
        fail(str(error), 2)
    if settings.token is None and not settings.is_loopback:
        settings = settings.model_copy(update={"token": make_token()})
    run(settings)


def run(settings: Settings) -> None:
    """Serve with `settings` until a signal comes; leave with one line where that cannot begin."""
    # Imported here, because torch takes longer to import than everything else to answer --help.
    from app.main import create_app
    from app.serve import CannotStart, listen, serve, url_of

    try:
        listening = listen(settings)
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (while")[0]
        hint = " Another --port may be free." if error.errno == errno.EADDRINUSE else ""
        fail(f"cannot listen on {settings.host}:{settings.port}: {reason}.{hint}", 1)
    line = f"Moduletree is at {url_of(settings, listening)}"
    console = Console(soft_wrap=True, highlight=False, markup=False)
    try:
        serve(create_app(settings), listening, when_ready=lambda: console.print(line))
    except CannotStart as error:
        fail(str(error), 1)


def fail(line: str, code: int) -> NoReturn:
    """Say in one line why nothing was started, and leave with `code`."""
    typer.echo(f"moduletree: {line}", err=True)
    raise typer.Exit(code)


def main() -> None:
    """Run the command that the arguments name."""
    cli(prog_name="moduletree")
