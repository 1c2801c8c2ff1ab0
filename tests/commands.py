"""`python -m app` with arguments, run to its end."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.forked import Forked
from tests.live import ROOT

LONGEST_S = 60


def moduletree(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """What `python -m app` does with these arguments, when it ends by itself."""
    process = Forked(arguments, cwd=cwd, env=os.environ | {"PYTHONPATH": str(ROOT), **environment}, has_stderr=True)
    assert process.stderr is not None
    with process.stdout, process.stderr, ThreadPoolExecutor() as pool:
        told = pool.submit(process.stderr.read)
        stdout = process.stdout.read()
        return subprocess.CompletedProcess(arguments, process.wait(LONGEST_S), stdout, told.result())


def refused(*arguments: str, cwd: Path = ROOT) -> str:
    """The one line that a command says to arguments that it refuses."""
    done = moduletree(*arguments, cwd=cwd)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith("moduletree: ")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.removeprefix("moduletree: ")
