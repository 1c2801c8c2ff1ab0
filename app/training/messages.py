"""What the server and a worker process say to each other, and how it travels over a socket.

4 bytes, the length, little-endian  |  the message as msgpack
"""

import os
from typing import TypeAlias

import msgspec

from app.training.config import RunConfig

LENGTH_BYTES = 4
READ_BYTES = 1 << 20


class Start(msgspec.Struct, tag="start", frozen=True):
    """Train, from the first of `checkpoints` that can be used, the newest being first, else from `tensors`.

    Epochs before `emit_from` were told already: they are trained again in silence. `data` is the file of the points
    where the config does not hold them.
    """

    run: str
    structure: bytes
    tensors: str
    config: RunConfig
    seed: int
    result: str
    checkpoints: tuple[str, ...] = ()
    emit_from: int = 0
    data: str | None = None

    @property
    def goes_on(self) -> bool:
        """Whether the run was trained before: its worker says `Restored` first."""
        return bool(self.checkpoints or self.emit_from)


class Cancel(msgspec.Struct, tag="cancel", frozen=True):
    """Stop before the next step."""

    run: str


class Pause(msgspec.Struct, tag="pause", frozen=True):
    """Wait before the next step."""

    run: str


class Resume(msgspec.Struct, tag="resume", frozen=True):
    """Go on."""

    run: str


class Checkpoint(msgspec.Struct, tag="checkpoint", frozen=True):
    """Write a checkpoint between two epochs, and go on; with `and_stop` stop there, so that the run can be resumed."""

    run: str
    and_stop: bool = False


ToWorker: TypeAlias = Start | Cancel | Pause | Resume | Checkpoint


class Ready(msgspec.Struct, tag="ready", frozen=True):
    """The worker is warm and waits for its first run."""


class Epochs(msgspec.Struct, tag="epochs", frozen=True):
    """Epochs `first`, `first + 1`, ... as packed columns, in the types of `app.training.log.LAYOUT`.

    `at` is in seconds after `base_at`; `validation_loss` and `lr` are empty where the run has none. `modules` are the
    statistics of `num_modules` events, packed by `pack_modules`: what is known of these epochs travels together.
    `step` is how steps are taken; `trained_s` are the seconds spent so far, `module_stats_s` those on statistics.
    """

    run: str
    first: int
    base_at: float
    loss: bytes
    at: bytes
    slope: bytes
    intercept: bytes
    validation_loss: bytes = b""
    lr: bytes = b""
    modules: bytes = b""
    num_modules: int = 0
    step: str = "autograd"
    trained_s: float = 0.0
    module_stats_s: float = 0.0


class Restored(msgspec.Struct, tag="restored", frozen=True):
    """The run goes on after `epoch` epochs; `damaged` says what is wrong with the checkpoints that were newer."""

    run: str
    epoch: int
    damaged: tuple[str, ...] = ()


class Checkpointed(msgspec.Struct, tag="checkpointed", frozen=True):
    """The state after `epoch` epochs is in the file, which took `took_s` seconds to write."""

    run: str
    epoch: int
    path: str
    took_s: float = 0.0


class NotCheckpointed(msgspec.Struct, tag="not_checkpointed", frozen=True):
    """The state after `epoch` epochs could not be written; the run goes on."""

    run: str
    epoch: int
    error: str


class Interrupted(msgspec.Struct, tag="interrupted", frozen=True):
    """The run stopped and can be resumed: it was told to, or its `error` is one that may pass."""

    run: str
    error: str = ""


class Paused(msgspec.Struct, tag="paused", frozen=True):
    """The run waits."""

    run: str


class Resumed(msgspec.Struct, tag="resumed", frozen=True):
    """The run goes on."""

    run: str


class Done(msgspec.Struct, tag="done", frozen=True):
    """The run is over and its tensors written; `slope` and `intercept` are NaN where the tree is no line."""

    run: str
    slope: float
    intercept: float
    stopped_early: bool = False


class Failed(msgspec.Struct, tag="failed", frozen=True):
    """The run raised."""

    run: str
    error: str


class Cancelled(msgspec.Struct, tag="cancelled", frozen=True):
    """The run stopped because it was told to."""

    run: str


class Lost(msgspec.Struct, tag="lost", frozen=True):
    """Said by the executor in place of a worker that can say nothing any more."""

    run: str
    error: str


Progress: TypeAlias = Restored | Epochs | Checkpointed | NotCheckpointed | Paused | Resumed
Outcome: TypeAlias = Done | Failed | Cancelled | Interrupted
FromWorker: TypeAlias = Ready | Progress | Outcome
AboutRun: TypeAlias = Progress | Outcome | Lost

_encoder = msgspec.msgpack.Encoder()
to_worker = msgspec.msgpack.Decoder(ToWorker)
from_worker = msgspec.msgpack.Decoder(FromWorker)


def encode(message: ToWorker | FromWorker) -> bytes:
    """Return the message as it travels."""
    body = _encoder.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "little") + body


class Frames:
    """The whole messages in what was read so far."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the bodies that `data` completes, in order."""
        self._buffer += data
        bodies = []
        at = 0
        while (end := self._end(at)) <= len(self._buffer):
            bodies.append(bytes(self._buffer[at + LENGTH_BYTES : end]))
            at = end
        del self._buffer[:at]
        return bodies

    def _end(self, at: int) -> int:
        start = at + LENGTH_BYTES
        return start + int.from_bytes(self._buffer[at:start], "little") if start <= len(self._buffer) else start


def write_all(fd: int, data: bytes) -> None:
    """Write all of `data`, waiting for the reader where the socket is full."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
