"""How soon a run shows: from its POST to its first epoch in a client that follows it, over an answer of `/healthz`.

python -m bench.first_epoch [--rounds 20]
"""

import argparse
import tempfile
import time
from pathlib import Path

import httpx

from app.trees.tutorial import NAME, SOURCE
from bench.measure import Measure, seconds, table
from tests.live import LiveServer


def first_epoch_seconds(client: httpx.Client, tree: str) -> float:
    """Return the seconds from the POST of a run to its first epoch."""
    began = time.perf_counter()
    run = client.post(f"/api/trees/{tree}/runs").raise_for_status().json()["id"]
    with client.stream("GET", f"/api/runs/{run}/events") as stream:
        lines = stream.iter_lines()
        next(line for line in lines if line == "event: epoch")
        took = time.perf_counter() - began
        for _ in lines:
            pass
    return took


def measure(rounds: int = 20) -> list[Measure]:
    """Return the time to the first epoch."""
    with tempfile.TemporaryDirectory() as folder, LiveServer(Path(folder)) as server:
        tree = server.client.post("/api/trees", json={"name": NAME, "source": SOURCE}).raise_for_status().json()["id"]
        first_epoch_seconds(server.client, tree)
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(first_epoch_seconds(server.client, tree))
            theirs.append(seconds(lambda: server.client.get("/healthz").raise_for_status()))
    return [Measure("POST of a run to its first epoch", "an answer of /healthz", ours, theirs)]


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    print(table(measure(parser.parse_args().rounds)))


if __name__ == "__main__":
    main()
