"""How soon the first page is there: from the start of the server to the first answer of `/`, over `import torch`.

    python -m bench.first_page [--rounds 5]

The server is what `make run` starts on a set-up checkout, with an empty data directory. Both sides take turns.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable

import httpx

from bench.measure import Measure, seconds, table
from tests.live import ROOT, URL_LINE

STOP_S = 15


class Server:
    """`python -m app serve` on a port that the system chose, in a folder of its own; gone at the end of the block."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Callable[[], None]:
        return self._start_and_look

    def _start_and_look(self) -> None:
        command = [sys.executable, "-m", "app", "serve", "--port", "0", "--data-dir", self._folder.name]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if found := URL_LINE.search(line):
                httpx.get(f"{found[1]}/", trust_env=False).raise_for_status()
                return
        raise SystemExit("The server ended before it told its address.")

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.communicate(timeout=STOP_S)
        self._folder.cleanup()


def measure(rounds: int = 5) -> list[Measure]:
    """Return the time to the first page."""
    imports, pages = [], []
    for _ in range(rounds):
        imports.append(seconds(lambda: subprocess.run([sys.executable, "-c", "import torch"], check=True)))
        with Server() as start_and_look:
            pages.append(seconds(start_and_look))
    return [Measure("start to the first page", "python -c 'import torch'", pages, imports)]


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    print(table(measure(parser.parse_args().rounds)))


if __name__ == "__main__":
    main()
