"""What the server asks of a building process and what it answers; msgpack, each message after its length."""

import socket
import struct
import time
from typing import Any, TypeAlias

import msgspec

from app.errors import CannotDo, Invalid, Misfit, ModuletreeError, NotAllowed, NotFound, TooLarge, UnreadableFile
from app.translation import said
from app.trees.description import Description
from app.trees.sources.building import BuildLimits
from app.trees.sources.factories import Factory
from app.trees.sources.forward import Output
from app.trees.trace import Trace
from app.trees.trace_inputs import Input

MAX_ANSWER = 512 * 1024 * 1024
LENGTH = struct.Struct("<I")


class BuildJob(msgspec.Struct, tag="build", frozen=True):
    """Build the source's module and describe it."""

    source: dict[str, Any]
    limits: BuildLimits


class TraceJob(msgspec.Struct, tag="trace", frozen=True):
    """Build the source's module on meta and trace a forward; without inputs, on those that it suggests itself."""

    source: dict[str, Any]
    inputs: list[Input]
    limits: BuildLimits


class ForwardJob(msgspec.Struct, tag="forward", frozen=True):
    """Build the source's module, on meta where that will do, and call it on inputs of some shapes."""

    source: dict[str, Any]
    shapes: list[tuple[int, ...]]
    frozen: list[str]
    limits: BuildLimits


Job: TypeAlias = BuildJob | TraceJob | ForwardJob


class Built(msgspec.Struct, tag="built", frozen=True):
    """The tree, what was warned of while it was built, and inputs that its forward is likely to take."""

    description: Description
    notes: list[str]
    inputs: list[Input]


class Traced(msgspec.Struct, tag="traced", frozen=True):
    """The trace."""

    trace: Trace


class Forwarded(msgspec.Struct, tag="forwarded", frozen=True):
    """What came out for each input."""

    outputs: list[Output]


class Failed(msgspec.Struct, tag="failed", frozen=True):
    """One of our errors."""

    error: str
    detail: str
    limit: int = 0
    errors: list[tuple[list[str | int], str]] = []


class Died(msgspec.Struct, tag="died", frozen=True):
    """The process ended without an answer: it ran out of time, or a signal or an exit ended it."""

    out_of_time: bool
    signal: int = 0


Answer: TypeAlias = Built | Traced | Forwarded | Failed | Died


class Ready(msgspec.Struct, tag="ready", frozen=True):
    """The warm process has its table and takes jobs."""

    allowed: list[str]
    factories: list[Factory]


class Unusable(msgspec.Struct, tag="unusable", frozen=True):
    """The warm process could not import what it was to allow."""

    detail: str


job_decoder = msgspec.msgpack.Decoder(Job)
answer_decoder = msgspec.msgpack.Decoder(Answer)
greeting_decoder = msgspec.msgpack.Decoder(Ready | Unusable)

_ERRORS: dict[str, type[ModuletreeError]] = {
    cls.__name__: cls for cls in (Invalid, UnreadableFile, NotFound, TooLarge, NotAllowed, CannotDo)
}


class NoAnswer(Exception):
    """The other end was closed, or silent for too long, before a message was whole."""


def failed_of(error: ModuletreeError) -> Failed:
    """Return the answer that carries one of our errors."""
    name = next((cls.__name__ for cls in type(error).__mro__ if cls.__name__ in _ERRORS), CannotDo.__name__)
    errors = [(list(misfit.loc), str(misfit.msg)) for misfit in error.errors] if isinstance(error, Invalid) else []
    return Failed(name, str(error.detail), error.limit if isinstance(error, TooLarge) else 0, errors)


def error_of(failed: Failed) -> ModuletreeError:
    """Return the error that an answer carries."""
    if failed.error == TooLarge.__name__:
        return TooLarge(failed.detail, failed.limit)
    if failed.error == Invalid.__name__:
        return Invalid(failed.detail, tuple(Misfit(tuple(loc), msg) for loc, msg in failed.errors))
    return _ERRORS.get(failed.error, CannotDo)(failed.detail)


def encoded(job: Job) -> bytes:
    """Return a job as a message; raises `Invalid` for a source with what no message can carry."""
    try:
        return msgspec.msgpack.encode(job)
    except OverflowError as error:
        raise Invalid(
            said("The source holds a number that is beyond 64 bits."), (Misfit(("source",), str(error)),)
        ) from error
    except UnicodeEncodeError as error:
        detail = said("The source holds half a surrogate pair, which is no character.")
        raise Invalid(detail, (Misfit(("source",), detail),)) from error
    except RecursionError as error:
        detail = said("The source is nested too deep.")
        raise Invalid(detail, (Misfit(("source",), detail),)) from error


def send(sock: socket.socket, message: msgspec.Struct | bytes) -> None:
    """Send one message, encoded already or not."""
    body = message if isinstance(message, bytes) else msgspec.msgpack.encode(message)
    sock.sendall(LENGTH.pack(len(body)))
    sock.sendall(body)


def receive(sock: socket.socket, timeout_s: float | None = None) -> bytes:
    """Return the body of the next message; raises `NoAnswer` when it does not come whole, or not within the time."""
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    (length,) = LENGTH.unpack(_exactly(sock, LENGTH.size, deadline))
    if length > MAX_ANSWER:
        raise NoAnswer
    return bytes(_exactly(sock, length, deadline))


def _exactly(sock: socket.socket, count: int, deadline: float | None) -> bytearray:
    data = bytearray(count)
    view, at = memoryview(data), 0
    while at < count:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise NoAnswer
        sock.settimeout(left)
        try:
            got = sock.recv_into(view[at:])
        except (TimeoutError, ConnectionError) as error:
            raise NoAnswer from error
        if not got:
            raise NoAnswer
        at += got
    return data
