"""How the processes that work for the server are started: `python -P -m MODULE SOCKET_FD ARGUMENT...`."""

import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from typing import Protocol


class Process(Protocol):
    """What is asked of a process that was started; `subprocess.Popen` has it."""

    @property
    def pid(self) -> int:
        """Its id."""

    def poll(self) -> int | None:
        """How it ended, None while it has not."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, and say how it ended."""

    def kill(self) -> None:
        """End it, whatever it is doing."""


class Launch(Protocol):
    """A way to start one of the program's own modules; it gets its end of a socket, and must not need any other."""

    def __call__(self, module: str, sock: socket.socket, *arguments: str, environment: Mapping[str, str]) -> Process:
        """Start it."""


def spawn(module: str, sock: socket.socket, *arguments: str, environment: Mapping[str, str]) -> Process:
    """Start a Python of its own, which imports torch anew."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, str(sock.fileno()), *arguments],
        stdin=subprocess.DEVNULL,
        pass_fds=(sock.fileno(),),
        env=dict(environment),
    )


class Launcher:
    """Starts processes `by` one way: a program that is itself forked, with torch imported, may know a quicker one."""

    def __init__(self, by: Launch) -> None:
        self.by = by

    def start(self, module: str, sock: socket.socket, *arguments: str, environment: Mapping[str, str]) -> Process:
        """Start `module` with its end of a socket and arguments, in this environment and no other."""
        return self.by(module, sock, *arguments, environment=environment)


launcher = Launcher(spawn)


def signal_name(number: int) -> str:
    """Return the name of a signal that has ended a process; a real-time one has none of its own: SIGRTMIN+1."""
    try:
        return signal.Signals(number).name
    except ValueError:
        after = number - signal.SIGRTMIN
        # Two before the first are the C library's, and have no name at all.
        return f"SIGRTMIN+{after}" if after > 0 else f"SIG{number}"
