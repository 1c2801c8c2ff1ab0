"""Conditions that hold or do not, without flickering: each changes only after several looks in a row that say so."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

NEVER = -1


class Latches:
    """`count` conditions, looked at together.

    One begins to hold after `on` looks in a row at which it rises, and ends after `off` looks in a row at which it
    falls. `since` and `until` are the first epochs of those rows of looks, NEVER where there are none yet.
    """

    def __init__(self, count: int, *, on: int, off: int) -> None:
        self.holds = np.zeros(count, bool)
        self.since = np.full(count, NEVER)
        self.until = np.full(count, NEVER)
        self._on = on
        self._off = off
        self._looks = np.zeros(count, int)
        self._began = np.full(count, NEVER)

    def look(self, epoch: int, rises: ArrayLike, falls: ArrayLike) -> None:
        """Note what a look says; one that neither rises nor falls says that all is as before."""
        turns = np.where(self.holds, falls, rises).astype(bool)
        self._began = np.where(turns & (self._looks == 0), epoch, self._began)
        self._looks = np.where(turns, self._looks + 1, 0)
        turned = self._looks >= np.where(self.holds, self._off, self._on)
        begins, ends = turned & ~self.holds, turned & self.holds
        self.since = np.where(begins, self._began, self.since)
        self.until = np.where(begins, NEVER, np.where(ends, self._began, self.until))
        self.holds = self.holds ^ turned
        self._looks[turned] = 0

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Which conditions hold, or held once."""
        seen: NDArray[np.bool_] = self.since != NEVER
        return seen
