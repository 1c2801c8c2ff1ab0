"""The histogram of a tensor's values as a drawing made on the server, and as the numbers that it is drawn from."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from app.pages import filters
from app.pages.scales import LOG_FROM, tick_label, tick_step
from app.translation import ngettext
from app.trees.rows import Histogram

WIDTH, HEIGHT = 640, 160
LEAST = 1.5
ABOUT_TICKS = 6
MOST_LINES = 3
# Labels this near to an end of the axis, in percent of it, would stick out.
EDGE = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """A bin: where it stands in the drawing, and what it says."""

    x: str
    y: str
    width: str
    height: str
    low: str
    high: str
    count: int
    share: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place of an axis, in percent of its length; `end` is "low" or "high" for one at an end of it."""

    at: str
    label: str
    end: str = ""


@dataclass(frozen=True, slots=True)
class HistogramChart:
    """A drawing of 640 x 160; `ticks` stand below it, `lines` at its left from above, `zero` is where 0 is, if there.

    Counts are on a log scale where the fullest bin has over 20 times what the emptiest has.
    """

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    lines: tuple[Tick, ...]
    is_log: bool
    zero: str
    most: int
    said: str


def histogram_chart(histogram: Histogram) -> HistogramChart:
    """Return the drawing of a histogram; a bin with anything in it is seen, however little."""
    edges, counts = histogram.edges, histogram.counts
    low, high, most, total = edges[0], edges[-1], max(counts), sum(counts)
    is_log = most > LOG_FROM * min(count for count in counts if count)
    top = 10 ** math.ceil(math.log10(most) - 1e-9) if is_log else most
    part = _log_part(top) if is_log else lambda count: count / most
    wide = WIDTH / len(counts)
    bars = []
    for number, (count, (left, right)) in enumerate(zip(counts, pairwise(edges), strict=True)):
        tall = max(LEAST, HEIGHT * part(count)) if count else 0.0
        bars.append(
            Bar(
                x=f"{number * wide:g}",
                y=f"{HEIGHT - tall:.1f}",
                width=f"{wide - 1:g}",
                height=f"{tall:.1f}",
                low=filters.significant(left),
                high=filters.significant(right),
                count=count,
                share=filters.percent(count, total),
            )
        )
    peak = bars[counts.index(most)]
    said = ngettext(
        "Histogram of %(num)s finite value in %(bins)s bins; the fullest has %(most)s, from %(low)s to %(high)s.",
        "Histogram of %(num)s finite values in %(bins)s bins; the fullest has %(most)s, from %(low)s to %(high)s.",
        total,
        num=filters.exact(total),
        bins=len(counts),
        most=filters.exact(most),
        low=peak.low,
        high=peak.high,
    )
    return HistogramChart(
        bars=tuple(bars),
        ticks=tuple(_ticks(low, high)),
        lines=tuple(_lines(top, part, is_log)),
        is_log=is_log,
        zero=f"{WIDTH * -low / (high - low):.1f}" if low < 0 < high else "",
        most=most,
        said=said,
    )


def _log_part(top: int) -> Callable[[int], float]:
    return lambda count: math.log10(count) / math.log10(top)


def _ticks(low: float, high: float) -> Iterator[Tick]:
    span = high - low
    if not 0 < span < math.inf:
        return
    step = tick_step(span, ABOUT_TICKS)
    for number in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1):
        at = 100 * (number * step - low) / span
        end = "low" if at < EDGE else "high" if at > 100 - EDGE else ""
        yield Tick(f"{min(max(at, 0), 100):.2f}", tick_label(number * step), end)


def _lines(top: int, part: Callable[[int], float], is_log: bool) -> Iterator[Tick]:
    if is_log:
        decades = round(math.log10(top))
        step = math.ceil(decades / MOST_LINES)
        values = [10**power for power in range(decades, -1, -step)]
    else:
        values = [top, top // 2] if top > 1 and top % 2 == 0 else [top]
    for value in values:
        at = 100 - 100 * part(value)
        yield Tick(f"{at:.2f}", _round(value), "low" if at > 100 - EDGE else "high" if at < EDGE else "")


def _round(value: int) -> str:
    digits, unit = filters.count_parts(value)
    whole = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return filters.THIN.join(filter(None, (whole, unit)))
