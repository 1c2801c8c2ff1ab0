"""One line of the benchmark's table: what takes how long, over what it is compared with, round by round."""

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """Seconds of ours and of theirs, taken in turns; `aim` is the ratio that is hoped for, None where there is none.

    The bytes are those of an answer as it is sent, 0 where there is none.
    """

    ours: str
    theirs: str
    our_s: list[float]
    their_s: list[float]
    aim: float | None = None
    our_bytes: int = 0
    their_bytes: int = 0

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios: what slows a whole round down leaves it as it is."""
        return statistics.median(ours / theirs for ours, theirs in zip(self.our_s, self.their_s, strict=True))


def seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def table(measures: Iterable[Measure]) -> str:
    """Return the measures as lines that a person can read."""
    lines = [f"{'':34}{'ms':>10}{'bytes':>13}  {'over':34}{'ms':>10}{'bytes':>13}{'ratio':>9}{'aim':>7}"]
    for measure in measures:
        ours, theirs = (statistics.median(times) * 1e3 for times in (measure.our_s, measure.their_s))
        aim = "" if measure.aim is None else f"{measure.aim:g}"
        sent, theirs_sent = (f"{size:,}" if size else "" for size in (measure.our_bytes, measure.their_bytes))
        lines.append(
            f"{measure.ours:34}{ours:10.1f}{sent:>13}  {measure.theirs:34}{theirs:10.1f}{theirs_sent:>13}"
            f"{measure.ratio:9.3f}{aim:>7}"
        )
    return "\n".join(lines)
