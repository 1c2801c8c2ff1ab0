"""A run while it happens, in a terminal and in a pipe."""

from typing import Any

import msgspec
import pytest
from rich.console import Console

from app.client import Event, Run
from app.client.events import event_of
from app.client.sse import Message, Parser
from app.terminal.training import view_of, watch
from tests.client.scripted import RUN, sent
from tests.terminal.consoles import in_terminal, piped

AT = "2026-01-01T12:00:00Z"


def run_of(**changes: Any) -> Run:
    return msgspec.convert(RUN | {"status": "queued"} | changes, Run)


def events_of(*pieces: bytes) -> list[Event]:
    messages: list[Message] = Parser().feed(b"".join(pieces))
    return [event_of(message) for message in messages]


def epochs(number: int, first: int, losses: list[float | None], **more: Any) -> bytes:
    last = first + len(losses) - 1
    return sent(number, "epochs", epoch=[first, last], loss=losses, at=AT, **more)


HAPPENED = events_of(
    sent(1, "status", status="queued"),
    sent(2, "status", status="running"),
    epochs(5, 0, [4.0, 1.0, 2.0]),
    *[epochs(5 + 5 * part, 3 + 5 * (part - 1), [3.0] * 5) for part in range(1, 19)],
    epochs(102, 93, [3.0] * 7, validation_loss=[7.5] * 7),
    sent(103, "status", status="succeeded"),
    sent(104, "end", epochs=100),
)


def test_a_pipe_gets_some_lines_whatever_the_number_of_epochs() -> None:
    lines = piped(lambda console: watch_all(console, run_of(epochs=100))).splitlines()
    assert lines[:3] == ["running", "epoch 3/100  loss 2", "epoch 8/100  loss 3"]
    assert lines[-2:] == ["epoch 100/100  loss 3  validation 7.5", "succeeded"]
    assert len(lines) == 22


def watch_all(console: Console, run: Run) -> None:
    ended = watch(HAPPENED, view_of(console, run))
    assert ended is not None
    assert ended.status == "succeeded"


@pytest.mark.parametrize("width", [80, 120])
def test_a_terminal_gets_a_bar_in_one_line(width: int) -> None:
    lines = [line.plain for line in in_terminal(lambda console: watch_all(console, run_of(epochs=100)), width)]
    last = next(line for line in reversed(lines) if line)
    assert last.startswith("succeeded")
    assert "100/100 loss 3  validation 7.5" in last
    assert ("best 1" in last) is (width == 120)


def test_losses_that_are_not_finite_are_named_and_never_the_best() -> None:
    happened = events_of(sent(1, epoch=0, loss=2.5), sent(2, epoch=1, loss=None, nonfinite="inf"))
    lines = piped(lambda console: _ignored(watch(happened, view_of(console, run_of(epochs=2)))))
    assert lines.splitlines() == ["epoch 1/2  loss 2.5", "epoch 2/2  loss inf"]


def _ignored(run: Run | None) -> None:
    assert run is None
