"""The statistics of a tensor as facts, each with how it was counted."""

from dataclasses import dataclass

from app.pages import filters
from app.trees.rows import TensorStats

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class StatsFact:
    """A figure; `receipt` says how it was counted, `is_odd` that it is a count of what should not be there."""

    label: str
    value: str
    receipt: str
    is_odd: bool = False


def stats_facts(stats: TensorStats, numel: int) -> tuple[StatsFact, ...]:
    """Return the statistics of a tensor of so many elements."""
    num_finite = numel - stats.nans - stats.infs
    finite = f"of {filters.exact(num_finite)} finite {filters.plural(num_finite, 'value', 'values')}"
    return (
        StatsFact("min", _figure(stats.min), finite),
        StatsFact("max", _figure(stats.max), finite),
        StatsFact("mean", _figure(stats.mean), f"{finite}, in double precision"),
        StatsFact("std", _figure(stats.std), "over n \u2212 1, as torch.std has it"),
        StatsFact("l2", _figure(stats.l2), "the root of the sum of squares"),
        _count("zeros", stats.zeros, numel),
        _count("nan", stats.nans, numel, is_odd=True),
        _count("inf", stats.infs, numel, is_odd=True),
    )


def _figure(number: float | None) -> str:
    return UNKNOWN if number is None else filters.significant(number, keep_zeros=True)


def _count(label: str, count: int, numel: int, *, is_odd: bool = False) -> StatsFact:
    share = f", {filters.percent(count, numel)}" if count else ""
    return StatsFact(label, filters.exact(count), f"of {filters.exact(numel)}{share}", is_odd and count > 0)
