"""How long a run has trained: the time between its epochs without the pauses."""

import numpy as np

from app.training.log import Floats

PAUSE_S = 0.1
TIMES_THE_USUAL = 50


def trained_s(at: Floats) -> Floats:
    """Return the seconds trained since the first epoch, for each of them.

    Where a run was paused or interrupted, and the next epoch came much later than usual, it counts as a usual one; a
    clock that was set back counts as no time.
    """
    steps = np.maximum(np.diff(at), 0.0)
    if len(steps):
        usual = float(np.median(steps))
        steps[steps > max(PAUSE_S, TIMES_THE_USUAL * usual)] = usual
    return np.concatenate(([0.0], np.cumsum(steps)))[: len(at)]
