"""The data of a run and the line that its tree is, as a drawing; scripts move the line while the run goes on."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from app.pages import filters
from app.pages.plot import Tick, px
from app.pages.scales import Scale, linear, tick_label
from app.pages.visible import clipped
from app.training.data import (
    CsvData,
    Data,
    Function,
    LineData,
    PolynomialData,
    TableData,
    num_points,
    tensors_of,
)
from app.training.run import Run
from app.training.runs import Runs
from app.translation import gettext as _
from app.translation import ngettext

WIDTH, HEIGHT = 332, 280
LEFT, RIGHT, TOP, BOTTOM = 32, 20, 14, 22
MOST_POINTS = 200
APART = 10.0
MOST_TERMS = 5
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

Pairs: TypeAlias = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class FitLine:
    """A line across the drawing; `label` is its epoch."""

    x1: str
    y1: str
    x2: str
    y2: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class FitNow:
    """What the line answers at one x: where the diamond stands, and its figure."""

    x: str
    y: str
    figure: str


@dataclass(frozen=True, slots=True)
class FitChart:
    """A drawing of 332 x 280; `x_range` and `y_range` let a script place a line: low, high, their pixels."""

    points: tuple[tuple[str, str], ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    line: FitLine | None
    early: tuple[FitLine, ...]
    now: FitNow | None
    x_range: str
    y_range: str
    title: str
    said: str


def points_of(data: Data) -> Pairs:
    """Return up to 200 points (x, y) evenly over the data; none where x or y has several features, or is in a file."""
    if isinstance(data, LineData) and not data.noise:
        return [(float(x), data.slope * x + data.intercept) for x in _evenly(data.count)]
    return () if isinstance(data, CsvData) else sampled(*tensors_of(data))


def sampled(x: Tensor, y: Tensor) -> Pairs:
    """Return up to 200 of the points, evenly; none where x or y has several features."""
    if x.shape[1:] != (1,) or y.shape[1:] != (1,):
        return ()
    places = torch.tensor(_evenly(len(x)))
    return list(zip(x[places, 0].tolist(), y[places, 0].tolist(), strict=True))


def points_of_run(runs: Runs, run: Run) -> Pairs:
    """Return up to 200 points that a run learns from, as `points_of` does, also of a file that it has kept."""
    data = run.config.data
    if not isinstance(data, CsvData):
        return points_of(data)
    points = runs.points(run) if len(data.x) == len(data.y) == 1 else None
    return () if points is None else sampled(*points)


def _evenly(count: int) -> list[int]:
    most = min(count, MOST_POINTS)
    return sorted({round(number * (count - 1) / max(most - 1, 1)) for number in range(most)})


def title_of(data: Data) -> str:
    """Return what the data is: `10 points of y = 2x + 1`."""
    count = num_points(data)
    num = filters.exact(count)
    if isinstance(data, TableData):
        return ngettext("%(num)s row of a table", "%(num)s rows of a table", count, num=num)
    if isinstance(data, CsvData):
        name = clipped(data.name or data.upload, 40)
        rows = ngettext("%(num)s row of %(name)s", "%(num)s rows of %(name)s", count, num=num, name=name)
        dropped = filters.exact(data.num_dropped)
        return _("%(rows)s, %(num)s left out", rows=rows, num=dropped) if data.num_dropped else rows
    points = ngettext("%(num)s point of %(rule)s", "%(num)s points of %(rule)s", count, num=num, rule=formula(data))
    return _("%(points)s, noise %(noise)s", points=points, noise=f"{data.noise:g}") if data.noise else points


def formula(data: Function) -> str:
    """Return `y = 2x + 1`."""
    if isinstance(data, LineData):
        return f"y = {_sum([(data.slope, 'x'), (data.intercept, '')])}"
    if isinstance(data, PolynomialData):
        terms = [(value, _power(degree)) for degree, value in enumerate(data.coefficients)][::-1]
        degree = len(data.coefficients) - 1
        if degree > MOST_TERMS:
            return _("a polynomial of degree %(degree)s", degree=degree)
        return f"y = {_sum(terms)}"
    inside = _sum([(2 * data.frequency, "πx"), (data.phase, "")])
    return f"y = {_sum([(data.amplitude, f'sin({inside})'), (data.offset, '')])}"


def _sum(terms: Sequence[tuple[float, str]]) -> str:
    """The terms that are not 0, in words of algebra: `2x − 1`."""
    said = ""
    for factor, what in terms:
        if factor == 0:
            continue
        size = "" if what and abs(factor) == 1 else f"{abs(factor):g}"
        sign = "−" if factor < 0 else "+"
        said += f" {sign} {size}{what}" if said else f"{'−' if factor < 0 else ''}{size}{what}"
    return said or "0"


def _power(degree: int) -> str:
    return ("", "x", f"x{str(degree).translate(_RAISED)}")[min(degree, 2)]


def fit_chart(
    data: Data,
    line: tuple[float, float] | None,
    early: Sequence[tuple[int, float, float]] = (),
    x: float = math.nan,
    points: Pairs | None = None,
) -> FitChart | None:
    """Return the drawing, or None where the data is no points in a plane; `points` are those of a file.

    `early` are (epoch, slope, intercept); a diamond stands on the line at `x` where that lies in the drawing.
    """
    points = points_of(data) if points is None else points
    if not points:
        return None
    xs, ys = [x for x, _ in points], [y for _, y in points]
    span = (max(xs) - min(xs)) or 1.0
    x_scale = Scale(min(xs) - 0.04 * span, max(xs) + 0.16 * span, False, (), ())
    y_scale = linear(min(0.0, *ys), max(ys) + 0.1 * (max(ys) - min(0.0, *ys) or 1.0))
    drawn = _Drawn(x_scale, y_scale)
    drawn_line = drawn.line(*line) if line and all(map(math.isfinite, line)) else None
    ticks = linear(min(xs), max(xs) + 0.16 * span).ticks
    return FitChart(
        points=tuple((px(drawn.x(x)), px(drawn.y(y))) for x, y in points),
        x_ticks=tuple(Tick(px(drawn.x(x)), tick_label(x)) for x in ticks if x_scale.low <= x <= x_scale.high),
        y_ticks=tuple(Tick(px(drawn.y(y)), tick_label(y)) for y in y_scale.ticks),
        line=drawn_line,
        early=tuple(drawn.early(early, drawn_line)),
        now=drawn.now(*line, x) if line and drawn_line else None,
        x_range=f"{x_scale.low} {x_scale.high} {LEFT} {WIDTH - RIGHT}",
        y_range=f"{y_scale.low} {y_scale.high} {HEIGHT - BOTTOM} {TOP}",
        title=title_of(data),
        said=_("%(data)s, and the line that the tree is.", data=title_of(data)),
    )


class _Drawn:
    def __init__(self, x_scale: Scale, y_scale: Scale) -> None:
        self.x_scale = x_scale
        self.y_scale = y_scale

    def x(self, value: float) -> float:
        part = (value - self.x_scale.low) / (self.x_scale.high - self.x_scale.low)
        return LEFT + part * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        part = (value - self.y_scale.low) / (self.y_scale.high - self.y_scale.low)
        return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)

    def line(self, slope: float, intercept: float, label: str = "") -> FitLine:
        low, high = self.x_scale.low, self.x_scale.high
        ends = [(x, min(max(self.y(slope * x + intercept), -1e5), 1e5)) for x in (low, high)]
        (x1, y1), (x2, y2) = ends
        return FitLine(px(self.x(x1)), px(y1), px(self.x(x2)), px(y2), label)

    def now(self, slope: float, intercept: float, x: float) -> FitNow | None:
        """The diamond at x, or None where it would lie outside."""
        y = slope * x + intercept
        if not (self.x_scale.low <= x <= self.x_scale.high and self.y_scale.low <= y <= self.y_scale.high):
            return None
        return FitNow(px(self.x(x)), px(self.y(y)), filters.significant(y))

    def early(self, early: Sequence[tuple[int, float, float]], line: FitLine | None) -> Iterator[FitLine]:
        """Lines of early epochs, without those that end where another one does."""
        ends = [float(line.y2)] if line else []
        for epoch, slope, intercept in early:
            if math.isfinite(slope) and math.isfinite(intercept):
                drawn = self.line(slope, intercept, str(epoch))
                if all(abs(float(drawn.y2) - end) >= APART for end in ends):
                    ends.append(float(drawn.y2))
                    yield drawn
