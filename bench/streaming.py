"""What streaming costs: a run of 40,000 epochs through the server, over the tutorial's loop alone.

    python -m bench.streaming [--epochs 40000] [--rounds 5] [--watchers 1000]

The streamed run goes through everything: POST, worker process, database, one client that follows it over HTTP with
`?batch=50` and receives every epoch. It is measured from the POST to the `end` event. Then the same with many clients,
from when all of them are there to when the run has ended, and to when the last of them has the end. All take turns.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path

import httpx

from app.trees.tutorial import NAME, SOURCE
from bench.measure import Measure, table
from bench.subscribers import Subscribers, allow_sockets
from tests.live import LiveServer

POLL_S = 0.002

LOOP = """
import sys, time
import torch
import torch.nn as nn
import torch.optim as optim

torch.set_num_threads(1)

class LinearModel(nn.Module):
    def __init__(self):
        super(LinearModel, self).__init__()
        self.weight = nn.Parameter(torch.rand(1))
        self.bias = nn.Parameter(torch.rand(1))

    def forward(self,x):
        return x * self.weight + self.bias

def train(EPOCH):
    x = torch.arange(10).float().view(-1,1)
    y = 2*x + 1
    linear_model = LinearModel()
    optimizer = optim.SGD(linear_model.parameters(), lr=0.01)
    criterion = nn.MSELoss()
    losses = []
    for epoch in range(EPOCH):
        pred = linear_model(x)
        loss = criterion(pred,y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

train(100)
for line in sys.stdin:
    began = time.perf_counter()
    train(int(line))
    print(time.perf_counter() - began, flush=True)
"""


class BareLoop:
    """The tutorial's loop in a warm process of its own, on one thread as a worker is; or another program like it."""

    def __init__(self, program: str = LOOP, cwd: str | None = None, env: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=cwd, env=env
        )

    def seconds(self, epochs: int) -> float:
        """Return how long the loop takes."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(epochs, file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def streamed_seconds(client: httpx.Client, tree: str, epochs: int) -> float:
    """Return how long a run takes from its POST to the end of its stream, whose epochs are counted."""
    received = 0
    began = time.perf_counter()
    run = client.post(f"/api/trees/{tree}/runs", json={"epochs": epochs}).raise_for_status().json()["id"]
    with client.stream("GET", f"/api/runs/{run}/events", params={"batch": 50}) as stream:
        for line in stream.iter_lines():
            if line.startswith('data: {"epoch":['):
                received += len(json.loads(line[6:])["loss"])
    seconds = time.perf_counter() - began
    assert received == epochs, f"{received} of {epochs} epochs arrived"
    return seconds


def watched_seconds(server: LiveServer, tree: str, epochs: int, watchers: int) -> tuple[float, float]:
    """Return how long a run takes that so many streams watch, and until each of them has all its epochs and its end.

    The streams are there before, and the run has ended when it says so itself.
    """
    client = server.client
    run: str = client.post(f"/api/trees/{tree}/runs", json={"epochs": epochs}).raise_for_status().json()["id"]
    path = f"/api/runs/{run}"
    while client.get(path).json()["status"] == "queued":
        time.sleep(POLL_S)
    client.post(f"{path}/pause").raise_for_status()
    with closing(Subscribers(server.url, path, "?batch=50")) as subscribers:
        subscribers.join(watchers)
        done: int = client.get(path).json()["epochs_done"]
        began = time.time()
        client.post(f"{path}/resume").raise_for_status()
        while subscribers.num_over < watchers:
            subscribers.read(1)
        delivered = time.time()
        ended = datetime.fromisoformat(client.get(path).json()["ended_at"]).timestamp()
        # As if all of them had been trained while it was watched.
        share = epochs / (epochs - done)
        return (ended - began) * share, (delivered - began) * share


def measure(epochs: int = 40_000, rounds: int = 5, watchers: int = 1_000) -> list[Measure]:
    """Return the cost of a streamed run, watched by one and by many."""
    allow_sockets()
    bare, streamed, watched, delivered = [], [], [], []
    loop = BareLoop()
    with tempfile.TemporaryDirectory() as folder, LiveServer(Path(folder)) as server:
        tree = server.client.post("/api/trees", json={"name": NAME, "source": SOURCE}).raise_for_status().json()["id"]
        streamed_seconds(server.client, tree, 1000)
        loop.seconds(1000)
        for _ in range(rounds):
            bare.append(loop.seconds(epochs))
            streamed.append(streamed_seconds(server.client, tree, epochs))
            its_own, until_all_have_it = watched_seconds(server, tree, epochs, watchers)
            watched.append(its_own)
            delivered.append(until_all_have_it)
    loop.close()
    alone = "the tutorial's loop alone"
    return [
        Measure(f"streamed run of {epochs:,} epochs", alone, streamed, bare, aim=1.02),
        Measure(f"watched by {watchers:,}", alone, watched, bare, aim=1.02),
        Measure("until the last of them has its end", alone, delivered, bare, aim=1.02),
    ]


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--watchers", type=int, default=1_000)
    asked = parser.parse_args()
    print(table(measure(asked.epochs, asked.rounds, asked.watchers)))


if __name__ == "__main__":
    main()
