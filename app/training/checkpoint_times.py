"""When runs write checkpoints by themselves, so that one that is left alone loses little when everything stops."""

import asyncio
from collections.abc import Callable

# A checkpoint that takes long to write is written less often: no more than this share of the time goes into it.
MOST_OF_THE_TIME = 0.01


class CheckpointTimes:
    """Asks for a checkpoint of each run `every_s` seconds after the last one; never where that is 0."""

    def __init__(self, every_s: float, ask: Callable[[str], None]) -> None:
        self._every_s = every_s
        self._ask = ask
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def begin(self, run: str, took_s: float = 0.0) -> None:
        """Count from now: the run begins, or has just written one, in `took_s` seconds."""
        self.end(run)
        if self._every_s:
            wait_s = max(self._every_s, took_s / MOST_OF_THE_TIME)
            self._timers[run] = asyncio.get_running_loop().call_later(wait_s, self._be_due, run)

    def end(self, run: str) -> None:
        """Ask no more."""
        if (timer := self._timers.pop(run, None)) is not None:
            timer.cancel()

    def _be_due(self, run: str) -> None:
        self.begin(run)
        self._ask(run)
