"""Something awaitable that is begun at once, without a task, and waited for only where it is not done at once."""

from collections.abc import Awaitable, Generator
from typing import Any


class Sending:
    """The rest of what was begun: awaiting it goes on from where it waits."""

    def __init__(self, steps: Generator[Any, Any, object], waits_for: object) -> None:
        self._steps = steps
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, None]:
        try:
            # A future that no task has taken yet: the one that awaits this takes it as if it had come there by itself.
            yield self._waits_for
            yield from self._steps
        finally:
            self._steps.close()


def begun(awaitable: Awaitable[object]) -> Sending | None:
    """Do as much as can be done without waiting; return the rest, or None where nothing is left."""
    steps = awaitable.__await__()
    try:
        waits_for = next(steps)
    except StopIteration:
        return None
    return Sending(steps, waits_for)
