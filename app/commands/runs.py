"""`moduletree runs`: what there is, one run with its losses, and what to do with it."""

import sys
from enum import StrEnum
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from app.client import Client, Run
from app.commands.arguments import shortened
from app.commands.reached import client_of, told_in_a_line
from app.commands.trees import find_tree
from app.commands.watching import leave_as, left_by_interrupt, show_run
from app.options import takes_reach
from app.running import fail
from app.terminal.runs import print_run, print_runs

MANY = 20


class Act(StrEnum):
    """What may be asked of a run."""

    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"
    APPLY = "apply"
    DELETE = "delete"


def _act(act: Act, help_text: str) -> Any:
    return typer.Option(f"--{act}", help=help_text)


@takes_reach
def runs(
    reach: dict[str, Any],
    run_id: Annotated[str | None, typer.Argument(metavar="ID", help="The id of one run; all if left out.")] = None,
    tree: Annotated[
        str | None, typer.Option(metavar="TREE", help="Only those of this tree, by its id or name.")
    ] = None,
    status: Annotated[
        list[str] | None, typer.Option(metavar="STATUS", help="Only those that are so: running, failed... Repeatable.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="Most runs that are listed.")] = MANY,
    follow: Annotated[bool, typer.Option("--follow", help="Show the run until it ends; Ctrl+C leaves it.")] = False,
    cancel: Annotated[bool, _act(Act.CANCEL, "End the run; its epochs stay.")] = False,
    pause: Annotated[bool, _act(Act.PAUSE, "Let the run wait after its present epoch.")] = False,
    resume: Annotated[bool, _act(Act.RESUME, "Let a paused or an interrupted run go on.")] = False,
    apply: Annotated[bool, _act(Act.APPLY, "Put the run's parameters on its tree as that is now.")] = False,
    delete: Annotated[bool, _act(Act.DELETE, "Forget a run that is over.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document a line: runs, or with --follow events.")
    ] = False,
) -> None:
    """List the runs of a server, newest first; or show the run ID with its losses, steer it, follow it."""
    chosen = [act for act, is_chosen in zip(Act, (cancel, pause, resume, apply, delete), strict=True) if is_chosen]
    _check(run_id, chosen, has_filter=bool(tree or status), follow=follow)
    client, _ = client_of(reach)
    with client, told_in_a_line():
        if run_id is None:
            _list(client, tree, status or [], limit, as_json=as_json)
            return
        for act in chosen:
            _do(client, act, run_id)
        if follow:
            run = client.get_run(run_id)
            with left_by_interrupt(run):
                leave_as(show_run(client, run, as_json=as_json))
        if not chosen:
            _show(client, run_id, as_json=as_json)


def _check(run_id: str | None, chosen: list[Act], *, has_filter: bool, follow: bool) -> None:
    options = [f"--{act}" for act in chosen]
    if run_id is None and (options or follow):
        fail(f"{(options or ['--follow'])[0]} is for one run: name its id.", 2)
    if run_id is not None and has_filter:
        fail("--tree and --status choose among all runs: they do not go with an id.", 2)
    if len(chosen) > 1 or (follow and chosen and chosen != [Act.RESUME]):
        fail(f"{' and '.join([*options, *(['--follow'] if follow else [])])} do not go together.", 2)


def _list(client: Client, tree: str | None, status: list[str], limit: int, *, as_json: bool) -> None:
    of = None
    if tree is not None:
        of = find_tree(client, tree)
        if of is None:
            fail(f"There is no tree {shortened(tree)} at {client.url}.", 2)
    found = client.list_runs(of, status=status, limit=limit)
    if as_json:
        for run in found:
            _write(run)
    elif not print_runs(Console(highlight=False, markup=False, emoji=False), found):
        typer.echo("no runs", err=True)


def _do(client: Client, act: Act, run_id: str) -> None:
    match act:
        case Act.DELETE:
            client.delete_run(run_id)
            typer.echo(f"{run_id} is gone")
        case Act.APPLY:
            applied = client.apply_run(run_id)
            unfit = f"; {applied.num_unfit:,} found no place" if applied.num_unfit else ""
            typer.echo(f"{applied.num_applied:,} tensors are revision {applied.revision} of the tree{unfit}")
        case _:
            run: Run = getattr(client, f"{act}_run")(run_id)
            typer.echo(f"{run_id} is {run.status}")


def _show(client: Client, run_id: str, *, as_json: bool) -> None:
    if as_json:
        _write(client.get_run(run_id))
        return
    console = Console(highlight=False, markup=False, emoji=False)
    print_run(console, client.picture(run_id), client.insights(run_id))


def _write(run: Run) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(run) + b"\n")
