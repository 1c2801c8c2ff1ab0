"""The real server, as a process of its own."""

import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO
from urllib.parse import unquote

import httpx

from tests.forked import Forked

ROOT = Path(__file__).parent.parent
URL_LINE = re.compile(r"Moduletree is at (http://[^/\s]+)(?:/login\?token=([^&\s]+))?")
START_S = 60.0
STOP_S = 15.0
POLL_S = 0.02


class LiveServer:
    """`moduletree serve` on a port that the system chose, with its data in `data_dir`.

    `command` starts the program in the folder `cwd`, where it is not forked from one that has imported it already, in
    which `before` is called first; `arguments` are more options of `serve`. In a `with` block it is
    started and, whatever happens, gone at the end with every process that it made. `restart` keeps the data, not the
    port. `client` knows the token, where the server made or was given one.
    """

    def __init__(
        self,
        data_dir: Path,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        command: tuple[str, ...] = (),
        cwd: Path = ROOT,
        before: Callable[[], None] | None = None,
    ) -> None:
        self.data_dir = data_dir
        self.url = ""
        self.token: str | None = None
        # With `verify=False` no certificates are read, which takes 14 ms; so wherever clients are many.
        self.client = httpx.Client(trust_env=False, verify=False)
        self.lines: list[str] = []
        self._command = command
        self._arguments = ["serve", "--port", "0", "--data-dir", str(data_dir), *arguments]
        self._cwd = cwd
        self._before = before
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("MODULETREE_")}
        self._environment |= {"PYTHONUNBUFFERED": "1", **(environment or {})}
        self._process: subprocess.Popen[str] | Forked | None = None

    @property
    def process(self) -> subprocess.Popen[str] | Forked:
        assert self._process is not None, "the server was not started"
        return self._process

    @property
    def output(self) -> str:
        """What the server has printed since its first start, standard error too."""
        return "".join(self.lines)

    def start(self) -> None:
        """Returns when the server says that it is ready."""
        process = self._started()
        assert process.stdout is not None
        self._process = process
        told = threading.Event()
        threading.Thread(target=self._read, args=(process.stdout, told), daemon=True).start()
        assert told.wait(START_S), f"the server told no address within {START_S} s:\n{self.output}"
        assert process.poll() is None, f"the server ended at its start:\n{self.output}"
        self.client.close()
        headers = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        self.client = httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False, verify=False)
        self._await_ready()

    def _started(self) -> subprocess.Popen[str] | Forked:
        if not self._command:
            return Forked(self._arguments, cwd=self._cwd, env=self._environment, before=self._before)
        return subprocess.Popen(
            [*self._command, *self._arguments],
            cwd=self._cwd,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def _read(self, stdout: TextIO, told: threading.Event) -> None:
        with stdout:
            for line in stdout:
                self.lines.append(line)
                if not told.is_set() and (found := URL_LINE.search(line)):
                    self.url, self.token = found[1], found[2] and unquote(found[2])
                    told.set()
        told.set()

    def _await_ready(self) -> None:
        pause = threading.Event()
        for _ in range(int(START_S / POLL_S)):
            if self._is_ready():
                return
            pause.wait(POLL_S)
        raise AssertionError(f"the server was not ready within {START_S} s:\n{self.output}")

    def _is_ready(self) -> bool:
        try:
            return self.client.get("/readyz").is_success
        except httpx.TransportError:
            return False

    def stop(self) -> int:
        """Asks the server to stop, as `docker stop` does, and returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_S)

    def kill(self) -> None:
        """Ends the server's own process at once, as a crash would; what it had started must notice by itself."""
        self.process.kill()
        self.process.wait(STOP_S)

    def restart(self) -> None:
        if self.process.poll() is None:
            self.stop()
        self.start()

    def close(self) -> None:
        """Leaves no process behind."""
        self.client.close()
        if self._process is None:
            return
        try:
            if self._process.poll() is None:
                self.stop()
        finally:
            self._end_group(self._process)

    def _end_group(self, process: subprocess.Popen[str] | Forked) -> None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        finally:
            process.wait(STOP_S)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
