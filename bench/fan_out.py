"""How many can watch one run: 1,000 and 5,000 streams of 100 epochs a second, from an epoch's `at` to its receipt.

    python -m bench.fan_out [--subscribers 1000 5000] [--seconds 6] [--rounds 3]

The server is a process of its own; all subscribers are sockets of this one, on the same clock. The epochs come at an
even pace (`bench.paced`), so that no training takes part in it. Beside the delays: the server's processor time for a
delivered event, and its memory for a subscriber. A gap in any stream fails.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.trees.tutorial import NAME, SOURCE
from bench.measure import Measure, table
from bench.subscribers import Subscribers, allow_sockets
from tests.live import LiveServer

PACE = 100
AIMS_S = {1_000: 0.05, 5_000: 0.3}
AIM_BYTES = 12_000
WARM = 200
SETTLE_S = 1.0
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class FanOut:
    """What so many subscribers cost: their delays, and the server's time and memory for one delivery and for one."""

    num_subscribers: int
    p50_s: float
    p99_s: float
    num_delivered: int
    share: float
    cpu_s: float
    bytes_each: int

    def __str__(self) -> str:
        return (
            f"{self.num_subscribers:6,} subscribers: p50 {self.p50_s * 1e3:6.1f} ms, p99 {self.p99_s * 1e3:6.1f} ms, "
            f"{self.share:6.1%} of {PACE} epochs a second delivered, "
            f"{self.cpu_s / self.num_delivered * 1e6:5.2f} us and {self.bytes_each / 1e3:5.1f} kB each"
        )


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def resident(pid: int) -> int:
    """Return the bytes of memory that a process has."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def fan_out(num_subscribers: int, seconds: float) -> FanOut:
    """Return what it costs to let so many watch a run, from a server of its own."""
    allow_sockets()
    command = (sys.executable, "-m", "bench.paced")
    with (
        tempfile.TemporaryDirectory() as folder,
        LiveServer(Path(folder), command=command, environment={"MODULETREE_BENCH_PACE": str(PACE)}) as server,
    ):
        # What the first run and the first streams make the server import and open is not theirs.
        with closing(_watching(server, 10)) as first:
            _begin(server, first)
        with closing(_watching(server, WARM)) as subscribers:
            before = resident(server.process.pid)
            subscribers.join(num_subscribers - WARM)
            _begin(server, subscribers)
            return _watched(subscribers, server.process.pid, seconds, before)


def _watching(server: LiveServer, count: int) -> Subscribers:
    tree = server.client.post("/api/trees", json={"name": NAME, "source": SOURCE}).raise_for_status().json()["id"]
    body = {"epochs": 10_000_000}
    run = server.client.post(f"/api/trees/{tree}/runs", json=body).raise_for_status().json()["id"]
    subscribers = Subscribers(server.url, f"/api/runs/{run}")
    subscribers.join(count)
    return subscribers


def _begin(server: LiveServer, subscribers: Subscribers) -> None:
    server.client.post(f"{subscribers.run}/pause").raise_for_status()
    subscribers.read(SETTLE_S)


def _watched(subscribers: Subscribers, pid: int, seconds: float, before: int) -> FanOut:
    number, cpu_before, began = len(subscribers), cpu_seconds(pid), time.monotonic()
    watched = subscribers.read(seconds)
    took, cpu_s = time.monotonic() - began, cpu_seconds(pid) - cpu_before
    p50, p99 = np.percentile(watched.delays(), (50, 99)).tolist()
    share = watched.num_events / (number * PACE * took)
    grown = round((resident(pid) - before) / (number - WARM))
    return FanOut(number, p50, p99, watched.num_events, share, cpu_s, grown)


def measured(results: Sequence[FanOut]) -> Measure:
    """Return the delays of the slowest hundredth as a line of the table, over what is aimed at."""
    number = results[0].num_subscribers
    aim_s = AIMS_S.get(number, 0.05)
    return Measure(
        f"99 % to {number:,} subscribers",
        "the longest allowed",
        [each.p99_s for each in results],
        [aim_s] * len(results),
        aim=1,
        our_bytes=round(statistics.median(each.bytes_each for each in results)),
        their_bytes=AIM_BYTES,
    )


def measure(seconds: float = 6, rounds: int = 1) -> list[Measure]:
    """Return the delays with many subscribers; the bytes are the server's memory for one of them."""
    return [measured([fan_out(number, seconds) for _ in range(rounds)]) for number in AIMS_S]


def main() -> None:
    """Print a line a round, and one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subscribers", type=int, nargs="+", default=list(AIMS_S))
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=1)
    asked = parser.parse_args()
    measures = []
    for number in asked.subscribers:
        results = []
        for _ in range(asked.rounds):
            results.append(fan_out(number, asked.seconds))
            print(results[-1], flush=True)
        measures.append(measured(results))
    print(table(measures))


if __name__ == "__main__":
    main()
