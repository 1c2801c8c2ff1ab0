"""The runs of a tree below it: the form that starts one, the one that is open, the line that the tree is now."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from app.api.calls import MAX_FORWARD
from app.errors import CannotDo, Invalid, TooLarge
from app.pages import filters
from app.pages.fit_chart import FitChart, fit_chart, formula
from app.pages.forms import Field, Form, invalid
from app.pages.run_line import RunLine, run_line
from app.pages.run_view import RunView, run_view
from app.storage.trees import OpenTree
from app.training.config import RunConfig
from app.training.data import LineData
from app.training.fit import Fit
from app.training.losses import LOSSES
from app.training.optimizers import OPTIMIZERS
from app.training.run import Run
from app.training.runs import Runs
from app.trees import edit
from app.trees.linear import LinearModel

MOST_CHIPS = 6
MOST_CALLS = 5_000
MOST_EPOCHS = 1_000_000
X = "10"


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the tree answers at x, and what the line of the data has there."""

    url: str
    x: str
    y: str
    against: str
    rule: str
    slope: str
    intercept: str
    problem: str


@dataclass(frozen=True, slots=True)
class Dock:
    """What stands below the tree; `run` is None while nothing was trained."""

    can_train: bool
    is_shut: bool
    start: Form
    runs: tuple[RunLine, ...]
    num_runs: int
    run: RunView | None
    fit: FitChart | None
    line: str
    prediction: Prediction


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request says of the dock."""

    run: str = ""
    x: str = X
    is_predicted: bool = False
    is_shut: bool = False
    start: Form | None = None


@dataclass(frozen=True, slots=True)
class TreeNow:
    """What the dock has to know of the tree, read while nobody changes it."""

    id: str
    can_train: bool
    line: tuple[float, float] | None
    y: str
    problem: str


def tree_now(opened: OpenTree, x: str, *, is_asked: bool = False) -> TreeNow:
    """Return the line that the tree is, and what its forward answers at `x`; of a long chain only if that is asked."""
    is_long = num_calls(opened) > MOST_CALLS
    slope, intercept = (math.nan, math.nan) if is_long else Fit(opened.module).read()
    line = (slope, intercept) if math.isfinite(slope) and math.isfinite(intercept) else None
    y, problem = "", ""
    try:
        # Nobody waits for a chain of thousands only because its page is looked at.
        y = predicted(opened, x) if not is_long or is_asked else ""
    except (CannotDo, Invalid, TooLarge) as error:
        problem = error.errors[0].msg if isinstance(error, Invalid) and error.errors else error.detail
    return TreeNow(opened.record.id, opened.record.facts.can.train, line, y, problem)


def num_calls(opened: OpenTree) -> int:
    """Return how many modules the root's forward calls."""
    root = opened.module
    return len(opened.index) if isinstance(root, LinearModel) and root.chain else 1


def predicted(opened: OpenTree, x: str) -> str:
    """Return the tree's answer at x as torch prints numbers; raises `Invalid` where x is no number or list of them."""
    try:
        value = msgspec.json.decode(x.strip() or "null")
    except (msgspec.DecodeError, RecursionError):
        raise invalid([("x", f"expected a number or nested lists of numbers; got {x[:60]!r}")]) from None
    if x.count(",") * num_calls(opened) > MAX_FORWARD:
        raise TooLarge(f"x holds too many numbers for {num_calls(opened):,} modules.", MAX_FORWARD)
    y: Any = edit.forward(opened.module, [[value]] if isinstance(value, int | float) else value).tolist()
    while isinstance(y, list) and len(y) == 1:
        y = y[0]
    return filters.values(y) if isinstance(y, list) else filters.value(y)


def dock(runs: Runs, tree: TreeNow, asked: Asked) -> Dock:
    """Return the runs of a tree; the one asked for is open, or the newest."""
    listed, _ = runs.list(tree.id, MOST_CHIPS)
    opened = next((run for run in listed if run.id == asked.run), None)
    if opened is None and asked.run:
        found = runs.get(asked.run)
        opened = found if found.tree == tree.id else None
    opened = opened or (listed[0] if listed else None)
    columns = runs.epochs(opened.id, -1, MOST_EPOCHS)[0] if opened else None
    config = opened.config if opened else RunConfig()
    x = _number(asked.x)
    run = run_view(opened, columns, "tree", x) if opened else None
    start = asked.start or start_form(tree.id, config, opened)
    return Dock(
        can_train=tree.can_train,
        is_shut=asked.is_shut,
        start=start,
        runs=tuple(run_line(each, opened.id if opened else "") for each in listed),
        num_runs=runs.count(tree.id),
        run=run,
        fit=run.fit if run else fit_chart(config.data, tree.line, (), x),
        line="" if tree.line is None else f"{filters.significant(tree.line[0])} x {filters.signed(tree.line[1])}",
        prediction=prediction(tree, asked.x, config),
    )


def prediction(tree: TreeNow, x: str, config: RunConfig) -> Prediction:
    """Return what the tree answers at x, beside the rule that the data was made from."""
    data = config.data
    rule, slope, intercept = (
        (formula(data).removeprefix("y = "), str(data.slope), str(data.intercept))
        if isinstance(data, LineData)
        else ("", "", "")
    )
    against = _against(x, tree, config)
    return Prediction(f"/trees/{tree.id}/forward", x, tree.y, against, rule, slope, intercept, tree.problem)


def _against(x: str, tree: TreeNow, config: RunConfig) -> str:
    data = config.data
    if not isinstance(data, LineData) or tree.line is None:
        return ""
    at = _number(x)
    if not math.isfinite(at):
        return ""
    truth, y = data.slope * at + data.intercept, tree.line[0] * at + tree.line[1]
    rule = formula(data).removeprefix("y = ")
    return f"{rule} = {filters.significant(truth)}, off by {filters.significant(abs(y - truth), 2)}"


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def start_form(tree_id: str, config: RunConfig, run: Run | None) -> Form:
    """Return the form that starts a run with the hyperparameters of the last one, or the tutorial's."""
    data = config.data if isinstance(config.data, LineData) else LineData()
    return Form(
        key="run",
        title="Hyperparameters",
        url=f"/trees/{tree_id}/runs",
        submit="Run again with changes" if run else f"Train {config.epochs:,} epochs",
        fields=(
            Field("epochs", "epochs", str(config.epochs), "number"),
            Field("lr", "lr", f"{config.lr:g}", "number"),
            Field("optimizer", "optimizer", config.optimizer, "choice", tuple(OPTIMIZERS)),
            Field("loss", "loss", config.loss, "choice", tuple(LOSSES)),
            Field("seed", "seed", "" if config.seed is None else str(config.seed), "number", placeholder="none"),
            Field("slope", "data slope", f"{data.slope:g}", "number"),
            Field("intercept", "intercept", f"{data.intercept:g}", "number"),
            Field("count", "points", str(data.count), "number"),
        ),
    )


_WHOLE = ("epochs", "count", "seed")
_REAL = ("lr", "slope", "intercept")


def config_of(typed: Mapping[str, str]) -> RunConfig:
    """Return the hyperparameters in the form, defaults for what is empty; raises `Invalid` with every misfit."""
    given: dict[str, float | int | None] = {}
    problems = []
    for names, read, expected in ((_WHOLE, int, "a whole number"), (_REAL, float, "a number")):
        for name in names:
            text = typed.get(name, "").strip().replace("−", "-")
            if not text:
                continue
            try:
                given[name] = read(text.replace(",", ""))
            except ValueError:
                problems.append((name, f"expected {expected}, got {text[:40]!r}"))
    if problems:
        raise invalid(problems)
    line = {name: given.pop(name) for name in ("slope", "intercept", "count") if name in given}
    words = {name: typed[name] for name in ("optimizer", "loss") if typed.get(name)}
    return msgspec.structs.replace(RunConfig(), data=msgspec.structs.replace(LineData(), **line), **given, **words)


def refused(form: Form, typed: Mapping[str, str], error: Invalid) -> Form:
    """Return the start form as it was filled in, with what is wrong."""
    return replace(form.refused(typed, error), submit=form.submit)
