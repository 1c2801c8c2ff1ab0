"""What the server asks of a run while its worker trains it."""

import threading

from app.training.messages import Cancel, Pause, Resume


class Stopped(Exception):
    """The server asked for the run to be cancelled."""


class Control:
    """What the server asked of the present run while it trains; `is_asked` is all that an epoch looks at."""

    def __init__(self) -> None:
        self.is_asked = False
        self._run = ""
        self._cancelled = False
        self._paused = False
        self._changed = threading.Condition()

    def begin(self, run: str) -> None:
        """Take requests for `run` from now on; those for another run are stale."""
        with self._changed:
            self._run, self._cancelled, self._paused, self.is_asked = run, False, False, False

    def ask(self, message: Cancel | Pause | Resume) -> None:
        """Note a request; called on the listening thread."""
        with self._changed:
            if message.run != self._run:
                return
            if isinstance(message, Cancel):
                self._cancelled = True
            else:
                self._paused = isinstance(message, Pause)
            self.is_asked = self._cancelled or self._paused
            self._changed.notify()

    @property
    def is_paused(self) -> bool:
        """Whether the run is to wait."""
        return self._paused

    def wait(self) -> None:
        """Return when the run may go on; raises `Stopped` when it is cancelled."""
        with self._changed:
            self._changed.wait_for(lambda: self._cancelled or not self._paused)
            if self._cancelled:
                raise Stopped
