"""A worker process as the server sees it: what is said to it, what it says, and how it ended."""

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path

from app.processes import Process, launcher, signal_name
from app.training import messages
from app.training.messages import FromWorker, ToWorker

BUFFER_BYTES = 1 << 20


class WorkerProcess(asyncio.Protocol):
    """One worker, from its start to its end; `run` is the run that it was given, and None while it waits."""

    def __init__(
        self,
        hear: Callable[["WorkerProcess", list[FromWorker]], None],
        lose: Callable[["WorkerProcess"], None],
    ) -> None:
        self.run: str | None = None
        self.is_ready = False
        self.was_ready = False
        self._hear = hear
        self._lose = lose
        self._frames = messages.Frames()
        self._transport: asyncio.Transport | None = None
        self._process: Process | None = None

    async def start(self) -> None:
        """Start the process; it says `Ready` some seconds later."""
        ours, theirs = socket.socketpair()
        # Room for what a worker says while the server is busy with a commit.
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        with theirs:
            # Takes milliseconds on a loop that serves no requests.
            self._process = launcher.start("app.training", theirs, environment=_environment())
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_unix_connection(lambda: self, sock=ours)

    @property
    def pid(self) -> int | None:
        """The process's id."""
        return self._process.pid if self._process else None

    def say(self, message: ToWorker) -> None:
        """Send the message; what the worker does not read yet waits here."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(messages.encode(message))

    def hold(self, is_held: bool) -> None:
        """Leave unread what the worker says, or read on; it waits when the socket is full."""
        if self._transport is not None and not self._transport.is_closing():
            (self._transport.pause_reading if is_held else self._transport.resume_reading)()

    def kill(self) -> None:
        """End the process, whatever it is doing; what it said before still arrives."""
        if self._process is not None:
            self._process.kill()

    def how_it_ended(self) -> str:
        """Return, of a process that ended, by which signal or with which code."""
        code = self._process.wait() if self._process else 0
        return f"signal {-code} ({signal_name(-code)})" if code < 0 else f"exit code {code}"

    def data_received(self, data: bytes) -> None:
        """Hear the messages that are whole."""
        if bodies := self._frames.feed(data):
            self._hear(self, [messages.from_worker.decode(body) for body in bodies])

    def connection_lost(self, exc: Exception | None) -> None:
        """Know that the worker ended, or is as good as ended: nobody hears it any more."""
        self.is_ready = False
        self.kill()
        self._lose(self)

    def close(self) -> None:
        """Let the process end: a worker ends when nobody is there to talk to it."""
        if self._transport is not None:
            self._transport.abort()


def _environment() -> dict[str, str]:
    # What was meant for the server, its token above all, is none of the worker's business.
    passed = {name: value for name, value in os.environ.items() if not name.startswith("MODULETREE_")}
    # The worker imports the same `app`, from wherever this process was started.
    folders = [str(Path(__file__).parents[2]), passed.get("PYTHONPATH", "")]
    return {**passed, "PYTHONPATH": os.pathsep.join(filter(None, folders)), "OMP_NUM_THREADS": "1"}
