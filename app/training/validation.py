"""The loss on points that a run does not learn from."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from app.training.batches import Points
from app.trees.linear import LinearModel


class Validation:
    """The loss of a model on points of its own, without gradients and in evaluation mode.

    In training mode the points would move a BatchNorm's running statistics, and Dropout would draw for them.
    """

    def __init__(self, modules: Sequence[nn.Module], criterion: nn.Module, points: Points) -> None:
        self._model = modules[0]
        # A LinearModel does not know its mode, and there may be a hundred thousand of them.
        self._training = [module for module in modules if module.training and not isinstance(module, LinearModel)]
        self._criterion = criterion
        self._points = points

    def loss(self) -> float:
        """Return the loss of the model as it is."""
        for module in self._training:
            module.training = False
        try:
            with torch.no_grad():
                loss: Tensor = self._criterion(self._model(self._points.x), self._points.y)
                return loss.item()
        finally:
            for module in self._training:
                module.training = True
