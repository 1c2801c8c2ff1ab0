"""What a search costs: the API's answer on a large tree, over a request that does nothing.

    python -m bench.search [--branching 10] [--depth 5] [--rounds 7]

Every query is asked for once only, so that no answer is one that was kept. Both sides take turns.
"""

import argparse
import statistics
import tempfile
from functools import partial
from pathlib import Path

import httpx

from bench.measure import Measure, seconds, table
from tests.live import LiveServer

# As somebody types them.
QUERIES = (
    "s",
    "su",
    "sub3",
    "sub3 w",
    "sub3 weight",
    "sub3.sub4",
    "class:lin",
    "numel>0",
    "sub7 numel<2",
    "leaf -sub1",
)


def ask(client: httpx.Client, path: str, q: str = "") -> None:
    """Ask for a path, and raise where it does not answer."""
    client.get(path, params={"q": q} if q else None).raise_for_status()


def measure(branching: int = 10, depth: int = 5, rounds: int = 7) -> list[Measure]:
    """Return the median of a search in each round."""
    nothing, searched = [], []
    source = {"kind": "grid", "branching": branching, "depth": depth, "seed": 0}
    with tempfile.TemporaryDirectory() as folder, LiveServer(Path(folder)) as server:
        client = server.client
        tree = client.post("/api/trees", json={"source": source}).raise_for_status().json()
        path = f"/api/trees/{tree['id']}/search"
        ask(client, path, "first")
        for spaces in range(rounds):
            calls = [partial(ask, client, path, q + " " * spaces) for q in QUERIES]
            nothing.append(statistics.median(seconds(partial(ask, client, "/healthz")) for _ in QUERIES))
            searched.append(statistics.median(seconds(call) for call in calls))
    return [Measure(f"search of {tree['num_modules']:,} modules", "a request that does nothing", searched, nothing)]


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--branching", type=int, default=10)
    parser.add_argument("--depth", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    print(table(measure(asked.branching, asked.depth, asked.rounds)))


if __name__ == "__main__":
    main()
