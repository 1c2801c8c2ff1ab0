"""Places where runs are trained: no more than the server was given, however runs are paused and resumed."""

import threading
from pathlib import Path
from typing import Any

from tests.api.client import refused
from tests.event_source import events_of
from tests.live import LiveServer
from tests.test_stream import losses, start

LONG = 10_000_000


def get(server: LiveServer, run: str) -> dict[str, Any]:
    found: dict[str, Any] = server.client.get(f"/api/runs/{run}").raise_for_status().json()
    return found


def post(server: LiveServer, run: str, command: str) -> str:
    """The status that a command is answered with."""
    status: str = server.client.post(f"/api/runs/{run}/{command}").raise_for_status().json()["status"]
    return status


def await_more(server: LiveServer, run: str) -> None:
    """Return when the run has trained a while longer."""
    done, pause = get(server, run)["epochs_done"], threading.Event()
    for _ in range(1000):
        if get(server, run)["epochs_done"] > done + 500:
            return
        pause.wait(0.01)
    raise AssertionError(get(server, run))


def test_a_run_that_is_resumed_waits_for_a_place_and_goes_on_there(tmp_path: Path) -> None:
    options = {"MODULETREE_MAX_QUEUED_RUNS": "1"}
    with LiveServer(tmp_path / "data", "--workers-for-runs", "1", environment=options) as server:
        first = start(server, epochs=LONG)
        await_more(server, first)
        assert post(server, first, "pause") == "paused"
        second = start(server, epochs=LONG)
        await_more(server, second)

        assert post(server, first, "resume") == "queued"
        done = get(server, first)["epochs_done"]
        await_more(server, second)
        assert (get(server, first)["status"], get(server, first)["epochs_done"]) == ("queued", done)
        # It is one of those that wait, as any other.
        third = server.client.post(f"/api/trees/{get(server, first)['tree']}/runs")
        assert refused(third, 429)
        for command in ("pause", "resume"):
            assert "queued" in refused(server.client.post(f"/api/runs/{first}/{command}"), 409)

        # The place of the one goes to the other and back, and who is cancelled waits no more.
        assert post(server, second, "pause") == "paused"
        await_more(server, first)
        assert post(server, second, "resume") == "queued"
        assert post(server, second, "cancel") == "cancelled"
        assert (post(server, first, "pause"), post(server, first, "resume")) == ("paused", "running")
        await_more(server, first)
        assert post(server, first, "cancel") == "cancelled"

        for run, expected in (
            (first, "queued running paused queued running paused running cancelled"),
            (second, "queued running paused queued cancelled"),
        ):
            events = events_of(server, run, batch=1000)
            assert [event.data["status"] for event in events if event.event == "status"] == expected.split()
            assert len(losses(events)) == get(server, run)["epochs_done"]
        assert "Traceback" not in server.output, server.output
