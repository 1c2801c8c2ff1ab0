"""What a client does, without doing it: plans yield steps, whoever carries them out sends back what came of each.

plan (a generator)  --Request | Pause | Connect | Receive-->  driver (httpx, sync or async)  --Give-->  who iterates
                    <--Answer | bytes | None, or ClientError thrown in--

So that one plan serves both clients, and a test that has no network.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

from app.client.errors import NotModuletree, problem_of

T = TypeVar("T")
Query = Mapping[str, str | int | bool | Sequence[str] | None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; the body of a stream that was opened is not part of it."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    def read(self, kind: type[T]) -> T:
        """Return the body as that; raises `NotModuletree` where it is something else."""
        try:
            return msgspec.json.decode(self.body, type=kind)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise NotModuletree(f"The answer is not what a Moduletree server gives: {error}.") from error


@dataclass(frozen=True, slots=True)
class Request:
    """Ask, and get the whole Answer."""

    method: str
    path: str
    query: Query = field(default_factory=dict)
    body: Any = None
    files: Sequence[Path] = ()
    form: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Connect:
    """Ask, and get the Answer as soon as it begins; its body comes by Receive. One stream at a time is open."""

    request: Request


@dataclass(frozen=True, slots=True)
class Receive:
    """Get the next bytes of the stream that is open, none at its end."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Give(Generic[T]):
    """Hand items on to whoever iterates."""

    items: Sequence[T]


Step: TypeAlias = Request | Connect | Receive | Pause
Reply: TypeAlias = Answer | bytes | None
Plan: TypeAlias = Generator[Step, Reply, T]
Flow: TypeAlias = Generator[Step | Give[T], Reply, None]


def ask(request: Request | Connect) -> Plan[Answer]:
    """Ask; a refusal is raised as the `Problem` that it is."""
    answer = yield request
    assert isinstance(answer, Answer)
    if answer.status >= 400:
        raise problem_of(answer.status, answer.headers, answer.body)
    if answer.status >= 300:
        raise NotModuletree(f"The server answered {answer.status}, to go elsewhere: name the address that it goes to.")
    return answer


def receive() -> Plan[bytes]:
    """Return the next bytes of the open stream."""
    piece = yield Receive()
    assert isinstance(piece, bytes)
    return piece
