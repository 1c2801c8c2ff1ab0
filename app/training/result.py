"""The parameters that a run ended with, put on a tree that has changed since it started."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from app.errors import CannotDo
from app.training.ports import KeptTrees, OpenTree, TensorStore
from app.training.run import Run
from app.translation import said
from app.trees import snapshot
from app.trees.index import TreeIndex
from app.trees.tensors import TensorColumns, TensorKind

MAX_MISFITS = 100

_Unplaced: TypeAlias = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class Unfit:
    """A tensor of the run that the tree has no place for, and why."""

    path: str
    msg: str


@dataclass(frozen=True, slots=True)
class Applied:
    """The tree's new revision, how many tensors were put on it, and those that do not fit (the first 100)."""

    revision: int
    num_applied: int
    num_unfit: int
    unfit: tuple[Unfit, ...]


def put_where_it_fits(trees: KeptTrees, run: Run, structure: bytes, tensors: Mapping[str, Tensor]) -> Applied:
    """Copy each parameter and buffer to the same path of the tree, where that has one of the same shape and dtype.

    Raises `NotFound` where the tree is gone, and `CannotDo` where nothing fits; then the tree stays as it is.
    """
    trained = TreeIndex.of(snapshot.load(structure, tensors))

    def change(tree: OpenTree) -> tuple[int, list[_Unplaced]]:
        fitting, unfit = _matched(trained, tree.index)
        if not fitting:
            raise CannotDo(said("No parameter of run %(number)s fits the tree as it is now.", number=run.number))
        with torch.no_grad():
            for ours, theirs in fitting:
                theirs.copy_(ours)
        return len(fitting), unfit

    record, (num_applied, unfit) = trees.edit(run.tree, change, note=f"applied run {run.number}")
    told = tuple(Unfit(_path(trained, row, name), msg) for row, name, msg in unfit[:MAX_MISFITS])
    return Applied(record.revision, num_applied, len(unfit), told)


def put_back(trees: KeptTrees, store: TensorStore, run: Run, tensors: Mapping[str, Tensor]) -> Applied:
    """Make the values that a run ended with those of its tree, whose structure nobody can change.

    Raises `NotFound` where the tree is gone, and `CannotDo` where another run has just ended.
    """
    expected = trees.get(run.tree).revision
    revision = trees.put_result(run.tree, expected, store.save(tensors), f"applied run {run.number}")
    if revision is None:
        raise CannotDo(said("The tree of run %(number)s has just changed: try again.", number=run.number))
    return Applied(revision, len(tensors), 0, ())


def _matched(ours: TreeIndex, theirs: TreeIndex) -> tuple[list[tuple[Tensor, Tensor]], list[_Unplaced]]:
    # By row, not by path: the paths of a deep chain are quadratic in its length.
    rows = _same_places(ours, theirs)
    fitting, unfit = [], []
    for word, mine, other in (
        ("parameter", ours.parameters, theirs.parameters),
        ("buffer", ours.buffers, theirs.buffers),
    ):
        for entry, (row, name) in enumerate(zip(mine.owner, mine.name, strict=True)):
            place = _entry(theirs, other, rows[row], name)
            kind = ours.kinds.all[mine.kind[entry]]
            if place is None:
                unfit.append((row, name, f"the tree has no such {word} any more"))
            elif (found := theirs.kinds.all[other.kind[place]]) != kind:
                unfit.append((row, name, f"{_said(kind)} in the run, {_said(found)} in the tree"))
            else:
                fitting.append((mine.tensor[entry], other.tensor[place]))
    return fitting, unfit


def _same_places(ours: TreeIndex, theirs: TreeIndex) -> list[int]:
    """Return for each of our rows the row of the same path in the other tree, or -1."""
    found = {
        (parent, name): row for row, (parent, name) in enumerate(zip(theirs.parent, theirs.name, strict=True)) if row
    }
    rows = [0]
    for parent, name in zip(ours.parent[1:], ours.name[1:], strict=True):
        rows.append(found.get((rows[parent], name), -1) if rows[parent] >= 0 else -1)
    return rows


def _entry(index: TreeIndex, columns: TensorColumns, row: int, name: str) -> int | None:
    if row < 0:
        return None
    return next((entry for entry in index.own(columns, row) if columns.name[entry] == name), None)


def _path(index: TreeIndex, row: int, name: str) -> str:
    path = index.path(row)
    return f"{path}.{name}" if path else name


def _said(kind: TensorKind) -> str:
    return f"{kind.shape} {kind.dtype_name}"
