"""How long to wait before a stream is asked for again: exponential, with jitter, up to a limit."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

# A stream that went on for so long was a good one, also where nothing but heartbeats came.
STEADY_S = 15.0
MOST_DOUBLINGS = 16


@dataclass(slots=True)
class Patience:
    """The waits of one stream: twice as long after each failure, and `limit_s` at most without a server."""

    limit_s: float
    first_s: float = 1.0
    longest_s: float = 30.0
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random
    _failures: int = 0
    _opened_at: float = 0.0
    _answered_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._answered_at = self.clock()

    def is_there(self) -> None:
        """Say that the server answers; one that breaks off at once is still asked ever more seldom."""
        self._answered_at = self._opened_at = self.clock()

    def goes_on(self, *, is_news: bool) -> None:
        """Say that something came: with news, or after a while, all is well again."""
        self._answered_at = self.clock()
        if is_news or self._answered_at - self._opened_at >= STEADY_S:
            self._failures = 0

    def delay_s(self) -> float | None:
        """Return how long to wait after one more failure, None where it was long enough."""
        delay_s = min(self.first_s * 2**self._failures, self.longest_s)
        self._failures = min(self._failures + 1, MOST_DOUBLINGS)
        left_s = self._answered_at + self.limit_s - self.clock()
        # Not all who lost the same server come back to it at once.
        return None if left_s <= 0 else min(delay_s * (0.5 + self.jitter() / 2), left_s)
