"""What a run tells of modules, and what its log says, over HTTP: torch computes the same figures beside it."""

from typing import Any

import pytest
import torch
from httpx import Client
from torch import nn

from tests.live import LiveServer
from tests.pages.reader import Reader

ROOT = {"weight": 0.5, "bias": 0.25, "children": {"sub1": {"weight": 2.0, "bias": 1.0}, "sub2": {"weight": 3.0}}}
EVERY = 3


@pytest.fixture(scope="module")
def tree(server: LiveServer) -> str:
    """The id of a tree whose children the forward leaves out."""
    body = {"source": {"kind": "linear", "root": ROOT, "seed": 0}}
    return str(server.client.post("/api/trees", json=body).raise_for_status().json()["id"])


def done(client: Client, tree: str, **config: object) -> str:
    """The id of a run that is over."""
    run = client.post(f"/api/trees/{tree}/runs", json=config).raise_for_status().json()["id"]
    with client.stream("GET", f"/api/runs/{run}/events") as stream:
        assert any(line == "event: end" for line in stream.iter_lines())
    return str(run)


@pytest.fixture(scope="module")
def run(server: LiveServer, tree: str) -> str:
    return done(server.client, tree, epochs=10, module_stats_every=EVERY)


def modules(client: Client, run: str, **query: Any) -> Any:
    return client.get(f"/api/runs/{run}/modules", params=query).raise_for_status().json()


def by_torch(epochs: int) -> list[tuple[float, float, float]]:
    """Parameter norm, gradient norm and update ratio of the root, epoch by epoch, as autograd and SGD make them."""
    weight, bias = (nn.Parameter(torch.tensor([ROOT[name]])) for name in ("weight", "bias"))
    x = torch.arange(10).float().view(-1, 1)
    optimizer = torch.optim.SGD([weight, bias], lr=0.01)
    found = []
    for _ in range(epochs):
        optimizer.zero_grad()
        nn.MSELoss()(x * weight + bias, 2 * x + 1).backward()
        before = torch.cat([weight, bias]).detach().clone()
        assert weight.grad is not None
        assert bias.grad is not None
        gradient = torch.cat([weight.grad, bias.grad]).norm().item()
        optimizer.step()
        moved = torch.cat([weight, bias]).detach() - before
        found.append((before.norm().item(), gradient, (moved.norm() / before.norm()).item()))
    return found


def test_the_figures_of_each_module_are_those_that_torch_computes(server: LiveServer, run: str) -> None:
    for epoch, expected in list(enumerate(by_torch(10)))[::EVERY]:
        told = modules(server.client, run, epoch=epoch)
        assert told["epoch"] == epoch
        assert (told["rows"], told["paths"]) == ([0, 1, 2], ["", "sub1", "sub2"])
        found = tuple(told[name][0] for name in ("parameter_norm", "gradient_norm", "update_ratio"))
        assert found == pytest.approx(expected, rel=1e-5)
        assert told["has_gradient"] == [True, False, False]
        assert told["gradient_norm"][1:] == [None, None]


def test_an_epoch_between_two_is_answered_by_the_one_before_and_none_by_the_latest(
    server: LiveServer, run: str
) -> None:
    assert [modules(server.client, run, epoch=epoch)["epoch"] for epoch in (0, 2, 3, 8, 9, 10**9)] == [0, 0, 3, 6, 9, 9]
    latest = modules(server.client, run, paths=False)
    assert latest["epochs"] == {"first": 0, "last": 9, "every": EVERY, "count": 4}
    assert "paths" not in latest
    low, high = latest["ranges"]["gradient_norm"]
    norms = [modules(server.client, run, epoch=epoch)["gradient_norm"][0] for epoch in (0, 3, 6, 9)]
    assert (low, high) == (min(norms), max(norms))


def test_the_stream_tells_the_same_figures(server: LiveServer, run: str) -> None:
    with server.client.stream("GET", f"/api/runs/{run}/events") as stream:
        lines = list(stream.iter_lines())
    told = [lines[place + 1] for place, line in enumerate(lines) if line == "event: modules"]
    assert len(told) == 4
    assert all(f'"epoch":{3 * place}' in data for place, data in enumerate(told))
    assert str(modules(server.client, run, epoch=3)["parameter_norm"][0]) in told[1]


def test_a_run_without_statistics_says_how_to_get_them(server: LiveServer, tree: str) -> None:
    run = done(server.client, tree, epochs=2)
    for path in (f"/api/runs/{run}/modules", f"/runs/{run}/modules"):
        response = server.client.get(path)
        assert response.status_code == 409
        assert "module_stats_every" in response.text


def test_a_module_that_the_tree_has_no_longer_has_no_row(server: LiveServer, run: str, tree: str) -> None:
    client = server.client
    client.post(f"/api/trees/{tree}/delete", json={"target": "sub1"}).raise_for_status()
    assert modules(client, run)["rows"] == [0, -1, 1]
    client.post(f"/api/trees/{tree}/undo").raise_for_status()
    assert modules(client, run)["rows"] == [0, 1, 2]


def test_insights_name_the_modules_without_a_gradient_with_their_rule(server: LiveServer, run: str) -> None:
    (insight,) = server.client.get(f"/api/runs/{run}/insights").raise_for_status().json()["items"]
    assert (insight["kind"], insight["modules"], insight["num_modules"]) == ("no_gradient", ["sub1", "sub2"], 2)
    assert (insight["first_epoch"], insight["last_epoch"]) == (0, None)
    assert "sub1" in insight["title"]
    assert insight["rule"]


def test_a_run_that_diverges_says_so_and_names_the_first_module_that_was_not_finite(
    server: LiveServer, tree: str
) -> None:
    run = done(server.client, tree, epochs=300, lr=0.05, module_stats_every=1)
    found = {each["kind"]: each for each in server.client.get(f"/api/runs/{run}/insights").json()["items"]}
    assert found["diverging"]["severity"] == found["nonfinite"]["severity"] == "error"
    assert found["nonfinite"]["modules"] == [""]
    assert found["lr_high"]["figures"]["update_ratio"] > 0.1
    root = Reader(server.client).get(f"/trees/{tree}/inspector?run={run}").text
    holds = [each["title"] for each in found.values() if each["modules"] == [""] and each["last_epoch"] is None]
    assert [title for title in holds if title in root], (holds, root)
    late = modules(server.client, run)
    assert late["nonfinite"]["gradient_norm"] == [0]
    assert late["gradient_norm"][0] is None
    assert late["has_gradient"][0]
    server.client.post(f"/api/trees/{tree}/undo").raise_for_status()


def test_the_pages_tell_it_without_scripts(server: LiveServer, run: str, tree: str) -> None:
    reader = Reader(server.client)
    assert "No gradient reaches 2 modules" in reader.get(f"/trees/{tree}?run={run}").text
    module = reader.get(f"/trees/{tree}/inspector?target=sub1&run={run}").text
    assert module.count("No gradient reaches sub1") == 1
    assert "forward never calls it" in module
    listed = reader.get(f"/runs/{run}/insights")
    assert "No gradient reaches 2 modules" in listed.text
    table = reader.get(f"/runs/{run}/modules?epoch=4")
    assert "epoch 3" in table.text
    assert "none" in table.text
