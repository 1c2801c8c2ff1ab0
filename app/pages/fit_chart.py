"""The data of a run and the line that its tree is, as a drawing; scripts move the line while the run goes on."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.pages import filters
from app.pages.loss_chart import Tick
from app.pages.scales import Scale, linear, tick_label
from app.training.data import Data, LineData
from app.translation import gettext as _
from app.translation import ngettext

WIDTH, HEIGHT = 332, 280
LEFT, RIGHT, TOP, BOTTOM = 32, 20, 14, 22
MOST_POINTS = 200
APART = 10.0


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


def points_of(data: Data) -> list[tuple[float, float]]:
    """Return up to 200 points (x, y) evenly over the data; none where x or y has several features."""
    if isinstance(data, LineData):
        pairs: Sequence[tuple[float, float]] = [
            (float(x), data.slope * x + data.intercept) for x in _evenly(data.count)
        ]
        return list(pairs)
    if any(len(row) != 1 for row in (*data.x, *data.y)):
        return []
    return [(data.x[place][0], data.y[place][0]) for place in _evenly(len(data.x))]


def _evenly(count: int) -> list[int]:
    most = min(count, MOST_POINTS)
    return sorted({round(number * (count - 1) / max(most - 1, 1)) for number in range(most)})


def title_of(data: Data) -> str:
    """Return what the data is: `10 points of y = 2x + 1`."""
    if isinstance(data, LineData):
        rule, num = formula(data), filters.exact(data.count)
        return ngettext("%(num)s point of %(rule)s", "%(num)s points of %(rule)s", data.count, num=num, rule=rule)
    rows = len(data.x)
    return ngettext("%(num)s row of a table", "%(num)s rows of a table", rows, num=filters.exact(rows))


def formula(data: LineData) -> str:
    """Return `y = 2x + 1`."""
    slope = "" if data.slope == 1 else "−" if data.slope == -1 else f"{data.slope:g}".replace("-", "−")
    rest = "" if data.intercept == 0 else f" {'−' if data.intercept < 0 else '+'} {abs(data.intercept):g}"
    return f"y = {slope}x{rest}"


def fit_chart(
    data: Data,
    line: tuple[float, float] | None,
    early: Sequence[tuple[int, float, float]] = (),
    x: float = math.nan,
) -> FitChart | None:
    """Return the drawing, or None where the data is no points in a plane.

    `early` are (epoch, slope, intercept); a diamond stands on the line at `x` where that lies in the drawing.
    """
    points = points_of(data)
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
        points=tuple((_px(drawn.x(x)), _px(drawn.y(y))) for x, y in points),
        x_ticks=tuple(Tick(_px(drawn.x(x)), tick_label(x)) for x in ticks if x_scale.low <= x <= x_scale.high),
        y_ticks=tuple(Tick(_px(drawn.y(y)), tick_label(y)) for y in y_scale.ticks),
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
        return FitLine(_px(self.x(x1)), _px(y1), _px(self.x(x2)), _px(y2), label)

    def now(self, slope: float, intercept: float, x: float) -> FitNow | None:
        """The diamond at x, or None where it would lie outside."""
        y = slope * x + intercept
        if not (self.x_scale.low <= x <= self.x_scale.high and self.y_scale.low <= y <= self.y_scale.high):
            return None
        return FitNow(_px(self.x(x)), _px(self.y(y)), filters.significant(y))

    def early(self, early: Sequence[tuple[int, float, float]], line: FitLine | None) -> Iterator[FitLine]:
        """Lines of early epochs, without those that end where another one does."""
        ends = [float(line.y2)] if line else []
        for epoch, slope, intercept in early:
            if math.isfinite(slope) and math.isfinite(intercept):
                drawn = self.line(slope, intercept, str(epoch))
                if all(abs(float(drawn.y2) - end) >= APART for end in ends):
                    ends.append(float(drawn.y2))
                    yield drawn


def _px(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
