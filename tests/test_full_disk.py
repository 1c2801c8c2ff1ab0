"""A disk that is full while a run trains: the run is held, the server lives, and nothing is lost when there is room."""

import threading
from pathlib import Path

from tests.api.client import refused
from tests.event_source import Following, follow
from tests.live import LiveServer
from tests.small_disk import SmallDisk
from tests.test_stream import losses, start

FEW_MB = 8 << 20
HELD = "Runs wait until it can be; nothing of them is lost meanwhile."


def await_told(server: LiveServer, line: str) -> None:
    """Return when the server has logged a line."""
    pause = threading.Event()
    for _ in range(1500):
        if line in server.output:
            return
        pause.wait(0.01)
    raise AssertionError(server.output)


def test_a_run_is_held_while_the_disk_is_full_and_no_epoch_is_lost(tmp_path: Path) -> None:
    disk = SmallDisk(tmp_path / "data", FEW_MB)
    with LiveServer(disk.folder, before=disk) as server:
        run = start(server, epochs=10_000_000, optimizer="Adam", checkpoint_every=1000)
        follower = Following(server, run, batch=50)
        with follow(server, f"/api/runs/{run}/events") as source:
            source.until("epoch")
        disk.fill(server)
        await_told(server, HELD)
        held = server.client.get(f"/api/runs/{run}").json()
        assert held["status"] == "running"
        # It answers all that it is asked, and says what it cannot do.
        assert server.client.get("/readyz").is_success
        tree = server.client.post("/api/trees", json={"source": {"kind": "linear", "root": {}}})
        assert "cannot be written" in refused(tree, 503)
        assert server.client.get(f"/api/runs/{run}").json() == held

        disk.free(server)
        with follow(server, f"/api/runs/{run}/events", after=held["epochs_done"]) as source:
            source.until("epoch", epoch=held["epochs_done"] + 2000)
        ended = server.client.post(f"/api/runs/{run}/cancel").json()
        follower.join(30)
        assert (ended["status"], ended["epochs_done"]) == ("cancelled", len(losses(follower.events)))
        assert "Traceback" not in server.output, server.output
