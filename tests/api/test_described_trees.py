"""Trees of files and factories over HTTP: looked into as any other, and refused what needs live modules."""

from typing import Any

import httpx
import pytest
import torch
from safetensors.torch import save

from tests.api.client import TreeClient, refused
from tests.api.uploads import Uploading
from tests.live import LiveServer

LINEAR = {"kind": "factory", "target": "torch.nn:Linear", "kwargs": {"in_features": 2, "out_features": 3}}
STATE = save({"fc.weight": torch.ones(3, 2), "fc.bias": torch.zeros(3)})


@pytest.fixture(params=["factory", "checkpoint"])
def url(request: pytest.FixtureRequest, server: LiveServer) -> str:
    """Where a tree is that is known by its structure."""
    if request.param == "factory":
        return TreeClient(server.client, LINEAR).url
    answer = Uploading(server).send([("model.safetensors", STATE)])
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


def changes(http: httpx.Client) -> dict[str, Any]:
    """A body that fits, by the last part of the path, for every POST that a tree takes as JSON."""
    paths = http.get("/api/openapi.json").json()["paths"]
    found = {}
    for path, item in paths.items():
        if path.startswith("/api/trees/{tree_id}/") and "post" in item:
            content = item["post"].get("requestBody", {}).get("content", {"application/json": {}})
            if "application/json" in content:
                examples = content["application/json"].get("examples", {"none": {"value": {}}})
                found[path.rpartition("/")[2]] = next(iter(examples.values()))["value"]
    return found


def test_every_change_is_refused_and_says_why(http: httpx.Client, url: str) -> None:
    tree = http.get(url).json()
    assert tree["can"] == {"train": False, "edit": False, "forward": False}
    every = changes(http)
    assert {"register_buffer", "delete", "apply", "train", "undo", "redo", "forward", "runs"} <= set(every)
    assert len(every) >= 12
    for path, body in every.items():
        detail = refused(http.post(f"{url}/{path}", json=body), 409)
        says = "There is nothing to" if path in ("undo", "redo") else "only its structure is known"
        if path == "runs" and tree["source"]["kind"] == "factory":
            says = 'it has no values: open the factory with "device": "cpu"'
        assert says in detail, path
    files = {"file": ("model.safetensors", STATE)}
    assert "only its structure" in refused(http.post(f"{url}/load_state_dict", files=files), 409)
    assert http.get(url).json() == tree


def test_it_is_listed_renamed_and_deleted(http: httpx.Client, url: str) -> None:
    tree = http.get(url).json()
    assert tree in http.get("/api/trees").json()["items"]
    assert http.patch(url, json={"name": "mine"}).json() == {**tree, "name": "mine"} | {
        "updated_at": http.get(url).json()["updated_at"]
    }
    assert http.delete(url).status_code == 204
    refused(http.get(url), 404)
    refused(http.get(f"{url}/named_modules"), 404)


def test_no_checkpoint_is_opened_where_there_is_no_root(http: httpx.Client) -> None:
    for path in ("x.safetensors", "/etc/passwd", "../x.pt"):
        answer = http.post("/api/trees", json={"source": {"kind": "checkpoint", "path": path}})
        assert "--root" in refused(answer, 403)


@pytest.mark.parametrize("more", [{"upload": "u_aaaaaaaaaa"}, {"format": "torch"}, {"path": "x\0"}, {"path": ""}])
def test_a_source_says_nothing_but_where_a_file_is(http: httpx.Client, more: dict[str, Any]) -> None:
    answer = http.post("/api/trees", json={"source": {"kind": "checkpoint", "path": "x.pt", **more}})
    assert refused(answer, 422)
