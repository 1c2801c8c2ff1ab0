"""The command line, run as a person runs it."""

import re
import socket
import time
from pathlib import Path

import httpx
import pytest

from app.serve import GRACE_S
from app.settings import Settings
from tests.commands import moduletree
from tests.live import LiveServer


def failed_start(*arguments: str) -> tuple[int, str]:
    done = moduletree("serve", "--port", "0", *arguments)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    return done.returncode, done.stderr


def test_every_setting_is_an_option_and_nothing_else_is() -> None:
    shown = moduletree("serve", "--help").stdout
    options = set(re.findall(r"^  --([a-z-]+)", shown, re.MULTILINE)) - {"help"}
    assert options == {"kwargs", "device", *(name.replace("_", "-") for name in Settings.model_fields)}
    for name in Settings.model_fields:
        assert f"MODULETREE_{name.upper()}" in shown


def test_version() -> None:
    assert re.fullmatch(r"moduletree \S+\n", moduletree("--version").stdout)


def test_one_line_is_printed_when_the_server_listens(tmp_path: Path) -> None:
    with LiveServer(tmp_path) as server:
        assert httpx.get(f"{server.url}/healthz").json() == {"status": "alive"}
        assert server.stop() == 0
        assert server.output == f"Moduletree is at {server.url}\n"


def test_a_stop_ends_the_streams_that_are_open(tmp_path: Path) -> None:
    with LiveServer(tmp_path) as server:
        tree = server.client.post("/api/trees", json={"source": {"kind": "linear", "root": {}}}).json()["id"]
        run = server.client.post(f"/api/trees/{tree}/runs", json={"epochs": 10_000_000}).json()["id"]
        with server.client.stream("GET", f"/api/runs/{run}/events") as stream:
            lines = stream.iter_lines()
            assert next(lines)
            asked_at = time.monotonic()
            server.process.terminate()
            for _ in lines:
                pass
        assert server.process.wait(10) == 0
        assert time.monotonic() - asked_at < GRACE_S
        assert "Traceback" not in server.output


def test_a_stop_does_not_wait_for_a_client_that_reads_nothing(tmp_path: Path) -> None:
    with LiveServer(tmp_path) as server, socket.socket() as client:
        grid = {"kind": "grid", "branching": 10, "depth": 4}
        tree = server.client.post("/api/trees", json={"source": grid}).json()["id"]
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", httpx.URL(server.url).port))
        path = f"/api/trees/{tree}/named_parameters?limit=100000"
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: {server.url.removeprefix('http://')}\r\n\r\n".encode())
        assert client.recv(1)
        asked_at = time.monotonic()
        server.process.terminate()
        assert server.process.wait(10) == 0
        assert time.monotonic() - asked_at < GRACE_S
        assert "Traceback" not in server.output


def test_a_taken_port_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, line = failed_start("--port", port, "--data-dir", str(tmp_path))
    assert code == 1
    assert (
        line == f"moduletree: cannot listen on 127.0.0.1:{port}: Address already in use. Another --port may be free.\n"
    )


def test_an_unusable_data_directory_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, line = failed_start("--data-dir", str(tmp_path / "file"))
    assert code == 1
    assert str(tmp_path / "file") in line


def test_a_file_that_is_no_database_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "moduletree.db").write_bytes(b"no database" * 1000)
    code, line = failed_start("--data-dir", str(tmp_path))
    assert code == 1
    assert "moduletree.db" in line


@pytest.mark.parametrize("url", ["postgresql://someone:password@host/name", "nonsense", "sqlite://"])
def test_an_unknown_database_is_told_in_one_line_without_its_password(tmp_path: Path, url: str) -> None:
    code, line = failed_start("--data-dir", str(tmp_path), "--database", url)
    assert code == 2
    assert "sqlite:///" in line
    assert "password" not in line


def test_two_servers_do_not_share_a_data_directory(tmp_path: Path) -> None:
    with LiveServer(tmp_path):
        code, line = failed_start("--data-dir", str(tmp_path))
    assert code == 1
    assert "in use" in line
