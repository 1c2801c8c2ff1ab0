"""What a process of ours that works for the server sees of the server's environment: no token, no database."""

import os
from pathlib import Path

KEPT = ("PATH", "PYTHONPATH", "VIRTUAL_ENV", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "HOME")
# Read by the libraries when they are imported, so that it is there before.
QUIET = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "TRANSFORMERS_VERBOSITY": "error"}


def environment() -> dict[str, str]:
    """Return the environment of such a process, in which it imports the same `app` from wherever this one was started.

    The process adds the present folder itself, last.
    """
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    folders = [str(Path(__file__).parents[3]), kept.get("PYTHONPATH", "")]
    path = os.pathsep.join(filter(None, folders))
    return {**kept, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", **QUIET}
