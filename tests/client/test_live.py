"""Both clients against the running server."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load, save_file

from app.client import (
    AsyncClient,
    Client,
    Conflict,
    EndEvent,
    EpochEvent,
    EpochsEvent,
    Event,
    Invalid,
    ModulesEvent,
    NotFound,
    RevisionMismatch,
    StatusEvent,
    Unauthorized,
    Unreachable,
)
from tests.client.scripted import OPENING, bytewise, free_port, last_id, peer, sent
from tests.live import LiveServer

TUTORIAL: dict[str, Any] = {"kind": "linear", "seed": 0, "root": {"children": {"sub1": {"children": {"sub2_1": {}}}}}}
LONG = 10_000_000


@pytest.fixture(scope="module")
def client(server: LiveServer) -> Any:
    with Client(server.url, timeout=30) as client:
        yield client


def test_trees_are_opened_listed_renamed_and_deleted(client: Client, tmp_path: Path) -> None:
    tree = client.open_tree(TUTORIAL, "net")
    assert (tree.name, tree.num_parameters, tree.can.train) == ("net", 6, True)
    assert next(client.list_trees()) == tree
    assert client.rename_tree(tree, "other").name == client.get_tree(tree.id).name == "other"
    save_file({"fc.weight": torch.ones(2, 3)}, tmp_path / "some.safetensors")
    uploaded = client.upload_tree(tmp_path / "some.safetensors", name="file")
    assert (uploaded.name, uploaded.num_parameters, uploaded.can.train) == ("file", 6, False)
    client.delete_tree(uploaded)
    with pytest.raises(NotFound, match=f"no tree '{uploaded.id}'"):
        client.get_tree(uploaded)


def test_views_are_iterated_over_their_pages(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.client.trees.PAGE", 2)
    tree = client.open_tree(TUTORIAL)
    assert [module.name for module in client.named_modules(tree)] == ["", "sub1", "sub1.sub2_1"]
    assert [module.name for module in client.named_children(tree, "sub1")] == ["sub2_1"]
    names = [parameter.name for parameter in client.named_parameters(tree)]
    assert names == ["weight", "bias", "sub1.weight", "sub1.bias", "sub1.sub2_1.weight", "sub1.sub2_1.bias"]
    assert [each.name for each in client.named_parameters(tree, "sub1", recurse=False, q="bias")] == ["bias"]
    weight = client.get_parameter(tree, "sub1.weight", stats=True)
    assert weight.stats is not None
    assert load(client.state_dict(tree))["sub1.weight"].tolist() == weight.values == [weight.stats["max"]]
    assert client.get_submodule(tree, "sub1").num_modules == 2
    assert client.repr(tree, "sub1.sub2_1") == "LinearModel()"
    assert client.view(tree, "search", q="sub2_1")["num_modules"] == 1


def test_changes_are_the_methods_of_the_same_names(client: Client) -> None:
    tree = client.open_tree(TUTORIAL)
    changed = client.change(tree, "register_buffer", name="buf", value=[4], if_revision=1)
    assert (changed.revision, client.get_buffer(tree, "buf").values) == (2, [4])
    assert [buffer.path for buffer in client.named_buffers(tree)] == ["buf"]
    with pytest.raises(RevisionMismatch) as caught:
        client.change(tree, "undo", if_revision=1)
    assert caught.value.revision == 2
    assert client.change(tree, "undo").num_buffers == 0
    root = client.get_parameter(tree, "weight").values[0], client.get_parameter(tree, "bias").values[0]
    assert client.forward(tree, [[10.0]])[0][0] == pytest.approx(10 * root[0] + root[1])


def test_a_refusal_keeps_what_the_server_said(client: Client) -> None:
    tree = client.open_tree(TUTORIAL)
    with pytest.raises(NotFound, match=r"^LinearModel has no attribute `height`$") as missing:
        client.get_parameter(tree, "height")
    assert (missing.value.status, missing.value.target) == (404, "height")
    with pytest.raises(Invalid) as misfit:
        client.start_run(tree, epochs=0)
    assert (misfit.value.status, misfit.value.errors[0].loc) == (422, ("body", "epochs"))
    with pytest.raises(Conflict):
        client.cancel_run(_done(client, tree.id))


def _done(client: Client, tree: str) -> str:
    run = client.start_run(tree, epochs=3)
    assert [type(event) for event in client.events(run)][-1] is EndEvent
    return run.id


def test_a_run_is_followed_steered_and_forgotten(client: Client) -> None:
    tree = client.open_tree(TUTORIAL)
    run = client.start_run(tree, epochs=LONG)
    events = client.events(run, batch=20)
    assert isinstance(next(event for event in events if isinstance(event, EpochsEvent)), EpochsEvent)
    client.pause_run(run)
    assert next(event.status for event in events if isinstance(event, StatusEvent)) == "paused"
    client.resume_run(run)
    client.cancel_run(run)
    *_, end = events
    assert isinstance(end, EndEvent)
    assert (end.run.status, end.run.is_over, client.get_run(run)) == ("cancelled", True, end.run)
    done = _done(client, tree.id)
    first = next(client.epochs(run))
    assert (first.epoch, end.run.epochs_done) == (0, sum(1 for _ in client.epochs(run)))
    assert client.apply_run(done).num_applied == 6
    assert [each.id for each in client.list_runs(tree)] == [done, run.id]
    client.delete_run(run)
    assert [each.id for each in client.list_runs(tree)] == [done]


def test_the_other_client_is_the_same_but_awaited(server: LiveServer) -> None:
    async def train() -> None:
        async with AsyncClient(server.url) as client:
            tree = await client.open_tree(TUTORIAL, "awaited")
            assert [module.name async for module in client.named_modules(tree)] == ["", "sub1", "sub1.sub2_1"]
            with pytest.raises(NotFound, match=r"has no attribute `height`"):
                await client.get_parameter(tree, "height")
            run = await client.start_run(tree, epochs=LONG)
            async with aclosing(client.events(run, batch=20)) as events:
                async for event in events:
                    if isinstance(event, EpochsEvent):
                        break
            assert (await client.cancel_run(run)).status == "cancelled"

    asyncio.run(train())


def test_what_a_run_tells_of_its_modules_is_read(client: Client) -> None:
    run = client.start_run(client.open_tree(TUTORIAL), epochs=4, module_stats_every=2, validation_split=0.2)
    events = list(client.events(run))
    told = [event for event in events if isinstance(event, ModulesEvent)]
    assert [event.epoch for event in told] == [0, 2]
    kept = client.module_stats(run)
    assert (kept.epoch, kept.paths, kept.gradient_norm) == (2, ("", "sub1", "sub1.sub2_1"), told[1].gradient_norm)
    assert (kept.parameter_norm[0] is not None, kept.gradient_norm[1:]) == (True, (None, None))
    epochs = [event for event in events if isinstance(event, EpochEvent)]
    assert all(event.validation_loss is not None for event in epochs)
    picture = client.picture(run, columns=100)
    assert (picture.loss.epoch, picture.last_event) == ((0, 1, 2, 3), events[-1].id)
    assert picture.loss.value == tuple(event.loss for event in epochs)
    assert isinstance(client.insights(run), tuple)


class Watching(threading.Thread):
    """Follows a run in the background, with a client of its own."""

    def __init__(self, watch: Callable[[str, list[Event]], None], run: str) -> None:
        super().__init__(daemon=True)
        self.events: list[Event] = []
        self._watch = watch
        self._followed = run
        self.start()

    def run(self) -> None:
        self._watch(self._followed, self.events)


def test_a_server_that_is_killed_and_started_again_costs_no_event(tmp_path: Path) -> None:
    options = ("--port", str(free_port()), "--token", "s3cret", "--resume-interrupted")
    with LiveServer(tmp_path, *options) as server:
        address = f"{server.url}/login?token=s3cret"
        with Client(server.url) as stranger, pytest.raises(Unauthorized, match="asks for its token"):
            stranger.get_tree("t_x")

        def watch(run: str, events: list[Event]) -> None:
            with Client(address) as client:
                events.extend(client.events(run))

        async def watch_async(run: str, events: list[Event]) -> None:
            async with AsyncClient(server.url, "s3cret") as client:
                async for event in client.events(run):
                    events.append(event)  # noqa: PERF401  as they come

        with Client(address) as client:
            tree = client.open_tree(TUTORIAL)
            run = client.start_run(tree, epochs=6_000, checkpoint_every=500).id
            watching = [Watching(watch, run), Watching(lambda *each: asyncio.run(watch_async(*each)), run)]
            while not all(len(each.events) > 1_000 for each in watching):
                assert all(each.is_alive() for each in watching)
                time.sleep(0.005)
            server.kill()
            assert not any(isinstance(each.events[-1], EndEvent) for each in watching)
            server.restart()
            for each in watching:
                each.join(60)
                assert [event.id for event in each.events] == list(range(1, len(each.events) + 1))
                epochs = [event.epoch for event in each.events if isinstance(event, EpochEvent)]
                assert epochs == list(range(6_000))
                statuses = [event.status for event in each.events if isinstance(event, StatusEvent)]
                assert (statuses[:3], statuses[-1]) == (["queued", "running", "interrupted"], "succeeded")
            assert watching[0].events == watching[1].events


def test_an_event_that_is_cut_in_its_middle_comes_once() -> None:
    whole = sent(1) + sent(2) + sent(3, "end")
    first = OPENING + b"\r\nretry: 10\n\n"
    middle = len(sent(1)) + 20
    chunked = OPENING + b"transfer-encoding: chunked\r\n\r\n%x\r\n" % (len(whole) - len(sent(1)))
    answers = (
        [first, whole[:7], whole[7:middle]],
        [chunked, sent(2)[:30]],
        [first, *bytewise(sent(2) + sent(3, "end"))],
    )
    with peer(*answers) as (url, heads), Client(url) as client:
        assert [event.id for event in client.events("r_1")] == [1, 2, 3]
        assert [last_id(head) for head in heads] == [b"0", b"1", b"1"]

    async def follow(url: str) -> list[int]:
        async with AsyncClient(url) as client, aclosing(client.events("r_1")) as events:
            return [event.id async for event in events]

    with peer(*answers) as (url, heads):
        assert asyncio.run(follow(url)) == [1, 2, 3]
        assert [last_id(head) for head in heads] == [b"0", b"1", b"1"]


def test_a_server_that_is_not_there_is_told_with_its_address() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with Client(url) as client, pytest.raises(Unreachable, match=f"No server answers at {url}: "):
        client.get_tree("t_x")
    with pytest.raises(ValueError, match="no address of a server"):
        Client("ftp://x")
