"""A server run from the command line, until a signal comes."""

import errno
import tempfile
import threading
import webbrowser
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

import typer
from rich.console import Console

from app.collector import collector_paused
from app.printable import printable
from app.settings import Settings
from app.terminal.named import Named, told
from app.tokens import make_token


def fail(line: str, code: int) -> NoReturn:
    """Say in one line why nothing was done, and leave with `code`."""
    typer.echo(f"moduletree: {printable(line)}", err=True)
    raise typer.Exit(code)


def run(settings: Settings, named: Named | None = None, *, browse: bool = False) -> None:
    """Serve with `settings` and tell the address, of the tree that was named if one was.

    Leave with one line where that cannot begin: with code 2 for what was named, and 1 for where it was to be.
    """
    # Imported here, because torch takes longer to import than everything else to answer --help.
    with collector_paused():
        from app.main import Opening, create_app
        from app.serve import CannotStart, listen, serve, url_of

    settings = _with_token(settings)
    try:
        listening = listen(settings)
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (while")[0]
        hint = " Another --port may be free." if error.errno == errno.EADDRINUSE else ""
        fail(f"cannot listen on {settings.host}:{settings.port}: {reason}.{hint}", 1)
    opening = None if named is None else Opening(named.document)

    def tell() -> None:
        path = "" if opening is None else opening.path
        console = Console(soft_wrap=True, highlight=False, markup=False)
        console.print(f"Moduletree is at {url_of(settings, listening, path)}")
        if browse:
            # Not the token, which other users of this machine could read in the list of processes.
            show(url_of(settings.model_copy(update={"token": None}), listening, path))

    try:
        serve(create_app(settings, opening), listening, when_ready=tell)
    except CannotStart as error:
        fail(str(error) if named is None else told(str(error)), 2 if error.is_misuse else 1)


def run_for_one(settings: Settings, named: Named, asked: frozenset[str], *, browse: bool) -> None:
    """Serve one person what was named: in a data folder that is gone at the end, at any free port.

    Unless these were `asked` for by options. Checkpoints beside the one that was named may be opened too.
    """
    changes: dict[str, object] = {}
    with ExitStack() as stack:
        if not asked & {"data_dir", "database"}:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="moduletree-", ignore_cleanup_errors=True))
            changes |= {"data_dir": Path(folder), "database": f"sqlite:///{quote(folder)}/moduletree.db"}
        if "port" not in asked and not _is_free(settings):
            typer.echo(f"moduletree: port {settings.port} is taken, another one is used.", err=True)
            changes["port"] = 0
        if named.file is not None:
            changes["root"] = (*settings.root, named.file.parent)
        run(settings.model_copy(update=changes), named, browse=browse)


def show(address: str) -> None:
    """Open the person's browser at an address, without waiting for it."""

    def browse() -> None:
        if not webbrowser.open(address):
            typer.echo("moduletree: no browser could be started: open the address in one.", err=True)

    threading.Thread(target=browse, daemon=True).start()


def _with_token(settings: Settings) -> Settings:
    if settings.token is None and not settings.is_loopback:
        return settings.model_copy(update={"token": make_token()})
    return settings


def _is_free(settings: Settings) -> bool:
    from app.serve import listen

    try:
        listen(settings).close()
    except OSError as error:
        return error.errno != errno.EADDRINUSE
    return True
