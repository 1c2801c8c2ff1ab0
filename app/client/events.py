"""What a run's stream tells, one struct a kind of event; `id` is its number in the run, from 1."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

import msgspec
from msgspec.structs import force_setattr

from app.client.errors import NotModuletree
from app.client.sse import Message
from app.client.types import Epoch, ModuleStats, Run, number


class StatusEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The run is in another state from here on."""

    event: ClassVar[str] = "status"

    id: int = 0
    status: str
    at: datetime | None = None


class EpochEvent(Epoch, frozen=True, kw_only=True):
    """One epoch is done."""

    event: ClassVar[str] = "epoch"

    id: int = 0


class EpochsEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Epochs in a row are done, `epoch` being the first and the last; `id` is that of the last."""

    event: ClassVar[str] = "epochs"

    id: int = 0
    epoch: tuple[int, int]
    loss: Sequence[float | None]
    at: datetime
    slope: float | None = None
    intercept: float | None = None
    nonfinite: Sequence[tuple[int, int, str]] = ()
    validation_loss: Sequence[float | None] | None = None
    lr: Sequence[float | None] | None = None

    def __post_init__(self) -> None:
        losses = list(self.loss)
        for first, last, kind in self.nonfinite:
            for epoch in range(first, last + 1):
                losses[epoch - self.epoch[0]] = number(kind)
        force_setattr(self, "loss", losses)


class ModulesEvent(ModuleStats, frozen=True, kw_only=True):
    """Statistics of the modules at an epoch."""

    event: ClassVar[str] = "modules"

    id: int = 0


class EndEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The run has ended as `run` says."""

    event: ClassVar[str] = "end"

    id: int = 0
    run: Run


class OtherEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a kind that this client does not know, from a newer server."""

    id: int = 0
    event: str
    data: Any


Event = StatusEvent | EpochEvent | EpochsEvent | ModulesEvent | EndEvent | OtherEvent
_KINDS: dict[str, type[StatusEvent | EpochEvent | EpochsEvent | ModulesEvent]] = {
    kind.event: kind for kind in (StatusEvent, EpochEvent, EpochsEvent, ModulesEvent)
}


def event_of(message: Message) -> Event:
    """Return the event that a message of a run's stream carries; raises `NotModuletree` where it is none."""
    try:
        event = _decoded(message)
        force_setattr(event, "id", int(message.id))
    except (msgspec.DecodeError, ValueError, IndexError, RecursionError) as error:
        raise NotModuletree(f"The stream has an event {message.event!r} that cannot be read: {error}.") from error
    return event


def _decoded(message: Message) -> Event:
    if message.event == "end":
        return EndEvent(run=msgspec.json.decode(message.data, type=Run))
    if message.event in _KINDS:
        return msgspec.json.decode(message.data, type=_KINDS[message.event])
    return OtherEvent(event=message.event, data=msgspec.json.decode(message.data))
