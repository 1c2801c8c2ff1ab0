"""The straight line that a tree of LinearModels is, read from its parameters while they train."""

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from app.training.links import links_of

MAX_LIVE_MODULES = 16

Line: TypeAlias = tuple[float, float]
UNKNOWN: Line = (math.nan, math.nan)


class Fit:
    """Slope and intercept of the tree's function, as it is whenever asked.

    `is_live` says whether it is cheap enough to be asked at every epoch. Both are NaN where the function is no line,
    because a module is no LinearModel or a parameter has more than one element.
    """

    def __init__(self, model: nn.Module) -> None:
        self._maps = _affine_maps(model)
        self.is_live = 0 < len(self._maps) <= MAX_LIVE_MODULES
        self.is_line = bool(self._maps)

    def read(self) -> Line:
        """Return slope and intercept now."""
        if not self._maps:
            return UNKNOWN
        slope, intercept = 1.0, 0.0
        for weight, bias in self._maps:
            factor = weight.item(0)
            slope *= factor
            intercept = intercept * factor + bias.item(0)
        return slope, intercept


_Map: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]


def _affine_maps(model: nn.Module) -> Sequence[_Map]:
    """Return views of weight and bias in the order of the calls, or nothing where one of them is no single number."""
    maps: list[_Map] = []
    for link in links_of(model):
        weight, bias = (_number(link._parameters.get(name)) for name in ("weight", "bias"))
        if weight is None or bias is None:
            return ()
        maps.append((weight, bias))
    return maps


def _number(parameter: Tensor | None) -> NDArray[np.float64] | None:
    # The view shares the parameter's memory, which optimizers change in place.
    if parameter is None or parameter.numel() != 1 or not parameter.dtype.is_floating_point:
        return None
    try:
        return parameter.detach().numpy().reshape(-1)
    except (RuntimeError, TypeError):
        return None
