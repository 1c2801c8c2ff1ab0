"""What a step does to each module: the norms of its parameters and of their gradients, and how far it moved them.

    loss -> before(): norms, a copy of the values -> the optimizer's step -> after(): the norm of the difference

All sums are in float64, so that neither a vanishing gradient nor an exploding one is lost.
"""

import time

import numpy as np
from torch import Tensor

from app.training.log import Floats
from app.training.module_columns import stat_rows
from app.training.squares import Squares
from app.trees.index import TreeIndex
from app.trees.tensors import Ints

NORM, GRADIENT, CHANGE = range(3)


class ModuleStats:
    """Statistics of the modules in `stat_rows`, over their own parameters; a tied one counts for each of its modules.

    `seconds` is what they have cost so far. A gradient norm is NaN where no gradient arrived, and infinite where one
    that did is not finite; an update ratio is NaN where the parameters had the norm 0. Numpy's warnings of divisions
    and overflow are the caller's to silence.
    """

    def __init__(self, index: TreeIndex) -> None:
        entries, self._starts = _entries_of(index)
        distinct, place = np.unique(index.parameters.first[entries], return_inverse=True)
        self._place = None if np.array_equal(place, np.arange(len(distinct))) else place
        self._parameters = [index.parameters.tensor[entry] for entry in distinct.tolist()]
        self._sums = np.zeros((3, len(self._parameters)))
        every = Squares([parameter.detach() for parameter in self._parameters])
        every.of(every.parts([parameter.detach() for parameter in self._parameters]), self._sums[NORM])
        self._with_gradient([])
        self.seconds = 0.0

    def _with_gradient(self, moved: list[int]) -> None:
        self._moved = moved
        self._moving = Squares([self._parameters[number].detach() for number in moved])
        # Of all of them in order a part is a view.
        self._part = slice(None) if len(moved) == len(self._parameters) else np.array(moved, np.int64)
        self._found = np.zeros((3, len(moved)))
        has_gradient = np.zeros(len(self._parameters))
        has_gradient[moved] = 1
        self._sums[GRADIENT:] = 0
        self._has_none = self._by_module(has_gradient) == 0

    def before(self) -> None:
        """Look at the gradients, and at the parameters before the step."""
        began = time.perf_counter()
        gradients = [parameter.grad for parameter in self._parameters]
        arrived: list[Tensor] = [gradient for gradient in gradients if gradient is not None]
        moved = [number for number, gradient in enumerate(gradients) if gradient is not None]
        if moved != self._moved:
            self._with_gradient(moved)
        moving, found = self._moving, self._found
        moving.of(moving.copy(), found[NORM])
        moving.of(moving.parts(arrived), found[GRADIENT])
        self.seconds += time.perf_counter() - began

    def after(self) -> Floats:
        """Return parameter norm, gradient norm and update ratio, (3, modules), of the step taken since `before`."""
        began = time.perf_counter()
        self._moving.of_change(self._found[CHANGE])
        # A parameter without a gradient is left alone by every optimizer: its norm is still what it was.
        self._sums[:, self._part] = self._found
        figures = np.sqrt(self._by_module(self._sums))
        norm, gradient = figures[NORM], figures[GRADIENT]
        gradient[np.isnan(gradient)] = np.inf
        gradient[self._has_none] = np.nan
        figures[CHANGE] /= norm
        figures[CHANGE, norm == 0] = np.nan
        packed: Floats = figures.astype(np.float32)
        self.seconds += time.perf_counter() - began
        return packed

    def _by_module(self, figures: Floats) -> Floats:
        placed = figures if self._place is None else figures[..., self._place]
        sums: Floats = np.add.reduceat(placed, self._starts, axis=-1)
        return sums


def _entries_of(index: TreeIndex) -> tuple[Ints, Ints]:
    """Return the entries of the parameters of the modules in `stat_rows`, and where each module's begin among them."""
    parameters = index.parameters
    owner, start = np.frombuffer(parameters.owner, np.int64), np.frombuffer(parameters.start, np.int64)
    # A tensor under two names in one module is one of the module's parameters.
    is_own = (parameters.previous < start[owner]) & np.isin(owner, stat_rows(index))
    entries = np.flatnonzero(is_own)
    return entries, np.unique(owner[entries], return_index=True)[1]
