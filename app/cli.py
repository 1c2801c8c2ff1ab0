"""The command line: `moduletree serve | open | tree | train | runs`, also `python -m app`."""

from typing import Annotated, Any

import typer

from app.collector import collector_paused
from app.commands.arguments import Device, Kwargs, MaybeSource, Source
from app.commands.runs import runs
from app.commands.train import EXIT_CODES, train
from app.errors import ModuletreeError
from app.options import takes_settings
from app.running import fail, run, run_for_one
from app.settings import SettingError, Settings, load
from app.terminal.named import Named, named, told
from app.version import VERSION

cli = typer.Typer(
    name="moduletree", no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
)


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
    """What is inside a PyTorch model, in a browser, in a terminal and over HTTP."""


@cli.command()
@takes_settings
def serve(options: dict[str, Any], source: MaybeSource = None, kwargs: Kwargs = None, device: Device = None) -> None:
    """Serve the pages and the API until Ctrl+C, at the tree of SOURCE if one is named."""
    settings = _settings(options)
    if source is None:
        if kwargs is not None or device is not None:
            fail("--kwargs and --device are for a callable, module:name, and none was named.", 2)
        run(settings)
        return
    found = _named(source, kwargs, device)
    if found.file is not None:
        settings = settings.model_copy(update={"root": (*settings.root, found.file)})
    run(_allowing(settings, found), found)


@cli.command("open")
@takes_settings
def open_source(
    options: dict[str, Any],
    source: Source,
    kwargs: Kwargs = None,
    device: Device = None,
    browser: Annotated[bool, typer.Option(help="Open the browser, or only tell the address.")] = True,
) -> None:
    """Open the browser at the tree of SOURCE, and serve it until Ctrl+C.

    Nothing is kept unless --data-dir names where. Without --port, another one is used where 8000 is taken.
    """
    settings, found = _settings(options), _named(source, kwargs, device)
    asked = frozenset(name for name, value in options.items() if value not in (None, ()))
    run_for_one(_allowing(settings, found), found, asked, browse=browser)


@cli.command()
def tree(
    source: Source,
    kwargs: Kwargs = None,
    device: Device = None,
    target: Annotated[str, typer.Option(metavar="PATH", help="Dotted path of the submodule to begin with.")] = "",
    depth: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Most levels below it; all if left out.")
    ] = None,
    find: Annotated[
        str | None,
        typer.Option(metavar="QUERY", help="What to look for: 'attn class:Linear numel>1e6 dtype:bf16 frozen'."),
    ] = None,
    parameters: Annotated[bool, typer.Option("--parameters", help="Parameters and buffers too, with shapes.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The same as one JSON document.")] = False,
) -> None:
    """Print the tree of SOURCE, runs of like siblings folded; nothing is served or kept."""
    if find is not None and (depth is not None or parameters):
        fail("--find lists what it finds at any depth: --depth and --parameters do not go with it.", 2)
    found = _named(source, kwargs, device)
    # Imported here, because torch takes longer to import than everything else to answer --help.
    with collector_paused():
        from app.terminal.answers import Asked, answer

    try:
        answer(found, Asked(target, depth, find, parameters=parameters, as_json=as_json))
    except ModuletreeError as error:
        fail(told(error.detail), 2)


cli.command(epilog=EXIT_CODES)(train)
cli.command(epilog="With --follow the exit codes are those of train.")(runs)


def _settings(options: dict[str, Any]) -> Settings:
    try:
        return load(options)
    except SettingError as error:
        fail(str(error), 2)


def _named(source: str, kwargs: str | None, device: str | None) -> Named:
    try:
        return named(source, kwargs, device)
    except ModuletreeError as error:
        fail(error.detail, 2)


def _allowing(settings: Settings, found: Named) -> Settings:
    if found.allow_import is None:
        return settings
    return settings.model_copy(update={"allow_import": (*settings.allow_import, found.allow_import)})


def main() -> None:
    """Run the command that the arguments name."""
    cli(prog_name="moduletree")
