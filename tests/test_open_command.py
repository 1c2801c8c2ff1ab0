"""`moduletree serve SOURCE` and `moduletree open SOURCE`: a server that shows a model from its start."""

import os
import re
import shlex
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
import torch
from safetensors.torch import save_file

from tests.commands import refused
from tests.forked import Forked
from tests.live import ROOT, LiveServer

ADDRESS = re.compile(r"Moduletree is at (http://127\.0\.0\.1:\d+)(/trees/t_\w+)\n")
MODELS = """
from torch import nn


def make_net(depth: int) -> nn.Module:
    return nn.Sequential(*[nn.Linear(4, 4) for _ in range(depth)])


def make_another() -> nn.Module:
    return make_net(1)
"""
PLACE = {"PYTHONPATH": str(ROOT)}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "models" / "tiny.safetensors"
    path.parent.mkdir()
    save_file({"fc.weight": torch.arange(6.0).reshape(2, 3)}, path)
    save_file({"other.weight": torch.zeros(1)}, path.with_name("other.safetensors"))
    return path


def page_of(server: LiveServer) -> str:
    """The path that the server told at its last start."""
    found = ADDRESS.fullmatch(server.lines[-1])
    assert found, server.output
    assert found[1] == server.url
    return found[2]


def test_a_callable_is_served_at_the_address_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "mymodels.py").write_text(MODELS)
    named = ("mymodels:make_net", "--kwargs", '{"depth": 3}')
    with LiveServer(tmp_path / "data", *named, environment=PLACE, cwd=tmp_path) as server:
        page = page_of(server)
        assert "make_net" in server.client.get(page).raise_for_status().text
        tree = server.client.get(f"/api{page}").json()
        assert tree["num_parameters"] == 60
        assert tree["source"]["target"] == "mymodels:make_net"
        # What was named may be called, and nothing else of its module.
        found = server.client.get("/api/factories", params={"q": "mymodels"}).json()
        assert [factory["id"] for factory in found["items"]] == ["mymodels:make_net"]

        server.restart()
        assert page_of(server) == page
        assert server.client.get("/api/trees").json()["total"] == 1


def test_a_checkpoint_is_served_and_nothing_beside_it(checkpoint: Path, tmp_path: Path) -> None:
    with LiveServer(tmp_path / "data", str(checkpoint), "--token", "a&b+c") as server:
        told = server.lines[-1]
        answer = httpx.get(told.removeprefix("Moduletree is at ").strip(), follow_redirects=True)
        assert answer.status_code == 200
        assert answer.url.path.startswith("/trees/t_")
        values = server.client.get(f"/api{answer.url.path}/get_parameter", params={"target": "fc.weight"}).json()[
            "values"
        ]
        assert values == [[0, 1, 2], [3, 4, 5]]
        beside = {"kind": "checkpoint", "path": str(checkpoint.with_name("other.safetensors"))}
        assert server.client.post("/api/trees", json={"source": beside}).status_code == 403


def test_a_source_that_cannot_be_opened_ends_the_command(tmp_path: Path) -> None:
    (tmp_path / "broken.pt").write_bytes(b"\0" * 100)
    data = ("--port", "0", "--data-dir", str(tmp_path / "data"))
    assert "no file 'nosuch.pt'" in refused("serve", *data, "nosuch.pt", cwd=tmp_path)
    assert not (tmp_path / "data").exists()
    assert "'broken.pt' is not" in refused("serve", *data, "broken.pt", cwd=tmp_path)
    assert "nosuch:make: nosuch cannot be imported" in refused("serve", *data, "nosuch:make", cwd=tmp_path)
    assert "none was named" in refused("serve", *data, "--device", "cpu")
    assert "expected one of meta, cpu" in refused("open", "nosuch:make", "--device", "gpu")


@contextmanager
def opened(*arguments: str, **environment: str) -> Iterator[Forked]:
    """`moduletree open` while it serves."""
    process = Forked(["open", *arguments], cwd=ROOT, env=os.environ | environment, has_stderr=True)
    assert process.stderr is not None
    with process.stdout, process.stderr:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_open_starts_the_browser_at_the_tree_and_leaves_nothing_behind(checkpoint: Path, tmp_path: Path) -> None:
    told, temporary = tmp_path / "told", tmp_path / "temporary"
    os.mkfifo(told)
    temporary.mkdir()
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {shlex.quote(str(told))}\n')
    browser.chmod(0o700)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        environment = {"BROWSER": str(browser), "MODULETREE_PORT": port, "TMPDIR": str(temporary)}
        with opened(str(checkpoint), **environment) as process:
            assert process.stderr is not None
            address = told.read_text().strip()
            assert process.stdout.readline() == f"Moduletree is at {address}\n"
            assert process.stderr.readline() == f"moduletree: port {port} is taken, another one is used.\n"
            assert "tiny.safetensors" in httpx.get(address).raise_for_status().text
            beside = {"kind": "checkpoint", "path": "other.safetensors"}
            assert httpx.post(httpx.URL(address, path="/api/trees"), json={"source": beside}).status_code == 201
            assert list(temporary.glob("moduletree-*/moduletree.db"))
            process.terminate()
            assert process.wait(20) == 0
    assert not list(temporary.iterdir())


def test_open_keeps_its_data_where_it_is_told_to(checkpoint: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with opened("--no-browser", "--port", "0", "--data-dir", str(data), str(checkpoint), BROWSER="false") as process:
        assert ADDRESS.fullmatch(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert (data / "moduletree.db").is_file()
