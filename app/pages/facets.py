"""What stands below the rows of a tree: how many of each sign there are, each a search for them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.pages import filters
from app.pages.links import tree_url, with_query
from app.translation import gettext as _
from app.translation import ngettext
from app.trees.gradient import unreached
from app.trees.index import TreeIndex
from app.trees.search_columns import is_repeated
from app.trees.tensors import Ints, TensorColumns


@dataclass(frozen=True, slots=True)
class Facet:
    """A sign with its count; `q` is the search that finds them."""

    icon: str
    text: str
    q: str
    url: str
    kind: str = ""


def facets(index: TreeIndex, tree_id: str) -> tuple[Facet, ...]:
    """Return the signs that a tree has, each as often as its search finds it; of tied ones the first is found too."""
    return tuple(
        Facet(icon, text, q, with_query(f"{tree_url(tree_id)}/search", q=q), kind)
        for icon, text, q, kind in _found(index)
    )


def _found(index: TreeIndex) -> Iterator[tuple[str, str, str, str]]:
    if count := sum(count for _first, count in unreached(index, 0, len(index))):
        yield "unplug", _("%(num)s no grad", num=filters.exact(count)), "nograd", "bad"
    if count := _num_again(index.parameters) + _num_again(index.buffers):
        text = ngettext("%(num)s tied name", "%(num)s tied names", count, num=filters.exact(count))
        yield "link-2", text, "tied", ""
    if count := len(index.parameters) - sum(index.parameters.flag):
        yield "snowflake", _("%(num)s frozen", num=filters.exact(count)), "frozen", ""
    yield from _buffers(index.buffers)
    if count := int(np.count_nonzero(is_repeated(index.first))):
        text = ngettext("%(num)s shared place", "%(num)s shared places", count, num=filters.exact(count))
        yield "link-2", text, "shared", ""
    if count := len(index) - sum(index.training):
        yield "moon", _("%(num)s in eval mode", num=filters.exact(count)), "eval", ""
    if count := _num_inferred(index):
        yield "circle-dashed", _("%(num)s inferred", num=filters.exact(count)), "inferred", ""


def _buffers(columns: TensorColumns) -> Iterator[tuple[str, str, str, str]]:
    fleeting = len(columns) - sum(columns.flag)
    if kept := len(columns) - fleeting:
        text = ngettext("%(num)s buffer", "%(num)s buffers", kept, num=filters.exact(kept))
        yield "database", text, "persistent", ""
    if fleeting:
        one, many = "%(num)s buffer, not persistent", "%(num)s buffers, not persistent"
        text = ngettext(one, many, fleeting, num=filters.exact(fleeting))
        yield "database", text, "nonpersistent", "dashed"


def _num_again(columns: TensorColumns) -> int:
    """How many names tensors have beyond the first: what the receipt counts, and its search finds with the first."""
    first: Ints = columns.first
    return int(np.count_nonzero(np.asarray(first) != np.arange(len(first))))


def _num_inferred(index: TreeIndex) -> int:
    inferred = [number for number, cls in enumerate(index.classes) if cls.inferred]
    return int(np.isin(np.frombuffer(index.class_id, np.int64), inferred).sum()) if inferred else 0
