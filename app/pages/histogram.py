"""The histogram of a tensor's values as a drawing made on the server, and as the numbers that it is drawn from."""

from dataclasses import dataclass
from itertools import pairwise

from app.pages import filters
from app.trees.rows import Histogram

WIDTH, HEIGHT = 640, 160
LEAST = 1.5
NUM_TICKS = 5


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
class HistogramChart:
    """A drawing of 640 x 160; `ticks` stand at equal distances below it, `zero` is where 0 is, if it is there."""

    bars: tuple[Bar, ...]
    ticks: tuple[str, ...]
    zero: str
    most: int
    said: str


def histogram_chart(histogram: Histogram) -> HistogramChart:
    """Return the drawing of a histogram; a bin with anything in it is seen, however little."""
    edges, counts = histogram.edges, histogram.counts
    low, high, most, total = edges[0], edges[-1], max(counts), sum(counts)
    wide = WIDTH / len(counts)
    bars = []
    for number, (count, (left, right)) in enumerate(zip(counts, pairwise(edges), strict=True)):
        tall = max(LEAST, HEIGHT * count / most) if count else 0.0
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
    ticks = tuple(
        filters.significant(low + (high - low) * step / (NUM_TICKS - 1), digits=3) for step in range(NUM_TICKS)
    )
    zero = f"{WIDTH * -low / (high - low):.1f}" if low < 0 < high else ""
    peak = bars[counts.index(most)]
    said = (
        f"Histogram of {filters.exact(total)} finite values from {filters.significant(low)} to "
        f"{filters.significant(high)} in {len(counts)} bins; the fullest has {filters.exact(most)}, "
        f"from {peak.low} to {peak.high}."
    )
    return HistogramChart(tuple(bars), ticks, zero, most, said)
