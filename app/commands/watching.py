"""A run that a command watches: shown until it ends, or told event by event; what Ctrl+C does, and the exit code."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

import msgspec
import typer
from rich.console import Console

from app.client import Client, ClientError, Conflict, Run
from app.running import fail
from app.terminal.lines import print_text
from app.terminal.runs import head_line, run_lines
from app.terminal.training import view_of, watch

# How long epochs are collected: for a bar that moves, and for lines that nobody sees at once.
BAR_MS = 100
LINES_MS = 500
CODES = {"succeeded": 0, "cancelled": 130}
LEFT = 130


def show_run(client: Client, run: Run, *, as_json: bool) -> Run:
    """Show what happens in a run until it ends, from its start, and return it as it ended."""
    if as_json:
        for message in client.messages(run):
            data = msgspec.Raw(message.data.replace("\n", " ").encode())
            document = {"id": int(message.id), "event": message.event, "data": data}
            sys.stdout.buffer.write(msgspec.json.encode(document) + b"\n")
            sys.stdout.buffer.flush()
        return client.get_run(run)
    console = Console(highlight=False, markup=False, emoji=False)
    print_text(console, head_line(run))
    batch = BAR_MS if console.is_terminal else LINES_MS
    ended = watch(client.events(run, batch=batch), view_of(console, run)) or client.get_run(run)
    for line in run_lines(ended):
        print_text(console, line)
    return ended


def leave_as(run: Run) -> NoReturn:
    """Leave with the code that a run's end stands for."""
    raise typer.Exit(CODES.get(run.status, 1))


@contextmanager
def cancelled_by_interrupt(client: Client, run: Run, *, is_private: bool) -> Iterator[None]:
    """Let the first Ctrl+C ask the server to cancel, while all is shown on; the second leaves at once."""

    def cancel() -> None:
        _say("cancelling; Ctrl+C again leaves at once.")
        try:
            client.cancel_run(run)
        except Conflict:
            return  # It is over already.
        except ClientError as error:
            _say(f"not cancelled: {error}")

    with _first_interrupt(cancel):
        try:
            yield
        except KeyboardInterrupt:
            goes_on = f"the run {run.id} goes on unless it was cancelled: moduletree runs {run.id}"
            fail("left: nothing of it is kept." if is_private else f"left: {goes_on}", LEFT)


@contextmanager
def left_by_interrupt(run: Run) -> Iterator[None]:
    """Let Ctrl+C end the watching, not the run."""
    try:
        yield
    except KeyboardInterrupt:
        fail(f"left: the run {run.id} goes on.", LEFT)


@contextmanager
def _first_interrupt(act: Callable[[], None]) -> Iterator[None]:
    def handle(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.default_int_handler)
        # Apart, so that what is being read is read on.
        threading.Thread(target=act, daemon=True).start()

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _say(line: str) -> None:
    typer.echo(f"moduletree: {line}", err=True)
