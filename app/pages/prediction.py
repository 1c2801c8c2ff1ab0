"""What the tree answers at an x, and the line that it is: read while nobody changes it."""

import math
from dataclasses import dataclass
from typing import Any

import msgspec
import torch

from app.api.calls import MAX_FORWARD
from app.errors import CannotDo, Invalid, TooLarge
from app.pages import filters
from app.pages.fit_chart import formula
from app.pages.forms import invalid
from app.storage.trees import OpenTree
from app.training import fused
from app.training.config import RunConfig
from app.training.data import Function, LineData, ys_of
from app.training.fit import Fit
from app.translation import gettext as _
from app.trees import edit
from app.trees.linear import LinearModel

MOST_CALLS = 5_000
LARGE = 100


@dataclass(frozen=True, slots=True)
class TreeNow:
    """What the dock has to know of the tree; of one that is only known by its structure, no more than that."""

    id: str
    num_modules: int
    can_train: bool
    is_large: bool = False
    can_forward: bool = False
    line: tuple[float, float] | None = None
    y: str = ""
    problem: str = ""
    can_fuse: bool = False


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


def tree_now(opened: OpenTree, x: str, *, is_asked: bool = False) -> TreeNow:
    """Return the line that the tree is, and what its forward answers at `x`; of a long chain only if that is asked."""
    tree_id, facts, is_large = opened.record.id, opened.record.facts, len(opened.index) > LARGE
    num_modules, can = facts.num_modules, facts.can
    if not can.forward:
        return TreeNow(tree_id, num_modules, can.train, is_large)
    is_long = num_calls(opened) > MOST_CALLS
    slope, intercept = (math.nan, math.nan) if is_long else Fit(opened.module).read()
    line = (slope, intercept) if math.isfinite(slope) and math.isfinite(intercept) else None
    y, problem = "", ""
    can_fuse = not is_long and fused.misfit(RunConfig(), opened.module, (1, 1), (1, 1)) is None
    try:
        # Nobody waits for a chain of thousands only because its page is looked at.
        y = predicted(opened, x) if not is_long or is_asked else ""
    except (CannotDo, Invalid, TooLarge) as error:
        problem = error.errors[0].msg if isinstance(error, Invalid) and error.errors else error.detail
    return TreeNow(tree_id, num_modules, can.train, is_large, can.forward, line, y, problem, can_fuse)


def num_calls(opened: OpenTree) -> int:
    """Return how many modules the root's forward calls."""
    root = opened.module
    return len(opened.index) if isinstance(root, LinearModel) and root.chain else 1


def predicted(opened: OpenTree, x: str) -> str:
    """Return the tree's answer at x as torch prints numbers; raises `Invalid` where x is no number or list of them."""
    try:
        text = x.strip()
        # One number, or those of one point: with or without brackets.
        value = msgspec.json.decode(f"[{text}]" if "," in text and not text.startswith("[") else text or "null")
    except (msgspec.DecodeError, RecursionError):
        raise invalid(
            [("x", _("expected a number or nested lists of numbers, got %(given)s", given=repr(x[:60])))]
        ) from None
    if x.count(",") * num_calls(opened) > MAX_FORWARD:
        raise TooLarge(_("x holds too many numbers for %(num)s modules.", num=f"{num_calls(opened):,}"), MAX_FORWARD)
    is_row = isinstance(value, list) and all(isinstance(item, int | float) for item in value)
    row = [value] if isinstance(value, int | float) else value if is_row else None
    y: Any = edit.forward(opened.module, value if row is None else [row]).tolist()
    while isinstance(y, list) and len(y) == 1:
        y = y[0]
    return filters.values(y) if isinstance(y, list) else filters.value(y)


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
    if not isinstance(data, Function) or tree.line is None:
        return ""
    at = number_of(x)
    if not math.isfinite(at):
        return ""
    truth, y = ys_of(data, torch.tensor(at, dtype=torch.float64)).item(), tree.line[0] * at + tree.line[1]
    return _(
        "%(rule)s = %(truth)s, off by %(difference)s",
        rule=formula(data).removeprefix("y = "),
        truth=filters.significant(truth),
        difference=filters.significant(abs(y - truth), 2),
    )


def number_of(text: str) -> float:
    """Return the number that was typed, NaN where it is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan
