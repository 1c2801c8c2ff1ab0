"""Processes of the program that start at once: forked from one that has imported it, as torch alone takes seconds."""

import gc
import multiprocessing
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any, NoReturn, TextIO

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.preloaded"])
_PATH = tuple(sys.path)
_POLL_S = 0.01


class _Process:
    """What `subprocess.Popen` knows of a process, for one that is forked elsewhere."""

    def __init__(self, target: Callable[..., None], *arguments: object) -> None:
        self._process = _CONTEXT.Process(target=target, args=arguments, daemon=False)
        self._process.start()

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
            # Who forked it has waited for it a moment before its end is known here.
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Forked(_Process):
    """`python -m app` with arguments, as `subprocess.Popen` would run it with its output in a pipe.

    Standard error goes to `stdout` too, unless it is given a pipe of its own. What it starts, it forks from itself.
    `before` is called in it first.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        has_stderr: bool = False,
        before: Callable[[], None] | None = None,
    ) -> None:
        self.stdout, output = _pipe()
        self.stderr: TextIO | None = None
        errors = os.dup(output)
        if has_stderr:
            os.close(errors)
            self.stderr, errors = _pipe()
        super().__init__(_run, list(arguments), str(cwd), dict(env), DupFd(output), DupFd(errors), before)
        os.close(output)
        os.close(errors)


class Sibling(_Process):
    """A module of the program, for what a test has of it in its own process: an `app.processes.Launch`."""

    def __init__(self, module: str, sock: socket.socket, *arguments: str, environment: Mapping[str, str]) -> None:
        super().__init__(_run_module, module, DupFd(sock.fileno()), arguments, dict(environment))


def _pipe() -> tuple[TextIO, int]:
    reading, writing = os.pipe()
    return os.fdopen(reading, encoding="utf-8"), writing


def _run(
    arguments: list[str],
    cwd: str,
    environment: dict[str, str],
    output: Any,
    errors: Any,
    before: Callable[[], None] | None,
) -> None:
    os.setsid()
    os.dup2(output.detach(), 1)
    os.dup2(errors.detach(), 2)
    os.chdir(cwd)
    if before is not None:
        before()
    _be_started_with(environment, arguments, cwd)

    from app.cli import main
    from app.processes import launcher

    launcher.by = Child
    main()


def _run_module(module: str, sock: Any, arguments: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    _be(module, sock.detach(), arguments, environment)


def _be_started_with(environment: Mapping[str, str], arguments: Sequence[str], *folders: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:] = [*folders, *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep)), *_PATH]
    sys.argv = ["moduletree", *arguments]
    # Found anew, as the environment may name another one.
    tempfile.tempdir = None
    sys.stdout = os.fdopen(1, "w", 1, "utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, "utf-8", closefd=False)


class Child:
    """A module of the program in a fork of this very process: an `app.processes.Launch`."""

    def __init__(self, module: str, sock: socket.socket, *arguments: str, environment: Mapping[str, str]) -> None:
        self._lock = threading.Lock()
        self._code: int | None = None
        with warnings.catch_warnings():
            # Python warns of threads, which may hold locks: none that is needed before these modules run.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.pid = os.fork()
        if not self.pid:
            _be(module, sock.fileno(), arguments, environment)

    def poll(self) -> int | None:
        with self._lock:
            if self._code is None and (ended := os.waitpid(self.pid, os.WNOHANG))[0]:
                self._code = os.waitstatus_to_exitcode(ended[1])
            return self._code

    def wait(self, timeout: float | None = None) -> int:
        pause = threading.Event()
        for _ in range(int((timeout or 60) / _POLL_S)):
            if (code := self.poll()) is not None:
                return code
            pause.wait(_POLL_S)
        raise subprocess.TimeoutExpired("moduletree", timeout or 60)

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


def _be(module: str, fd: int, arguments: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    code = 1
    try:
        # What was the parent's is never closed here by its finalizers: its descriptors are others' by then.
        gc.freeze()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.closerange(3, fd)
        os.closerange(fd + 1, os.sysconf("SC_OPEN_MAX"))
        _be_started_with(environment, [str(fd), *arguments])
        import torch

        # Read from the environment by a torch that is imported anew.
        torch.set_num_threads(int(environment["OMP_NUM_THREADS"]))
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001  the process must end here, whatever it was
        traceback.print_exc()
    finally:
        os._exit(code)
