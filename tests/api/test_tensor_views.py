"""One tensor's values, statistics and heat map over HTTP: of live trees, and of checkpoints of any size."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, expect
from safetensors.torch import save_file

from tests.api.client import TreeClient, refused
from tests.browser import Watch
from tests.live import LiveServer
from tests.pages.reader import Page

BUFFERS = {
    "cube": torch.arange(24.0).reshape(2, 3, 4).tolist(),
    "far": [0.5, 1e30, -1e30, 0.0],
    "line": list(range(100)),
}
LARGE = torch.randn(3, 1200, 1200, generator=torch.Generator().manual_seed(2))
ENDLESS_BYTES = 2**40


@pytest.fixture(scope="module")
def filled(server: LiveServer) -> TreeClient:
    """A LinearModel with buffers."""
    return TreeClient.linear(server.client, {"weight": 2.5, "buffers": BUFFERS, "children": {"sub1": {"bias": 3}}})


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server that may open the files of a folder, one of which has a tensor that is never read to its end."""
    folder = tmp_path_factory.mktemp("files")
    small, medium = LARGE[0, :2, :3].clone(), LARGE[1, 0].bfloat16()
    tensors = {"m.large": LARGE, "m.other": LARGE + 1, "m.small": small, "m.weight": medium}
    save_file(tensors, folder / "x.safetensors")
    header = json.dumps({"x": {"dtype": "F32", "shape": [2**19, 2**19], "data_offsets": [0, ENDLESS_BYTES]}}).encode()
    (folder / "endless.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    os.truncate(folder / "endless.safetensors", 8 + len(header) + ENDLESS_BYTES)
    with LiveServer(tmp_path_factory.mktemp("served"), "--root", str(folder)) as live:
        yield live
        assert live.stop() == 0, live.output
        assert "Traceback" not in live.output, live.output


@pytest.fixture(scope="module")
def checkpoint(served: LiveServer) -> TreeClient:
    return TreeClient(served.client, {"kind": "checkpoint", "path": "x.safetensors"})


@pytest.fixture(scope="module")
def endless(served: LiveServer) -> TreeClient:
    return TreeClient(served.client, {"kind": "checkpoint", "path": "endless.safetensors"})


def found(tree: TreeClient, view: str, **query: Any) -> dict[str, Any]:
    """The answer once it is there; each request waits for it a second at most."""
    while (answer := tree.get(view, **query)).status_code == 202:
        assert answer.headers["retry-after"] == "1"
        assert answer.headers["cache-control"] == "no-store"
        assert set(answer.json()) == {"done", "total"}
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


class TestLive:
    def test_values_come_in_row_major_pages(self, filled: TreeClient) -> None:
        assert found(filled, "values", target="weight") == {"start": 0, "total": 1, "values": [2.5]}
        page = found(filled, "values", target="cube", start=5, count=3)
        assert page == {"start": 5, "total": 24, "values": [5.0, 6.0, 7.0]}
        assert found(filled, "values", target="line", start=98)["values"] == [98, 99]
        assert found(filled, "values", target="line", start=100)["values"] == []

    def test_statistics_are_torchs(self, filled: TreeClient) -> None:
        due = torch.tensor(BUFFERS["far"], dtype=torch.float32).double()
        stats = found(filled, "stats", target="far")
        assert stats["mean"] == pytest.approx(due.mean().item())
        assert stats["std"] == pytest.approx(due.std().item())
        assert (stats["min"], stats["max"], stats["zeros"]) == (due.min().item(), due.max().item(), 1)
        assert sum(stats["histogram"]["counts"]) == 4

    def test_a_heat_map_is_of_the_matrix_at_the_index(self, filled: TreeClient) -> None:
        found_map = found(filled, "heat_map", target="cube", index="1")
        assert found_map == {"index": [1], "shape": [3, 4], "block": [1, 1], "cells": BUFFERS["cube"][1]}
        assert found(filled, "heat_map", target="cube")["index"] == [0]
        assert found(filled, "heat_map", target="sub1.bias")["cells"] == [[3.0]]

    @pytest.mark.parametrize("view", ["values", "stats", "heat_map"])
    def test_a_target_that_is_not_there_is_torchs_message(self, filled: TreeClient, view: str) -> None:
        assert refused(filled.get(view, target="sub1.nope"), 404) == "LinearModel has no attribute `nope`"
        assert refused(filled.get(view, target="sub1"), 404) == "`sub1` is not an nn.Parameter"

    def test_an_index_and_a_page_that_are_none_are_refused(self, filled: TreeClient) -> None:
        assert "expected 1 numbers below [2], got [2]" in refused(filled.get("heat_map", target="cube", index="2"), 422)
        assert "query.index" in refused(filled.get("heat_map", target="cube", index="-1"), 422)
        for name, number in (("start", -1), ("count", 0), ("count", 10_001), ("start", 2**63)):
            refused(filled.get("values", None, target="cube", **{name: str(number)}), 422)

    def test_who_has_a_revision_is_not_sent_it_again(self, filled: TreeClient) -> None:
        answer = filled.get("stats", target="cube")
        assert answer.headers["etag"] == '"1"'
        assert filled.get("stats", {"if-none-match": '"1"'}, target="cube").status_code == 304
        assert filled.get("stats", {"if-none-match": '"2"'}, target="cube").status_code == 200


class TestCheckpoint:
    """The last ones keep the process that reads busy for ever."""

    def test_a_page_shows_what_was_read_as_soon_as_it_is_there(
        self, checkpoint: TreeClient, served: LiveServer, browser: Browser, watch: Watch
    ) -> None:
        page = browser.new_page(base_url=served.url)
        watch.follow(page)
        page.goto(_page_of(checkpoint, "stats", "m.other"))
        expect(page.get_by_role("img", name="Histogram of 4,320,000 finite values")).to_be_visible(timeout=30_000)
        page.close()

    def test_what_is_large_is_read_in_the_background(self, checkpoint: TreeClient) -> None:
        stats = found(checkpoint, "stats", target="m.large")
        assert stats["mean"] == pytest.approx(LARGE.double().mean().item())
        assert stats["max"] == LARGE.max().item()
        heat_map = found(checkpoint, "heat_map", target="m.large", index="2")
        assert (heat_map["shape"], heat_map["block"]) == ([1200, 1200], [10, 3])
        assert heat_map["cells"][0][0] in (LARGE[2, :10, :3].max().item(), LARGE[2, :10, :3].min().item())
        assert (
            found(checkpoint, "values", target="m.large", start=1_440_000, count=2)["values"]
            == LARGE[1, 0, :2].tolist()
        )

    def test_lists_have_what_is_small(self, checkpoint: TreeClient) -> None:
        items = {item["name"]: item for item in checkpoint.items("named_parameters", stats=True)}
        assert items["m.small"]["values"] == LARGE[0, :2, :3].tolist()
        assert items["m.weight"]["values"] is None
        assert items["m.weight"]["stats"]["max"] == LARGE[1, 0].bfloat16().max().item()
        assert items["m.large"]["stats"] is None

    def test_how_far_it_is_is_told(self, endless: TreeClient) -> None:
        answer = endless.get("stats", target="x")
        while answer.status_code == 202 and not answer.json()["done"]:
            answer = endless.get("stats", target="x")
        assert answer.status_code == 202
        assert 0 < answer.json()["done"] < answer.json()["total"]

    def test_the_page_says_how_far_it_is_without_scripts(self, endless: TreeClient, served: LiveServer) -> None:
        answer = served.client.get(_page_of(endless, "heat_map", "x"), headers={"accept": "text/html"})
        page = Page(answer)
        assert answer.status_code == 202
        assert answer.headers["retry-after"] == "1"
        assert any(tag == "progress" for tag, _ in page.tags)
        assert "Look again" in page.links


def _page_of(tree: TreeClient, view: str, target: str) -> str:
    return f"{tree.url.removeprefix('/api')}/{view}?target={target}"
