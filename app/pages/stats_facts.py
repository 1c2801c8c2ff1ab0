"""The statistics of a tensor as facts, each with how it was counted."""

from dataclasses import dataclass

from app.pages import filters
from app.translation import gettext as _
from app.translation import ngettext
from app.trees.rows import TensorStats


@dataclass(frozen=True, slots=True)
class StatsFact:
    """A figure; `receipt` says how it was counted, `is_odd` that it is a count of what should not be there."""

    label: str
    value: str
    receipt: str
    is_odd: bool = False


def stats_facts(stats: TensorStats, numel: int) -> tuple[StatsFact, ...]:
    """Return the statistics of a tensor of so many elements."""
    finite = numel - stats.nans - stats.infs
    of = ngettext("of %(num)s finite value", "of %(num)s finite values", finite, num=filters.exact(finite))
    return (
        StatsFact("min", _figure(stats.min), of),
        StatsFact("max", _figure(stats.max), of),
        StatsFact("mean", _figure(stats.mean), _("%(values)s, in double precision", values=of)),
        StatsFact("std", "nan" if finite == 1 else _figure(stats.std), _("over n \u2212 1, as torch.std has it")),
        StatsFact("l2", _figure(stats.l2), _("the root of the sum of squares")),
        _count("zeros", stats.zeros, numel),
        _count("nan", stats.nans, numel, is_odd=True),
        _count("inf", stats.infs, numel, is_odd=True),
    )


def _figure(number: float | None) -> str:
    return _("unknown") if number is None else filters.significant(number, keep_zeros=True)


def _count(label: str, count: int, numel: int, *, is_odd: bool = False) -> StatsFact:
    whole = filters.exact(numel)
    receipt = _("of %(whole)s", whole=whole)
    if count:
        receipt = _("of %(whole)s, %(share)s", whole=whole, share=filters.percent(count, numel))
    return StatsFact(label, filters.exact(count), receipt, is_odd and count > 0)
