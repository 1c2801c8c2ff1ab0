"""Where training loops run, as those see it who have runs to train: what an executor is asked, and what it tells."""

from collections.abc import Sequence
from typing import Protocol

from app.training.messages import AboutRun, Start


class Listener(Protocol):
    """Who is told what the runs do."""

    def tell(self, messages: Sequence[AboutRun]) -> None:
        """Take what one worker said since the last time, in order."""

    def is_free(self) -> None:
        """Know that a worker waits for a run."""


class Executor(Protocol):
    """What a run is placed on; an engine other than the local one has these methods too."""

    async def open(self, listener: Listener) -> None:
        """Begin to tell `listener` what happens."""

    async def close(self) -> None:
        """End all that runs."""

    @property
    def is_ready(self) -> bool:
        """Whether runs are trained, now or once those before them are done."""

    @property
    def num_restarts(self) -> int:
        """How often a worker took the place of one that ended or was killed."""

    @property
    def has_place(self) -> bool:
        """Whether one run more may be trained: a paused one that is resumed now goes on now."""

    @property
    def has_room(self) -> bool:
        """Whether a run that is placed now begins now."""

    def place(self, start: Start) -> None:
        """Start a run; to be called only where there is room."""

    def cancel(self, run: str) -> None:
        """End a run, whatever it is doing; `Cancelled` or `Lost` follows within 200 ms."""

    def pause(self, run: str) -> None:
        """Let a run wait between two epochs; `Paused` follows."""

    def resume(self, run: str) -> None:
        """Let it go on; to be called only where there is a place. `Resumed` follows."""

    def checkpoint(self, run: str) -> None:
        """Have the run write a checkpoint and go on; `Checkpointed` or `NotCheckpointed` follows."""

    def stop(self, run: str) -> None:
        """Have the run write a checkpoint and stop; `Interrupted` follows."""

    def hold(self, is_held: bool) -> None:
        """Listen to no worker for a while, so that they wait once they have said a little more; then listen again."""
