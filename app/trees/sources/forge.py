"""The warm process: `python -m app.trees.sources.forge SOCKET_FD FOLDER ALLOWED...` imports torch, then forks for jobs.

server -- a socket for each job --> forge -- fork --> child, confined -- the answer on that socket --> server
"""

import gc
import importlib.util
import os
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from app.errors import CannotDo
from app.trees.sources import jobs
from app.trees.sources.child import perform
from app.trees.sources.config import load_transformers
from app.trees.sources.confinement import confine
from app.trees.sources.factories import CannotImport, FactoryTable
from app.trees.trace import trace
from app.trees.trace_inputs import Input

# How long nothing is asked before more is imported: a job may be on its way already.
QUIET_S = 0.1


@dataclass(slots=True)
class Child:
    """A process with a job, the socket that its answer goes to, and when its time is over."""

    pid: int
    answer: socket.socket
    folder: Path
    deadline: float
    is_late: bool = False


class Forge:
    """Takes jobs until the server's end of the control socket is closed; ends with it, and its children too."""

    def __init__(self, control: socket.socket, folder: Path, table: FactoryTable) -> None:
        self._control = control
        self._folder = folder
        self._table = table
        self._children: dict[int, Child] = {}
        # What makes the first jobs quick, done while there is none.
        self._to_warm: list[Callable[[], None]] = [warm_configs, settle]
        self._woken, self._wake = socket.socketpair()
        for end in (self._woken, self._wake):
            end.setblocking(False)

    def serve(self) -> None:
        """Take jobs."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        selector = selectors.DefaultSelector()
        selector.register(self._control, selectors.EVENT_READ)
        selector.register(self._woken, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select(self._patience())}
            if self._woken in ready:
                self._woken.recv(4096)
            self._reap()
            if self._control in ready and not self._take():
                self._end()
                return
            self._stop_late()
            if not ready and self._to_warm:
                self._to_warm.pop(0)()

    def _patience(self) -> float | None:
        if self._to_warm:
            return QUIET_S
        deadlines = [child.deadline for child in self._children.values() if not child.is_late]
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    def _take(self) -> bool:
        data, fds, _, _ = socket.recv_fds(self._control, 1, 1)
        if not data:
            return False
        for fd in fds:
            self._start(socket.socket(fileno=fd))
        return True

    def _end(self) -> None:
        for child in self._children.values():
            os.kill(child.pid, signal.SIGKILL)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, answer: socket.socket) -> None:
        try:
            job = jobs.job_decoder.decode(jobs.receive(answer, timeout_s=10))
        except jobs.NoAnswer:
            answer.close()
            return
        answer.settimeout(None)
        if job.source.get("kind") == "config":
            # Here, so that all later ones have it too; the child says what is missing.
            with suppress(CannotDo):
                load_transformers()
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        pid = os.fork()
        if not pid:
            self._be_child(job, answer, folder)
        self._children[pid] = Child(pid, answer, folder, time.monotonic() + job.limits.max_wall_s)

    def _be_child(self, job: jobs.Job, answer: socket.socket, folder: Path) -> None:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for other in (self._control, self._woken, self._wake, *(child.answer for child in self._children.values())):
                other.close()
            silence()
            # Found by writing otherwise, which a confined process cannot.
            tempfile.tempdir = str(folder)
            confine(job.limits, folder)
            # The kernel would end the process where memory is short; an error can still be told.
            jobs.send(answer, perform(job, self._table))
            code = 0
        except BaseException:  # noqa: BLE001  the process must end here, whatever it was
            traceback.print_exc()
        finally:
            os._exit(code)

    def _reap(self) -> None:
        for pid in list(self._children):
            with suppress(ChildProcessError):
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    self._bury(self._children.pop(pid), os.waitstatus_to_exitcode(status))

    def _bury(self, child: Child, code: int) -> None:
        # An answer that was sent has been read first; the server has then closed its end.
        if code:
            is_late = child.is_late or code == -signal.SIGXCPU
            with suppress(OSError):
                jobs.send(child.answer, jobs.Died(is_late, max(-code, 0)))
        child.answer.close()
        shutil.rmtree(child.folder, ignore_errors=True)

    def _stop_late(self) -> None:
        now = time.monotonic()
        for child in self._children.values():
            if child.deadline <= now and not child.is_late:
                child.is_late = True
                os.kill(child.pid, signal.SIGKILL)


def silence() -> None:
    """Let what foreign code prints go nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nowhere, fd)
    os.close(nowhere)


def warm_trace() -> None:
    """Import what the first trace does, and the first random number on meta: two seconds."""
    nn.Embedding(1, 1, device="meta")
    trace(nn.Linear(1, 1, device="meta"), [Input((1, 1))], max_modules=1, max_depth=0)


def warm_configs() -> None:
    """Import what every config needs, where it is installed: two seconds more."""
    if importlib.util.find_spec("transformers"):
        with suppress(CannotDo):
            load_transformers()


def settle() -> None:
    """Keep the collector from writing into the pages that children share."""
    gc.collect()
    gc.freeze()


def main(fd: int, folder: Path, allowed: list[str]) -> None:
    """Say what the table has, or why there is none, and take jobs."""
    # Ctrl+C reaches the whole group of processes: the server decides when its own end, by closing the socket.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    torch.set_num_threads(1)
    # For packages that lie where the server was started; last, so that nothing there stands in for what is installed.
    sys.path.append(str(Path.cwd()))
    control = socket.socket(fileno=fd)
    try:
        table = FactoryTable.of(allowed)
    except CannotImport as error:
        jobs.send(control, jobs.Unusable(str(error.detail)))
        return
    # The server may be gone before it was greeted.
    with suppress(ConnectionError):
        jobs.send(control, jobs.Ready(list(table.allowed), list(table.by_id.values())))
        # Before any job: each would import this anew, out of the time and memory that it has.
        warm_trace()
        Forge(control, folder, table).serve()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
