"""Other processes, for what only they can show."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from tests.live import ROOT

WAIT_S = 60


@contextmanager
def running(program: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run a program in Python, gone at the end of the block whatever happens; it starts with its first printed line."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert line_of(process.stdout), "the program ended at its start"
        yield process
    finally:
        process.kill()
        process.communicate(timeout=WAIT_S)


def line_of(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline().strip()


def outcome_of(program: str, *arguments: object) -> str:
    """Return what a program prints."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=WAIT_S)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout
