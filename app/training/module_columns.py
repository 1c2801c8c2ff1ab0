"""Statistics of modules while they train, by column: which modules, and how they are packed into the event log."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.training.log import Chunk, Floats
from app.trees.index import TreeIndex

EPOCH_BYTES = 8
FLOAT_BYTES = 4
NUM_FIGURES = 3
# What one run may keep of them, and about what the log needs for an event beside its figures.
MAX_BYTES = 1 << 30
EVENT_BYTES = 100


@dataclass(frozen=True, slots=True)
class ModuleColumns:
    """Figures of n modules at k epochs, each of shape (k, n), with the number of the first of their k events.

    They are of the epoch's last step. The norms are of a module's own parameters, before it; a gradient norm is NaN
    where no gradient arrived and infinite where one that did is not finite, an update ratio is the norm of the step
    over that of the parameters, NaN where the latter is 0.
    """

    first_id: int
    epochs: NDArray[np.int64]
    parameter_norm: Floats
    gradient_norm: Floats
    update_ratio: Floats

    def __len__(self) -> int:
        return len(self.epochs)

    def after(self, count: int) -> "ModuleColumns":
        """Return the columns without the first `count` epochs."""
        return self._cut(count, slice(count, None))

    def until(self, count: int) -> "ModuleColumns":
        """Return the columns of the first `count` epochs."""
        return self._cut(0, slice(count))

    def _cut(self, skipped: int, part: slice) -> "ModuleColumns":
        figures = (column[part] for column in (self.parameter_norm, self.gradient_norm, self.update_ratio))
        return ModuleColumns(self.first_id + skipped, self.epochs[part], *figures)


def stat_rows(index: TreeIndex) -> Sequence[int]:
    """Return the rows of the modules that have statistics: those with parameters of their own, in pre-order.

    A shared module has one, at its first place; a tied parameter is one of each module that holds it.
    """
    rows = np.unique(np.frombuffer(index.parameters.owner, np.int64))
    found: list[int] = rows[index.first[rows] == rows].tolist()
    return found


def least_every(num_modules: int, epochs: int) -> int:
    """Return how many epochs there have to be between statistics of so many modules, for a run to keep them all."""
    most = MAX_BYTES // (EVENT_BYTES + EPOCH_BYTES + NUM_FIGURES * FLOAT_BYTES * num_modules)
    return -(-epochs // max(most, 1))


def pack_modules(epochs: Sequence[int], figures: Sequence[Floats]) -> bytes:
    """Return one payload: the k epochs, then for each of them parameter norm, gradient norm and update ratio of all.

    Each of `figures` is of shape (3, n).
    """
    return np.asarray(epochs, "<i8").tobytes() + np.asarray(figures, "<f4").tobytes()


def unpack_modules(chunk: Chunk) -> ModuleColumns:
    """Return the statistics that a chunk holds, without copying them."""
    count = len(chunk)
    epochs = np.frombuffer(chunk.payload, "<i8", count)
    figures = np.frombuffer(chunk.payload, "<f4", offset=count * EPOCH_BYTES).reshape(count, NUM_FIGURES, -1)
    return ModuleColumns(chunk.first_id, epochs, figures[:, 0], figures[:, 1], figures[:, 2])
