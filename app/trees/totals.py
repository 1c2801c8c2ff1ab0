"""Totals of every subtree, exact where modules or tensors are shared."""

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app.trees.tensors import Ints, TensorColumns, repeats

if TYPE_CHECKING:
    from app.trees.index import TreeIndex


@dataclass(frozen=True, slots=True)
class Totals:
    """By row, over the whole subtree; what is shared counts once within that subtree.

    `num_parameters`, `num_trainable` and `num_buffers` count elements, `num_bytes` is of parameters and buffers,
    `num_modules` counts distinct modules and `num_children` what `named_children` lists.
    """

    num_modules: Ints
    num_children: Ints
    num_parameters: Ints
    num_trainable: Ints
    num_buffers: Ints
    num_bytes: Ints


def totals_of(index: "TreeIndex") -> Totals:
    """Return the totals of an index whose columns are complete."""
    parameters, buffers = index.parameters, index.buffers
    numel = np.array([kind.numel for kind in index.kinds.all], np.int64)
    size = np.array([kind.num_bytes for kind in index.kinds.all], np.int64)
    parameter_kind, buffer_kind = _numbers(parameters.kind), _numbers(buffers.kind)
    num_parameters = numel[parameter_kind]
    trainable = np.frombuffer(parameters.flag, np.bool_)
    adder = _Adder(index)
    rows = np.arange(len(index))
    num_places = np.frombuffer(index.end, np.int64) - rows
    num_bytes = adder.sums(parameters, size[parameter_kind]) + adder.sums(buffers, size[buffer_kind])
    return Totals(
        num_modules=num_places - adder.surplus(rows, np.ones(len(index), np.int64), index.previous),
        num_children=_num_children(index),
        num_parameters=adder.of_tensors(parameters, num_parameters),
        num_trainable=adder.of_tensors(parameters, num_parameters * trainable),
        num_buffers=adder.of_tensors(buffers, numel[buffer_kind]),
        num_bytes=num_bytes - _surplus_bytes(adder, parameters, buffers, size),
    )


class _Adder:
    """Adds amounts over slices, and takes away at each meeting of two neighbouring occurrences of one thing.

    Any subtree then holds each thing exactly once: of its k occurrences in there, k - 1 neighbouring pairs meet in it.
    """

    def __init__(self, index: "TreeIndex") -> None:
        self.parent = index.parent
        self.end = np.frombuffer(index.end, np.int64)

    def of_tensors(self, columns: TensorColumns, amount: Ints) -> Ints:
        return self.sums(columns, amount) - self.surplus(_numbers(columns.owner), amount, columns.previous)

    def sums(self, columns: TensorColumns, amount: Ints) -> Ints:
        before = np.concatenate(([0], np.cumsum(amount)))[_numbers(columns.start)]
        return before[self.end] - before[:-1]

    def surplus(self, owner: Ints, amount: Ints, previous: Ints) -> Ints:
        again = np.flatnonzero(previous >= 0)
        at = np.zeros(len(self.end), np.int64)
        for entry, left, right in zip(again, owner[previous[again]].tolist(), owner[again].tolist(), strict=True):
            at[self._meet(left, right)] += amount[entry]
        before = np.concatenate(([0], np.cumsum(at)))
        return before[self.end] - before[:-1]

    def _meet(self, left: int, right: int) -> int:
        # Of two rows in pre-order, the lowest common ancestor is the first ancestor of the later not after the earlier.
        while right > left:
            right = self.parent[right]
        return right


def _num_children(index: "TreeIndex") -> Ints:
    parent = _numbers(index.parent)
    count = np.bincount(parent[1:], minlength=len(index))
    shared: set[tuple[int, int]] = set()
    for row in np.flatnonzero(np.bincount(index.first, minlength=len(index))[index.first] > 1).tolist():
        key = (int(parent[row]), int(index.first[row]))
        if key in shared:
            count[key[0]] -= 1
        shared.add(key)
    return count


def _surplus_bytes(adder: _Adder, parameters: TensorColumns, buffers: TensorColumns, size: Ints) -> Ints:
    # A tensor may be a parameter in one place and a buffer in another: its bytes are there once.
    if not len(buffers):
        return adder.surplus(_numbers(parameters.owner), size[_numbers(parameters.kind)], parameters.previous)
    owner = np.concatenate((_numbers(parameters.owner), _numbers(buffers.owner)))
    kind = np.concatenate((_numbers(parameters.kind), _numbers(buffers.kind)))
    identity = np.concatenate((parameters.identity, buffers.identity))
    order = np.argsort(owner, kind="stable")
    previous, _ = repeats(identity[order])
    return adder.surplus(owner[order], size[kind[order]], previous)


def _numbers(column: "array[int]") -> Ints:
    return np.frombuffer(column, np.int64)
