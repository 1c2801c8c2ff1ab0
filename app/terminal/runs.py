"""Runs in a terminal: a table of several, or one with its losses as a chart."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from app.client import Insight, Picture, Run
from app.printable import printable
from app.terminal.figures import duration_text, loss_text
from app.terminal.lines import GAP, print_text
from app.terminal.loss_chart import Points, chart_lines

MOST_CHART = 100
CHART_HEIGHT = 10
MOST_VALUE = 60
MOST_NAME = 30
STYLES = {"succeeded": "green", "failed": "red", "interrupted": "yellow", "running": "cyan", "paused": "cyan"}
UNSAID = frozenset({"epochs", "executor", "shuffle"})
COLUMNS = ("run", "tree", "status", "epochs", "loss", "best", "with", "started")
NUMBERS = frozenset({"epochs", "loss", "best"})
# What is left out where a terminal is too narrow for all, in this order.
LEAST = ("with", "started", "best", "epochs")


def print_runs(console: Console, runs: Iterable[Run]) -> int:
    """Print a line for each run, and return how many there were."""
    rows = [dict(zip(COLUMNS, _cells(run), strict=True)) for run in runs]
    widths = {name: max([len(name), *(row[name].cell_len for row in rows)]) for name in COLUMNS}
    for name in LEAST:
        if console.is_terminal and sum(widths.values()) + GAP * (len(widths) - 1) > console.width:
            del widths[name]
    for row in [{name: Text(name, "bold") for name in COLUMNS}, *rows] if rows else []:
        for name, width in widths.items():
            row[name].align("right" if name in NUMBERS else "left", width)
        line = Text(" " * GAP).join(row[name] for name in widths)
        line.rstrip()
        print_text(console, line)
    return len(rows)


def _cells(run: Run) -> Iterator[Text]:
    yield Text(run.id)
    name = Text(printable(run.tree_name))
    name.truncate(MOST_NAME, overflow="ellipsis")
    yield name.append(f" #{run.number}{' (gone)' if run.tree_deleted else ''}")
    yield Text(run.status, STYLES.get(run.status, ""))
    yield Text(f"{run.epochs_done:,}/{run.epochs:,}")
    yield Text(loss_text(run.loss))
    yield Text(loss_text(run.best_loss))
    yield Text(printable(f"{run.config.get('optimizer', '')} {run.config.get('lr', '')}"))
    yield Text(_instant(run.created_at))


def print_run(console: Console, picture: Picture, insights: Sequence[Insight]) -> None:
    """Print one run: what it was asked for, its losses, and what the server has noticed."""
    run = picture.run
    for line in (head_line(run), *run_lines(run)):
        print_text(console, line)
    points = Points.of(picture.loss.epoch, picture.loss.value)
    width = min(console.width, MOST_CHART)
    chart = chart_lines(points, width, CHART_HEIGHT, is_ascii=console.options.ascii_only)
    for row in ["", *chart] if chart else []:
        print_text(console, Text(row))
    for first, last, kind in picture.loss.nonfinite:
        print_text(console, Text(f"loss {printable(kind)} from epoch {first:,} to {last:,}", "red"))
    for insight in insights:
        print_text(console, Text(""))
        print_text(console, Text(printable(insight.title), "bold"))
        print_text(console, Text(printable(insight.detail)))


def head_line(run: Run) -> Text:
    """Return which run it is."""
    return Text.assemble((run.id, "bold"), f"  #{run.number} of {printable(run.tree_name)} ({run.tree})")


def run_lines(run: Run) -> Iterator[Text]:
    """Yield how a run stands, in words."""
    took = ""
    if run.started_at is not None and run.ended_at is not None:
        took = f" in {duration_text((run.ended_at - run.started_at).total_seconds())}"
    early = ", stopped early" if run.stopped_early else ""
    done = f"{run.epochs_done:,} of {run.epochs:,} epochs{took}{early}"
    yield Text.assemble((run.status, STYLES.get(run.status, "")), f"  {done}")
    if run.error is not None:
        yield Text(printable(run.error), "red")
    if run.loss is not None:
        validation = "" if run.validation_loss is None else f", validation {loss_text(run.validation_loss)}"
        yield Text(f"loss {loss_text(run.loss)}, best {loss_text(run.best_loss)}{validation}")
    if run.fit is not None:
        sign = "-" if run.fit.intercept < 0 else "+"
        yield Text(f"y = {run.fit.slope:.6g} x {sign} {abs(run.fit.intercept):.6g}")
    if run.result_revision is not None:
        yield Text(f"its parameters are revision {run.result_revision} of the tree")
    yield Text(", ".join(_config_parts(run.config)), "dim")


def _config_parts(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a run was asked for, but for what nobody asked for."""
    for name, value in config.items():
        if value not in (None, {}, [], 0, False) and name not in UNSAID:
            text = printable(_value_text(value))
            yield f"{printable(name)} {text if len(text) <= MOST_VALUE else text[: MOST_VALUE - 1] + '…'}"
    if config.get("batch_size") is not None and not config.get("shuffle", True):
        yield "shuffle False"


def _value_text(value: object) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{key} {_value_text(each)}" for key, each in value.items() if key != "kind")
        return f"{value.get('kind', '')}({inner})"
    if isinstance(value, list):
        return f"[{', '.join(map(_value_text, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _instant(at: datetime) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M")
