"""Runs as a table, and one run in words and as a chart."""

from typing import Any

import msgspec
import pytest
from rich.console import Console

from app.client import Curve, Insight, Picture, Run
from app.terminal.runs import print_run, print_runs
from tests.client.scripted import RUN
from tests.terminal.consoles import in_terminal, piped

CONFIG = {
    "epochs": 3, "lr": 0.01, "optimizer": "Adam", "optimizer_args": {"betas": [0.9, 0.99]},
    "loss": "MSELoss", "seed": None, "data": {"kind": "line", "slope": 2.0, "intercept": 1.0, "count": 10},
    "batch_size": 2, "shuffle": False, "step": "autograd",
}  # fmt: skip


def run_of(**changes: Any) -> Run:
    return msgspec.convert(RUN | {"config": CONFIG} | changes, Run)


def test_runs_stand_in_columns() -> None:
    runs = [run_of(number=2, loss=0.5, nonfinite=None), run_of(tree_name="a\x1b[31mb", tree_deleted=True, epochs=1_000)]
    lines = piped(lambda console: counted(console, runs)).splitlines()
    assert lines[0].split() == ["run", "tree", "status", "epochs", "loss", "best", "with", "started"]
    assert lines[1].split()[:9] == ["r_1", "net", "#2", "succeeded", "3/3", "0.5", "1.5", "Adam", "0.01"]
    assert lines[2].split()[:7] == ["r_1", r"a\x1b[31mb", "#0", "(gone)", "succeeded", "3/1,000", "inf"]
    assert len({line.index("0.01") for line in lines[1:]}) == 1


def counted(console: Console, runs: list[Run]) -> None:
    assert print_runs(console, runs) == len(runs)


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_a_terminal_gets_the_columns_that_it_has_room_for(width: int) -> None:
    lines = in_terminal(lambda console: counted(console, [run_of(tree_name="n" * 9)]), width)
    assert all(line.cell_len <= width for line in lines)
    assert lines[1].plain.startswith("r_1  nnnnnnnnn #0  succeeded")
    assert ("Adam" in lines[1].plain) is (width >= 80)


def test_no_runs_are_nothing() -> None:
    assert piped(lambda console: counted(console, [])) == ""


def test_one_run_is_told_in_words_and_drawn() -> None:
    ended = {"started_at": "2026-01-01T12:00:00Z", "ended_at": "2026-01-01T12:03:05Z", "stopped_early": True}
    more = {"fit": {"slope": 2.0, "intercept": -0.5}, "error": "it\nbroke", "validation_loss": 2.5}
    curve = Curve(epoch=(0, 1, 2), value=(3.0, 2.0, None), nonfinite=((2, 2, "nan"),))
    insight = Insight(kind="plateau", severity="note", title="The loss no longer falls.", detail="Since epoch 1.")
    picture = Picture(run=run_of(**ended, **more), last_event=9, loss=curve)

    told = piped(lambda console: print_run(console, picture, [insight]))
    lines = told.splitlines()
    assert lines[0] == "r_1  #0 of net (t_1)"
    assert lines[1] == "succeeded  3 of 3 epochs in 3 min 5 s, stopped early"
    assert lines[2] == r"it\nbroke"
    assert lines[3] == "loss inf, best 1.5, validation 2.5"
    assert lines[4] == "y = 2 x - 0.5"
    assert "optimizer Adam, optimizer_args (betas [0.9, 0.99])" in told
    assert "data line(slope 2, intercept 1, count 10), batch_size 2, step autograd, shuffle False" in told
    assert lines[8].startswith("3  ")
    assert "loss nan from epoch 2 to 2" in lines
    assert lines[-2:] == ["The loss no longer falls.", "Since epoch 1."]
