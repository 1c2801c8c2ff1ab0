"""What the server asks of a run while its worker trains it."""

import threading

from app.training.messages import Cancel, Checkpoint, Pause, Resume


class Stopped(Exception):
    """The server asked for the run to be cancelled."""


class Control:
    """What the server asked of the present run while it trains; `is_asked` is all that an epoch looks at."""

    def __init__(self) -> None:
        self.is_asked = False
        self._run = ""
        self._changed = threading.Condition()
        self.begin("")

    def begin(self, run: str) -> None:
        """Take requests for `run` from now on; those for another run are stale."""
        with self._changed:
            self._run, self._cancelled, self._paused, self.is_asked = run, False, False, False
            self._checkpoint: Checkpoint | None = None

    def ask(self, message: Cancel | Pause | Resume | Checkpoint) -> None:
        """Note a request; called on the listening thread."""
        with self._changed:
            if message.run != self._run:
                return
            match message:
                case Cancel():
                    self._cancelled = True
                case Checkpoint(and_stop=and_stop):
                    # One that stops stays one, whatever is asked after it.
                    if and_stop or self._checkpoint is None:
                        self._checkpoint = message
                case _:
                    self._paused = isinstance(message, Pause)
            self._look()
            self._changed.notify()

    def _look(self) -> None:
        self.is_asked = self._cancelled or self._paused or self._checkpoint is not None

    @property
    def is_paused(self) -> bool:
        """Whether the run is to wait."""
        return self._paused

    def taken_checkpoint(self) -> Checkpoint | None:
        """Return the checkpoint that is asked for, which it is no more then; none of a run that is cancelled."""
        with self._changed:
            asked, self._checkpoint = self._checkpoint, None
            self._look()
            return asked if not self._cancelled else None

    def wait(self) -> None:
        """Return when the run may go on, or a checkpoint is asked for; raises `Stopped` when it is cancelled."""
        with self._changed:
            self._changed.wait_for(lambda: self._cancelled or self._checkpoint is not None or not self._paused)
            if self._cancelled:
                raise Stopped
