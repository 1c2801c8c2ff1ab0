"""`moduletree train`: one run, from its options to its exit code."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from app.client import Client, Data, Invalid, Run
from app.commands.arguments import Kwargs
from app.commands.hyperparameters import config_of, takes_hyperparameters
from app.commands.trees import Reached, Where, reached_tree
from app.commands.watching import cancelled_by_interrupt, leave_as, show_run
from app.errors import Invalid as Misused
from app.options import takes_reach
from app.running import fail

EXIT_CODES = (
    "Exit codes: 0, the run succeeded, or was left to the server by --detach; 1, it failed or was interrupted, or the "
    "server was lost; 2, nothing was started; 130, it was cancelled, or left by a second Ctrl+C."
)


@takes_reach
@takes_hyperparameters
def train(
    reach: dict[str, Any],
    given: dict[str, Any],
    tree: Annotated[
        str,
        typer.Argument(
            metavar="TREE",
            help="A tree of the server, by its id or name; or what to open: a callable that returns a module, as "
            "module:name, or a source in JSON.",
        ),
    ],
    kwargs: Kwargs = None,
    private: Annotated[
        bool, typer.Option("--private", help="Train on a server of its own, which keeps nothing.")
    ] = False,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the trained parameters to this .safetensors file.")
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Print the id of the run and leave it.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print each event as a line of JSON.")] = False,
    wait: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="Wait so long for a place in a full queue.")
    ] = 0,
) -> None:
    """Train TREE and show its loss, until it is done or Ctrl+C cancels it.

    Without a server at the usual address, what TREE says how to open is trained on a server of its own.
    """
    try:
        config = config_of(given)
    except Misused as error:
        fail(error.detail, 2)
    if detach and (save is not None or private):
        fail("--detach leaves the run to a server that goes on: --private and --save do not go with it.", 2)
    with reached_tree(reach, tree, kwargs, Where.of(private=private, detach=detach)) as reached:
        run = _start(reached, config, given, wait)
        if detach:
            typer.echo(run.id)
            return
        with cancelled_by_interrupt(reached.client, run, is_private=reached.is_private):
            ended = show_run(reached.client, run, as_json=as_json)
        if save is not None and ended.status == "succeeded":
            _save(reached.client, ended, save)
    leave_as(ended)


def _start(reached: Reached, config: dict[str, Any], given: dict[str, Any], wait: float) -> Run:
    with _uploaded(reached.client, given["csv"]) as data:
        if data is not None:
            config["data"] = {"kind": "csv", "upload": data.id, "x": given["x"], "y": given["y"]}
        try:
            return reached.client.start_run(reached.tree, wait=wait, **config)
        except Invalid as error:
            misfits = [f"{_option(misfit.loc)}: {misfit.msg}" for misfit in error.errors]
            fail("; ".join(misfits) or error.detail, 2)


@contextmanager
def _uploaded(client: Client, file: Path | None) -> Iterator[Data | None]:
    """The file, on the server until a run has taken its copy of it."""
    if file is None:
        yield None
        return
    data = client.upload_data(file)
    try:
        yield data
    finally:
        client.delete_data(data)


def _option(loc: tuple[str | int, ...]) -> str:
    """Return the option that a place in the body of a request stands for."""
    first, *inner = loc[1:] if loc[:1] == ("body",) else loc
    option = f"--{str(first).removesuffix('_args' if inner else '').replace('_', '-')}"
    return " ".join([f"{option}-arg" if str(first).endswith("_args") else option, *map(str, inner)])


def _save(client: Client, run: Run, file: Path) -> None:
    if run.result_revision is None:
        fail(f"{file}: not written, for the tree was changed meanwhile; `moduletree runs {run.id} --apply`.", 1)
    try:
        file.write_bytes(client.state_dict(run.tree))
    except OSError as error:
        fail(f"{str(file)!r} cannot be written: {error.strerror}.", 1)
