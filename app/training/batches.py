"""The points of a run: those it learns from, in mini-batches or all at once, and those it keeps from training."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from app.training.steps import Step


@dataclass(frozen=True, slots=True)
class Points:
    """Rows of x and y; `x` and `y` are contiguous."""

    x: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.x)

    def at(self, rows: Tensor) -> "Points":
        """Return the points of those rows."""
        return Points(self.x[rows], self.y[rows])

    def parted(self, size: int) -> Sequence["Points"]:
        """Return them `size` at a time, the last ones perhaps fewer."""
        return [Points(x, y) for x, y in zip(torch.split(self.x, size), torch.split(self.y, size), strict=True)]


def split(points: Points, num_kept: int, generator: Generator) -> tuple[Points, Points | None]:
    """Return the points to learn from and those kept for validation: the last ones of a shuffle, each in data order."""
    if not num_kept:
        return points, None
    order = torch.randperm(len(points), generator=generator)
    learnt, kept = (part.sort().values for part in (order[:-num_kept], order[-num_kept:]))
    return points.at(learnt), points.at(kept)


class Batches:
    """An epoch in mini-batches, as a step that is many: all but the last are taken before its loss is known."""

    def __init__(self, step: Step, points: Points, size: int, generator: Generator | None, *, is_sum: bool) -> None:
        self._step = step
        self._points = points
        self._size = size
        self._generator = generator
        self._in_order = points.parted(size)
        self._is_sum = is_sum

    def loss(self) -> float:
        """Take all steps of the epoch but the last, and return the mean of their losses over the points.

        Where a loss is a sum over its points, so is the epoch's.
        """
        step, total = self._step, 0.0
        *before, last = self._batches()
        for batch in before:
            total += step.loss(batch.x, batch.y) * self._weight(batch)
            step.take()
        loss = step.loss(last.x, last.y)
        if not before:
            return loss
        return (total + loss * self._weight(last)) / (1 if self._is_sum else len(self._points))

    def _weight(self, batch: Points) -> int:
        return 1 if self._is_sum else len(batch)

    def _batches(self) -> Sequence[Points]:
        if self._generator is None:
            return self._in_order
        order = torch.randperm(len(self._points), generator=self._generator)
        return self._points.at(order).parted(self._size)
