"""The legend of the map: what each colour stands for and how much of the tree it is, what is shared counted once."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.pages import filters
from app.pages.links import tree_url, with_query
from app.pages.map_amounts import Amounts, Area
from app.pages.map_paints import FROZEN, TRAINABLE, Colour, Paints
from app.pages.visible import clipped
from app.translation import gettext as _
from app.trees.distinct import distinct_entries
from app.trees.index import TreeIndex
from app.trees.tensors import Ints

MOST_ENTRIES = 8


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A colour: its name, how many modules have it ("" where they are not counted), and how much they come to."""

    swatch: str
    name: str
    num: str
    amount: str
    url: str


@dataclass(frozen=True, slots=True)
class Legend:
    """What comes to most first; `num_more` are not listed."""

    entries: tuple[LegendEntry, ...]
    num_more: int


def legend(index: TreeIndex, amounts: Amounts, paints: Paints, tree_id: str) -> Legend:
    """Return the legend of a map."""
    found = sorted(_ENTRIES[paints.colour](index, amounts, paints), key=lambda each: (-each[3], each[1]))
    as_bytes = amounts.area == Area.BYTES and paints.colour != Colour.TRAINABLE
    entries = tuple(
        LegendEntry(
            swatch=swatch,
            name=clipped(name, 60),
            num=filters.exact(num) if num else "",
            amount=filters.num_bytes(amount) if as_bytes else filters.count(amount),
            url=with_query(f"{tree_url(tree_id)}/search", q=query),
        )
        for swatch, name, num, amount, query in found[:MOST_ENTRIES]
    )
    return Legend(entries, max(len(found) - MOST_ENTRIES, 0))


_Found = tuple[str, str, int, int, str]


def _of_classes(index: TreeIndex, amounts: Amounts, paints: Paints) -> list[_Found]:
    class_id, end = np.frombuffer(index.class_id, np.int64), np.frombuffer(index.end, np.int64)
    has_own = np.diff(np.frombuffer(index.parameters.start, np.int64)) > 0
    is_first = index.first == np.arange(len(index))
    told, lone = list[_Found](), list[_Found]()
    for name, slot in paints.slots.items():
        of_it = [number for number, cls in enumerate(index.classes) if cls.name == name]
        rows = np.flatnonzero(np.isin(class_id, of_it))
        outer = rows[_outermost(rows, end)]
        amount, num = int(amounts.of(outer, end[outer]).sum()), int(is_first[rows].sum())
        if amount:
            entry = (f"h{slot}", name, num, amount, f"class={quoted(name)}")
            (told if num > 1 or has_own[rows].any() else lone).append(entry)
    return told or lone


def _outermost(rows: Ints, end: Ints) -> Ints:
    """Return which of the rows, in order, are in no subtree of one before."""
    reach = np.maximum.accumulate(end[rows])
    found: Ints = np.flatnonzero(np.concatenate(([True], rows[1:] >= reach[:-1])))
    return found


def _of_dtypes(index: TreeIndex, amounts: Amounts, paints: Paints) -> list[_Found]:
    as_bytes = amounts.area == Area.BYTES
    first_row = index.first == np.arange(len(index))
    found = []
    for name, slot in paints.dtypes.items():
        amount, owners = 0, list[Ints]()
        for columns in (index.parameters, index.buffers) if as_bytes else (index.parameters,):
            entries = distinct_entries(columns, 0, len(index))
            kinds = np.frombuffer(columns.kind, np.int64)
            of_it = np.array([kind.dtype_name == name for kind in index.kinds.all], np.bool_)
            size = np.array([kind.num_bytes if as_bytes else kind.numel for kind in index.kinds.all], np.int64)
            amount += int(size[kinds[entries]][of_it[kinds[entries]]].sum())
            owners.append(np.frombuffer(columns.owner, np.int64)[of_it[kinds]])
        if amount:
            rows = np.unique(np.concatenate(owners))
            found.append((f"h{slot}", name, int(first_row[rows].sum()), amount, f"dtype={name}"))
    return found


def _of_trainable(index: TreeIndex, amounts: Amounts, paints: Paints) -> Iterator[_Found]:
    trainable = int(index.totals.num_trainable[0])
    frozen = int(index.totals.num_parameters[0]) - trainable
    if trainable:
        yield TRAINABLE, _("trainable"), 0, trainable, "trainable"
    if frozen:
        yield FROZEN, _("frozen"), 0, frozen, "frozen"


_ENTRIES = {Colour.CLASS: _of_classes, Colour.DTYPE: _of_dtypes, Colour.TRAINABLE: _of_trainable}


def quoted(name: str) -> str:
    """Return a name as the language of search takes it."""
    if name.isascii() and name.isidentifier():
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
