"""`python -m app` with arguments, run to its end."""

import os
import subprocess
import sys
from pathlib import Path

from tests.live import ROOT


def moduletree(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """What `python -m app` does with these arguments, when it ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def refused(*arguments: str, cwd: Path = ROOT) -> str:
    """The one line that a command says to arguments that it refuses."""
    done = moduletree(*arguments, cwd=cwd)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith("moduletree: ")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.removeprefix("moduletree: ")
