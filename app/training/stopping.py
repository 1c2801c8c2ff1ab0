"""Early stopping: whether a loss still falls."""

import math

from app.training.config import EarlyStopping


class Stopping:
    """Watches a loss: `is_over` once it did not fall by more than `min_delta` under its lowest for `patience` epochs.

    A loss that is not a number does not fall.
    """

    def __init__(self, config: EarlyStopping) -> None:
        self._config = config
        self._lowest = math.inf
        self._waited = 0

    @property
    def is_over(self) -> bool:
        """Whether the run is to stop."""
        return self._waited >= self._config.patience

    def see(self, loss: float) -> None:
        """Note the loss of an epoch."""
        if loss < self._lowest - self._config.min_delta:
            self._lowest, self._waited = loss, 0
        else:
            self._waited += 1

    def state(self) -> dict[str, float]:
        """Return what `restore` takes."""
        return {"lowest": self._lowest, "waited": self._waited}

    def restore(self, state: dict[str, float]) -> None:
        """Go on where `state` was taken."""
        self._lowest, self._waited = state["lowest"], int(state["waited"])
