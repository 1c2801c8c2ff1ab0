"""What the server asks of the process that reads values, and what it answers; msgpack, as `jobs` sends it."""

from typing import TypeAlias

import msgspec

from app.trees.sources.checkpoint.contents import TensorPlace
from app.trees.sources.jobs import Failed


class StatsQuestion(msgspec.Struct, tag="stats", frozen=True):
    """The statistics of a tensor, whose file lies in `folder`."""

    folder: str
    place: TensorPlace


class HeatMapQuestion(msgspec.Struct, tag="heat_map", frozen=True):
    """The heat map of a tensor's last two dimensions, at `index` in those before."""

    folder: str
    place: TensorPlace
    index: tuple[int, ...]


Question: TypeAlias = StatsQuestion | HeatMapQuestion
"""Equal questions have equal answers, since a place holds the stamp of its file."""


class GiveUp(msgspec.Struct, tag="give_up", frozen=True):
    """Nobody waits for the answer any more."""


class Progress(msgspec.Struct, tag="progress", frozen=True):
    """How much is done of how much there is to do."""

    done: int
    total: int


class Answered(msgspec.Struct, tag="answered", frozen=True):
    """The encoded answer."""

    body: bytes


class GivenUp(msgspec.Struct, tag="given_up", frozen=True):
    """There will be no answer, as was asked."""


asked_decoder = msgspec.msgpack.Decoder(StatsQuestion | HeatMapQuestion | GiveUp)
heard_decoder = msgspec.msgpack.Decoder(Progress | Answered | GivenUp | Failed)
