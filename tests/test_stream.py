"""The stream of the running server: every event once, in order, whoever comes late, slow, again or after a crash."""

import os
import re
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.client import TUTORIAL, TreeClient, refused
from tests.event_source import Following, events_of, follow
from tests.live import LiveServer
from tests.training.chunks import Event
from tests.training.tutorial_run import LOSSES


def start(server: LiveServer, **body: Any) -> str:
    """A run of the tutorial's tree; its id."""
    tree = TreeClient.linear(server.client, TUTORIAL)
    answer = tree.post("runs", **body)
    assert answer.status_code == 202, answer.text
    run: str = answer.json()["id"]
    return run


def is_gapless(events: list[Event], first: int = 1) -> bool:
    return [int(event.id) for event in events] == list(range(first, first + len(events)))


def losses(events: list[Event]) -> list[float | None]:
    """The losses in the events, single or in batches, after a look that no epoch is missing or there twice."""
    found: list[float | None] = []
    for event in events:
        if event.event == "epoch":
            assert event.data["epoch"] == len(found)
            found.append(event.data["loss"])
        if event.event == "epochs":
            first, last = event.data["epoch"]
            assert (first, last - first + 1) == (len(found), len(event.data["loss"]))
            found += event.data["loss"]
    return found


def num_streams(server: LiveServer) -> int:
    found = re.search(r"^moduletree_streams (\d+)", server.client.get("/metrics").text, re.MULTILINE)
    assert found is not None
    return int(found[1])


def await_streams(server: LiveServer, number: int) -> None:
    """Returns when so many streams are open."""
    pause = threading.Event()
    for _ in range(500):
        if num_streams(server) == number:
            return
        pause.wait(0.01)
    raise AssertionError(f"{num_streams(server)} streams are open, not {number}")


def test_the_tutorials_run_as_it_happens(server: LiveServer) -> None:
    events = events_of(server, start(server))
    assert is_gapless(events)
    assert losses(events) == pytest.approx(LOSSES, rel=1e-5)
    assert [event.event for event in events[:2] + events[-2:]] == ["status", "status", "status", "end"]
    assert [event.data["status"] for event in events if event.event != "epoch"] == [
        "queued",
        "running",
        "succeeded",
        "succeeded",
    ]


def test_the_end_is_the_run_as_it_is_answered(server: LiveServer) -> None:
    run = start(server)
    assert events_of(server, run)[-1].data == server.client.get(f"/api/runs/{run}").json()


def test_epochs_show_the_line_as_it_moves(server: LiveServer) -> None:
    epochs = [event.data for event in events_of(server, start(server)) if event.event == "epoch"]
    assert epochs[0]["slope"] == 0.9385080337524414
    assert epochs[0]["intercept"] == 0.5002855658531189
    assert abs(epochs[-1]["slope"] - 2) < abs(epochs[0]["slope"] - 2)


def test_headers_keep_caches_and_proxies_away(server: LiveServer) -> None:
    with follow(server, f"/api/runs/{start(server)}/events") as source:
        headers = source.response.headers
    assert headers["content-type"].startswith("text/event-stream")
    assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-store", "no")
    assert "content-encoding" not in headers
    assert "content-length" not in headers


def test_who_comes_late_gets_all_from_the_start(server: LiveServer) -> None:
    run = start(server, epochs=3000)
    early = events_of(server, run)
    assert events_of(server, run) == early
    assert is_gapless(early)
    assert len(losses(early)) == 3000


def test_many_who_come_in_mid_run_all_get_the_same(server: LiveServer) -> None:
    run = start(server, epochs=8000)
    followers = []
    with follow(server, f"/api/runs/{run}/events", batch=20) as source:
        for place, _ in enumerate(source):
            if place < 8:
                followers.append(Following(server, run))
    for follower in followers:
        follower.join(30)
    first, *others = [follower.events for follower in followers]
    assert len(others) > 3
    assert is_gapless(first)
    assert all(events == first for events in others)
    assert len(losses(first)) == 8000


@pytest.mark.parametrize("how", ["header", "query", "header before query"])
def test_a_reconnect_gets_what_came_after_and_nothing_twice(server: LiveServer, how: str) -> None:
    run = start(server, epochs=50)
    events = events_of(server, run)
    match how:
        case "header":
            rest = events_of(server, run, "20")
        case "query":
            rest = events_of(server, run, after=20)
        case _:
            rest = events_of(server, run, "20", after=5)
    assert rest == events[20:]


@pytest.mark.parametrize("event_id", ["no number", "-3", "9" * 40, "1.5", "٣"])
def test_a_strange_last_event_id_is_no_error(server: LiveServer, event_id: str) -> None:
    run = start(server)
    whole = events_of(server, run)
    headers = {b"last-event-id": event_id.encode()}
    assert server.client.get(f"/api/runs/{run}/events", headers=headers).status_code == 200
    assert events_of(server, run, after=3) == whole[3:]


def test_a_reconnect_in_mid_run_gets_the_rest(server: LiveServer) -> None:
    run = start(server, epochs=8000)
    with follow(server, f"/api/runs/{run}/events") as source:
        first = source.until("epoch", epoch=1000)
    rest = events_of(server, run, first[-1].id)
    assert is_gapless(first + rest)
    assert len(losses(first + rest)) == 8000


def test_who_has_had_the_end_gets_a_204(server: LiveServer) -> None:
    run = start(server)
    last = events_of(server, run)[-1].id
    for query, headers in (({"after": last}, {}), ({}, {"last-event-id": last}), ({"after": 10**9}, {})):
        answer = server.client.get(f"/api/runs/{run}/events", params=query, headers=headers)
        assert (answer.status_code, answer.content) == (204, b"")


def test_a_batch_has_the_same_losses_in_fewer_events(server: LiveServer) -> None:
    run = start(server, epochs=5000)
    batched = events_of(server, run, batch=50)
    single = events_of(server, run)
    assert losses(batched) == losses(single)
    assert len(batched) < len(single) / 20
    by_id = {event.id: event for event in single}
    for event in batched:
        told = by_id[event.id].data
        if event.event == "epochs":
            assert (event.data["epoch"][1], event.data["loss"][-1]) == (told["epoch"], told["loss"])
            assert (event.data["slope"], event.data["at"]) == (told["slope"], told["at"])
        else:
            assert event == by_id[event.id]


def test_losses_that_are_not_finite_come_with_their_place_in_a_batch(server: LiveServer) -> None:
    run = start(server, lr=1e30, epochs=20)
    events_of(server, run)
    (batch,) = [event.data for event in events_of(server, run, batch=50) if event.event == "epochs"]
    assert batch["loss"][1:] == [None] * 19
    assert batch["nonfinite"] == [[1, 1, "inf"], [2, 19, "nan"]]


def test_statistics_of_modules_can_be_left_out(server: LiveServer) -> None:
    run, other = start(server, epochs=20, module_stats_every=2), start(server)
    whole = events_of(server, run)
    without = [event for event in whole if event.event != "modules"]
    assert (is_gapless(whole), len(whole) - len(without)) == (True, 10)
    assert events_of(server, run, modules=False) == without
    assert events_of(server, run, without[7].id, modules=False) == without[8:]
    with follow(server, "/api/events", run=[run, other], modules=False) as source:
        own = [event for event in source if event.data["run"] == run]
    assert [event.data for event in own] == [{"run": run, **event.data} for event in without]


@pytest.mark.parametrize("batch", [0, 50])
def test_two_runs_in_one_stream(server: LiveServer, batch: int) -> None:
    runs = [start(server, epochs=300), start(server, epochs=200)]
    with follow(server, "/api/events", run=runs, batch=batch) as source:
        events = list(source)
    for run in runs:
        own = [event for event in events if event.data.get("run") == run]
        alone = events_of(server, run)
        assert losses(own) == losses(alone)
        assert own[-1].event == "end"
        assert own[-1].data == {"run": run, **alone[-1].data}
    assert {event.data["run"] for event in events} == set(runs)


def test_a_stream_over_two_runs_resumes_both(server: LiveServer) -> None:
    runs = [start(server, epochs=300), start(server, epochs=200)]
    path = "/api/events"
    with follow(server, path, run=runs) as source:
        events = list(source)
    for cut in (0, 7, len(events) // 2, len(events) - 2):
        with follow(server, path, events[cut].id, run=runs) as source:
            rest = list(source)
        for run in runs:
            expected = [event.data for event in events[cut + 1 :] if event.data["run"] == run]
            assert [event.data for event in rest if event.data["run"] == run] == expected
    again = {"run": runs, "after": events[-1].id}
    assert server.client.get(path, params=again).status_code == 204


def test_an_id_of_a_stream_over_other_runs_starts_from_the_start(server: LiveServer) -> None:
    first, second = start(server), start(server)
    for run in (first, second):
        events_of(server, run)
    with follow(server, "/api/events", run=[first, second]) as source:
        last = list(source)[-1].id
    with follow(server, "/api/events", last, run=[second, first]) as source:
        assert len(list(source)) == 28


@pytest.mark.parametrize("query", [{}, {"run": ["r_none"]}, {"run": ["r_none"] * 33}])
def test_a_stream_over_nothing_is_refused_before_it_begins(server: LiveServer, query: dict[str, Any]) -> None:
    answer = server.client.get("/api/events", params=query)
    refused(answer, 404 if query.get("run") == ["r_none"] else 422)


@pytest.mark.parametrize("query", [{"batch": -1}, {"batch": 10_001}, {"after": -1}, {"after": "x"}])
def test_a_query_that_does_not_fit_is_refused(server: LiveServer, query: dict[str, Any]) -> None:
    refused(server.client.get(f"/api/runs/{start(server)}/events", params=query), 422)


def test_a_head_has_the_headers_and_no_stream(server: LiveServer) -> None:
    run = start(server)
    answer = server.client.head(f"/api/runs/{run}/events")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_a_client_that_leaves_is_noticed_while_nothing_happens(server: LiveServer) -> None:
    run = start(server, epochs=10_000_000)
    before = num_streams(server)
    with follow(server, f"/api/runs/{run}/events") as source:
        source.until("epoch")
        server.client.post(f"/api/runs/{run}/pause")
        source.until("status", status="paused")
        assert num_streams(server) == before + 1
    await_streams(server, before)
    server.client.post(f"/api/runs/{run}/cancel")


def test_a_reader_that_does_not_read_holds_up_nobody(server: LiveServer) -> None:
    run = start(server, epochs=30_000)
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as stuck:
        stuck.sendall(f"GET /api/runs/{run}/events HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        events = events_of(server, run, batch=20)
        assert len(losses(events)) == 30_000
        stuck.settimeout(30)
        received = b""
        while b"event: end" not in received[-4000:]:
            piece = stuck.recv(1 << 20)
            assert piece
            received += piece
    epochs = [int(number) for number in re.findall(rb'data: {"epoch":(\d+),', _unchunked(received))]
    assert epochs == list(range(30_000))


def _unchunked(received: bytes) -> bytes:
    body = received.partition(b"\r\n\r\n")[2]
    pieces = []
    while body:
        size, _, body = body.partition(b"\r\n")
        if not size:
            break
        pieces.append(body[: int(size, 16)])
        body = body[int(size, 16) + 2 :]
    return b"".join(pieces)


def test_deleting_a_run_ends_its_streams(server: LiveServer) -> None:
    run, other = start(server), start(server, epochs=10_000_000)
    events_of(server, run)
    with follow(server, "/api/events", run=[run, other]) as source:
        source.until("end")
        source.until("epoch", run=other)
        assert server.client.delete(f"/api/runs/{run}").status_code == 204
        server.client.post(f"/api/runs/{other}/cancel")
        source.until("end", run=other)
        assert list(source) == []


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[LiveServer]:
    """A server that a test may stop and kill."""
    with LiveServer(tmp_path / "data") as live:
        yield live
        assert "Traceback" not in live.output, live.output


def test_a_server_that_stops_ends_its_streams_and_the_next_one_has_the_whole_history(own_server: LiveServer) -> None:
    over = start(own_server)
    history = events_of(own_server, over)
    run = start(own_server, epochs=10_000_000)
    with follow(own_server, f"/api/runs/{run}/events") as source:
        events = source.until("epoch", epoch=500)
        own_server.process.send_signal(signal.SIGTERM)
        events += list(source)
    assert own_server.process.wait(5) == 0
    own_server.start()

    assert events_of(own_server, over) == history
    rest = events_of(own_server, run, events[-1].id)
    assert is_gapless(events + rest)
    assert [event.event for event in rest[-2:]] == ["status", "end"]
    end = rest[-1].data
    assert end["status"] == "interrupted"
    assert end["error"] == f"the server stopped at epoch {end['epochs_done']}"
    assert len(losses(events + rest)) == end["epochs_done"]


@pytest.mark.parametrize("checkpoint_every", [0, 300])
def test_after_a_crash_a_run_resumes_and_its_reader_misses_nothing(
    own_server: LiveServer, checkpoint_every: int
) -> None:
    config: dict[str, Any] = {"epochs": 8000, "optimizer": "Adam", "checkpoint_every": checkpoint_every}
    run = start(own_server, **config)
    with follow(own_server, f"/api/runs/{run}/events") as source:
        events = source.until("epoch", epoch=1000)
        own_server.kill()
    own_server.start()
    events += events_of(own_server, run, events[-1].id)
    assert events.pop().event == "end"
    assert events[-1].data["status"] == "interrupted"

    answer = own_server.client.post(f"/api/runs/{run}/resume")
    assert answer.status_code == 200, answer.text
    rest = events_of(own_server, run, str(int(events[-1].id) + 1))
    assert is_gapless(rest, int(events[-1].id) + 2)
    assert rest[-1].data["status"] == "succeeded"
    whole = losses(events + rest)
    assert len(whole) == 8000
    everything = events_of(own_server, run)
    assert is_gapless(everything)
    assert [event.event for event in everything].count("end") == 1
    # Each as it changes, and what was the end before the run went on.
    statuses = [event.data["status"] for event in everything if event.event == "status"]
    assert statuses == ["queued", "running", "interrupted", "interrupted", "queued", "running", "succeeded"]
    assert whole == losses(everything) == losses(events_of(own_server, start(own_server, **config)))


def test_a_crashed_worker_interrupts_its_run_and_the_next_run_works(own_server: LiveServer) -> None:
    run = start(own_server, epochs=10_000_000)
    with follow(own_server, f"/api/runs/{run}/events") as source:
        events = source.until("epoch")
        for worker in children(own_server.process.pid):
            os.kill(worker, signal.SIGKILL)
        events += source.until("end")
    end = events[-1].data
    assert is_gapless(events)
    assert end["status"] == "interrupted"
    assert end["error"] == f"the worker process ended with signal 9 (SIGKILL) at epoch {end['epochs_done']}"
    assert losses(events_of(own_server, start(own_server))) == pytest.approx(LOSSES, rel=1e-5)
    assert "moduletree_worker_restarts_total 1.0" in own_server.client.get("/metrics").text


def test_workers_are_gone_when_their_server_was_killed(own_server: LiveServer) -> None:
    run = start(own_server, epochs=10_000_000)
    with follow(own_server, f"/api/runs/{run}/events") as source:
        source.until("epoch")
        workers = children(own_server.process.pid)
        own_server.kill()
    assert workers
    pause = threading.Event()
    for _ in range(500):
        if not any(_is_alive(worker) for worker in workers):
            return
        pause.wait(0.01)
    raise AssertionError(f"the workers {workers} outlived their server")


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_httpx_is_told_of_the_end_by_the_server(server: LiveServer) -> None:
    run = start(server)
    events_of(server, run)
    with httpx.Client(base_url=server.url, timeout=5, trust_env=False) as client:
        body = client.get(f"/api/runs/{run}/events").content
    assert body.startswith(b"retry: 1000\n\n")
    assert body.endswith(b"\n\n")
