"""A column of losses made smooth, as TensorBoard does it."""

import math

import numpy as np

from app.training.log import Floats

MOST = 0.999
BLOCK = 64
NOTHING = 1e-17


def smoothed(column: Floats, factor: float) -> Floats:
    """Return the exponential moving average, with what it lacks at its start made up for.

    Each is `factor` times the one before and the rest of 1 times the new number, divided by 1 - factor^count. What is
    not finite stays as it is and counts for nothing. `factor` is from 0 to 0.999.
    """
    result: Floats = column.astype("<f8")
    is_finite = np.isfinite(result)
    averages = _averages(result[is_finite], factor)
    # Later ones lack less than a double can tell.
    short = averages[: math.ceil(math.log(NOTHING) / math.log(factor)) if factor else 0]
    short /= 1 - factor ** np.arange(1.0, len(short) + 1)
    result[is_finite] = averages
    return result


def _averages(values: Floats, factor: float) -> Floats:
    # One number after the other in Python would take a second for a million: within a block it is a product with a
    # triangle of powers, and only what a block hands on to the next is computed in turn.
    rows = -(-len(values) // BLOCK)
    table = np.zeros(rows * BLOCK)
    table[: len(values)] = values
    steps = np.arange(BLOCK)
    ages = steps[:, None] - steps
    triangle = np.where(ages >= 0, (1 - factor) * factor ** np.maximum(ages, 0.0), 0.0)
    within = table.reshape(rows, BLOCK) @ triangle.T
    brought, carried, fade = np.zeros(rows), 0.0, factor**BLOCK
    for row, last in enumerate(within[:, -1].tolist()):
        brought[row] = carried
        carried = last + fade * carried
    averages = within + brought[:, None] * factor ** (steps + 1.0)
    return averages.reshape(-1)[: len(values)]
