"""Axes: which scale a loss takes, and where its ticks stand; `static/js/lib/scale.js` says the same."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from app.pages import filters

LOG_FROM = 20.0
MOST_DECADES = 7


@dataclass(frozen=True, slots=True)
class Scale:
    """A range of values along `length` pixels, from its low end."""

    low: float
    high: float
    is_log: bool
    ticks: tuple[float, ...]
    minor: tuple[float, ...]

    def at(self, value: float, length: float) -> float:
        """Return the distance of a value from the low end, held within the range."""
        if self.is_log:
            part = (math.log10(value) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        else:
            part = (value - self.low) / (self.high - self.low)
        return min(max(part, 0.0), 1.0) * length


def takes_log(values: Sequence[float]) -> bool:
    """Return whether values are shown on a log axis: all positive, the largest over 20 times the smallest."""
    return bool(values) and min(values) > 0 and max(values) / min(values) > LOG_FROM


def scale_of(values: Sequence[float], is_log: bool | None = None) -> Scale:
    """Return the scale that holds the values: a log one ends at whole decades, a linear one begins at 0 or below."""
    if is_log is None:
        is_log = takes_log(values)
    if not values:
        return Scale(0, 1, False, (0, 0.5, 1), ())
    if is_log:
        return _decades(min(value for value in values if value > 0), max(values))
    return linear(min(0.0, *values), max(values))


def _decades(low: float, high: float) -> Scale:
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    last = max(last, first + 1)
    step = math.ceil((last - first) / MOST_DECADES)
    ticks = tuple(10.0**power for power in range(first, last + 1, step))
    minor = tuple(digit * 10.0**power for power in range(first, last) for digit in range(2, 10)) if step == 1 else ()
    return Scale(10.0**first, 10.0**last, True, ticks, minor)


def linear(low: float, high: float, about: int = 5) -> Scale:
    """Return a linear scale over the range, widened to whole ticks, of which there are about so many."""
    if high <= low:
        high = low + (abs(low) or 1.0)
    step = tick_step(high - low, about)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return Scale(first * step, last * step, False, tuple(number * step for number in range(first, last + 1)), ())


def tick_step(span: float, about: int) -> float:
    """Return the step of 1, 2 or 5 times a power of ten that cuts the span into at most so many."""
    raw = span / about
    power = 10.0 ** math.floor(math.log10(raw))
    return next((digit * power for digit in (1, 2, 5) if digit * power >= raw * (1 - 1e-9)), 10 * power)


def tick_label(value: float) -> str:
    """Return a tick as people say it: `0.01`, `1`, `1,000`; powers of ten past that as `1e6`."""
    return "0" if value == 0 else filters.significant(value)
