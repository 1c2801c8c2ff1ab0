"""Processes of the program that start at once: forked from one that has imported it, as torch alone takes seconds."""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any, TextIO

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["app.cli", "app.main", "app.serve", "app.training.runs"])


class Forked:
    """`python -m app` with arguments, as `subprocess.Popen` would run it with its output in a pipe.

    Standard error goes to `stdout` too, unless it is given a pipe of its own.
    """

    def __init__(
        self, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], has_stderr: bool = False
    ) -> None:
        self.stdout, output = _pipe()
        self.stderr: TextIO | None = None
        errors = os.dup(output)
        if has_stderr:
            os.close(errors)
            self.stderr, errors = _pipe()
        self._process = _CONTEXT.Process(
            target=_run, args=(list(arguments), str(cwd), dict(env), DupFd(output), DupFd(errors)), daemon=False
        )
        self._process.start()
        os.close(output)
        os.close(errors)

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("moduletree", timeout or 0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _pipe() -> tuple[TextIO, int]:
    reading, writing = os.pipe()
    return os.fdopen(reading, encoding="utf-8"), writing


def _run(arguments: list[str], cwd: str, environment: dict[str, str], output: Any, errors: Any) -> None:
    os.setsid()
    os.dup2(output.detach(), 1)
    os.dup2(errors.detach(), 2)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = [cwd, *environment.get("PYTHONPATH", "").split(os.pathsep)]
    sys.argv = ["moduletree", *arguments]
    sys.stdout = os.fdopen(1, "w", 1, "utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, "utf-8", closefd=False)

    from app.cli import main

    main()
