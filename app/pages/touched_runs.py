"""The runs that touched a module: what each did to its own parameters, where they are small enough to say."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from app.errors import TargetNotFound
from app.pages import filters
from app.pages.run_line import RunLine, run_line
from app.storage.trees import OpenTree, Trees
from app.training.run import Run
from app.training.runs import Runs
from app.trees.index import TreeIndex

MOST_RUNS = 20
MOST_LOOKED_AT = 6
MOST_MODULES = 2_000
MOST_TENSORS = 4
MOST_ELEMENTS = 4


@dataclass(frozen=True, slots=True)
class TouchedValue:
    """A parameter before a run and after it."""

    name: str
    before: str
    after: str
    is_changed: bool


@dataclass(frozen=True, slots=True)
class TouchedRun:
    """A run that trained a module; `revision` is what its parameters became, or ""."""

    line: RunLine
    lowest: str
    from_revision: int
    revision: str
    values: tuple[TouchedValue, ...]


def touched_runs(trees: Trees, runs: Runs, opened: OpenTree, row: int, target: str) -> tuple[TouchedRun, ...]:
    """Return the runs of a tree that trained the module at a row, newest first; of a module without parameters none."""
    if not opened.index.totals.num_parameters[row] or not opened.index.is_live:
        return ()
    listed, _ = runs.list(opened.record.id, MOST_RUNS)
    past = _Past(trees, opened)
    return tuple(_touched(listed, past, target))


def num_touched(runs: Runs, opened: OpenTree, row: int) -> int:
    """Return how many runs the tree has that the module at a row can have been part of."""
    return runs.count(opened.record.id) if opened.index.totals.num_parameters[row] and opened.index.is_live else 0


def _touched(listed: Sequence[Run], past: "_Past", target: str) -> Iterator[TouchedRun]:
    for run in listed:
        before = past.at(run.tree_revision)
        after = past.at(run.result_revision) if run.result_revision is not None else None
        if before is None or _row(before, target) is not None:
            yield TouchedRun(
                line=run_line(run),
                lowest=filters.loss(run.best_loss),
                from_revision=run.tree_revision,
                revision="" if run.result_revision is None else str(run.result_revision),
                values=tuple(_values(before, after, target)) if before is not None and after is not None else (),
            )


class _Past:
    """The tree at other revisions, of a small tree the first six that are asked for."""

    def __init__(self, trees: Trees, opened: OpenTree) -> None:
        self.trees = trees
        self.tree_id = opened.record.id
        self.room = MOST_LOOKED_AT if opened.record.facts.num_modules <= MOST_MODULES else 0
        self.found: dict[int, TreeIndex | None] = {opened.record.revision: opened.index}

    def at(self, revision: int) -> TreeIndex | None:
        if revision not in self.found:
            self.room -= 1
            self.found[revision] = self.trees.as_at(self.tree_id, revision).index if self.room >= 0 else None
        return self.found[revision]


def _row(index: TreeIndex, target: str) -> int | None:
    try:
        return index.row(target)
    except TargetNotFound:
        return None


def _values(before: TreeIndex, after: TreeIndex, target: str) -> Iterator[TouchedValue]:
    start, end = _row(before, target), _row(after, target)
    if start is None or end is None:
        return
    then = {after.parameters.name[at]: after.parameters.tensor[at] for at in after.own(after.parameters, end)}
    for entry in before.own(before.parameters, start)[:MOST_TENSORS]:
        name, old = before.parameters.name[entry], before.parameters.tensor[entry]
        new = then.get(name)
        if new is not None and old.numel() <= MOST_ELEMENTS and new.numel() <= MOST_ELEMENTS:
            yield TouchedValue(name, _shown(old), _shown(new), not torch.equal(old, new))


def _shown(tensor: torch.Tensor) -> str:
    return filters.values(tensor.tolist()) if tensor.dim() else filters.value(tensor.item())
