"""Processes killed at any moment: a client that follows all the time gets every event once, to the same bits."""

import json
import os
import random
import signal
import threading
from pathlib import Path
from typing import Any

import httpx

from tests.event_source import events_of
from tests.live import LiveServer
from tests.test_stream import children, losses, start

KILLS = {"server": 16, "both": 12, "worker": 22}
WITHIN_S = 30.0
# Slow enough that fifty lives are a few thousand epochs, with the state of an optimizer and of a generator to keep.
CONFIG: dict[str, Any] = {
    "epochs": 1_000_000,
    "optimizer": "Adam",
    "lr": 0.001,
    "seed": 5,
    "batch_size": 50,
    "checkpoint_every": 25,
    "data": {"kind": "line", "slope": 2, "intercept": 1, "count": 400, "noise": 0.5, "noise_seed": 1},
}


class Client(threading.Thread):
    """Follows a run, with the id of its last event whenever it connects again; `losses` are those of its epochs."""

    def __init__(self, server: LiveServer, run: str) -> None:
        super().__init__(daemon=True)
        self.losses: list[float] = []
        self.statuses: list[dict[str, Any]] = []
        self.wrong = ""
        self._server = server
        self._run_id = run
        self._last = 0
        self._is_done = False
        self._news = threading.Condition()
        self.start()

    def run(self) -> None:
        while not (self._is_done or self.wrong):
            try:
                self._follow()
            except httpx.TransportError:
                self._pause()

    def _follow(self) -> None:
        headers = {"last-event-id": str(self._last)}
        url = f"{self._server.url}/api/runs/{self._run_id}/events"
        with httpx.stream("GET", url, headers=headers, trust_env=False, timeout=5, verify=False) as response:
            if response.status_code == 204:
                self._pause()
                return
            fields: dict[str, str] = {}
            for line in response.iter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif "data" in fields:
                    self._take(int(fields["id"]), fields["event"], json.loads(fields["data"]))
                    fields = {}

    def _take(self, number: int, kind: str, data: dict[str, Any]) -> None:
        with self._news:
            if number != self._last + 1:
                self.wrong = f"event {number} came after {self._last}"
            self._last = number
            if kind == "epoch":
                if data["epoch"] != len(self.losses):
                    self.wrong = f"epoch {data['epoch']} came after {len(self.losses)} epochs"
                self.losses.append(data["loss"])
            elif kind == "status":
                self.statuses.append(data)
            self._is_done = kind == "end" and data["status"] == "cancelled"
            self._news.notify()

    def _pause(self) -> None:
        with self._news:
            self._news.wait(0.005)

    def until(self, count: int) -> None:
        """Return when so many epochs came."""
        with self._news:
            assert self._news.wait_for(lambda: self.wrong or len(self.losses) >= count, WITHIN_S), self.statuses[-5:]
        assert not self.wrong, self.wrong

    def finish(self) -> None:
        self.join(WITHIN_S)
        assert not self.wrong, self.wrong


def test_fifty_kills_lose_no_event_and_change_no_bit(tmp_path: Path) -> None:
    chance = random.Random(20261123)
    kinds = [kind for kind, count in KILLS.items() for _ in range(count)]
    chance.shuffle(kinds)
    with LiveServer(tmp_path / "data", "--resume-interrupted") as server:
        run = start(server, **CONFIG)
        client = Client(server, run)
        moment = threading.Event()
        for kind in kinds:
            # As it begins, soon after its first epochs, or around a checkpoint.
            client.until(len(client.losses) + chance.choice([0, 1, 30]))
            moment.wait(chance.uniform(0, 0.03))
            kill(server, kind)
            if kind == "worker":
                resume(server, run)
            else:
                server.start()
        client.until(len(client.losses) + 50)
        server.client.post(f"/api/runs/{run}/cancel").raise_for_status()
        client.finish()
        tree = server.client.get(f"/api/runs/{run}").json()["tree"]
        config = CONFIG | {"epochs": len(client.losses)}
        again = server.client.post(f"/api/trees/{tree}/runs", json=config).raise_for_status().json()["id"]
        assert client.losses == losses(events_of(server, again, batch=1000))
        assert "Traceback" not in server.output, server.output
    assert [data["status"] for data in client.statuses].count("interrupted") >= len(kinds)


def kill(server: LiveServer, kind: str) -> None:
    """SIGKILL to the server, to its workers, or to the whole group at once."""
    if kind == "both":
        os.killpg(server.process.pid, signal.SIGKILL)
    elif kind == "server":
        server.kill()
    for worker in children(server.process.pid) if kind == "worker" else ():
        os.kill(worker, signal.SIGKILL)
    if kind != "worker":
        server.process.wait(WITHIN_S)


def resume(server: LiveServer, run: str) -> None:
    """Resume a run as soon as the server knows that it was interrupted; one that had not begun begins by itself."""
    pause = threading.Event()
    for _ in range(3000):
        answer = server.client.post(f"/api/runs/{run}/resume")
        if answer.is_success or server.client.get(f"/api/runs/{run}").json()["status"] == "queued":
            return
        assert answer.status_code == 409, answer.text
        pause.wait(0.01)
    raise AssertionError(answer.text)
