"""Other viewers of models, each a server that shows a tree of so many modules in a browser."""

import json
import re
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ADDRESS = re.compile(r"http://\S+")


@contextmanager
def netron(paths: list[str], folder: Path) -> Iterator[str]:
    """Netron's address, showing a file with a tensor of one element for each path."""
    file = folder / "tree.safetensors"
    entries = {
        f"{path}.weight" if path else "weight": {"dtype": "F32", "shape": [1], "data_offsets": [4 * at, 4 * at + 4]}
        for at, path in enumerate(paths)
    }
    header = json.dumps(entries).encode()
    file.write_bytes(struct.pack("<Q", len(header)) + header + bytes(4 * len(paths)))
    program = shutil.which("netron", path=Path(sys.executable).parent)
    assert program, "Netron is not installed: make bench installs it"
    with _serving([program, "--port", str(_free_port()), "--host", "127.0.0.1", str(file)]) as address:
        yield address


@contextmanager
def model_explorer(paths: list[str], folder: Path) -> Iterator[str]:
    """Model Explorer's address, showing a graph with a node for each path and no edges."""
    file = folder / "tree.json"
    nodes = [_node(at, path) for at, path in enumerate(paths)]
    file.write_text(json.dumps([{"id": "tree", "nodes": nodes}]))
    program = shutil.which("model-explorer", path=Path(sys.executable).parent)
    assert program, "Model Explorer is not installed: make bench installs it"
    command = [program, str(file), "--no_open_in_browser", "--port", str(_free_port())]
    with _serving(command) as address:
        yield address


def _node(at: int, path: str) -> dict[str, object]:
    above, _, name = path.rpartition(".")
    return {"id": str(at), "label": name or "root", "namespace": above.replace(".", "/")}


@contextmanager
def _serving(command: list[str]) -> Iterator[str]:
    environment = {"PYTHONUNBUFFERED": "1", "PATH": "/usr/bin:/bin", "BROWSER": "/bin/true"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=subprocess.STDOUT, text=True, env=environment) as process:
        try:
            yield _address(process)
        finally:
            process.kill()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if found := ADDRESS.search(line):
            return found[0].rstrip(".")
    raise SystemExit(f"{process.args!r} ended before it told its address.")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port
