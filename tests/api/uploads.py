"""A client of uploads, and what one leaves behind on a live server."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.live import LiveServer

BOUNDARY = b"a-boundary-that-is-in-no-file-7f3ac1"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY.decode()}"
Files = Sequence[tuple[str | bytes, bytes]]


def body_of(files: Files, fields: Mapping[str, str] | None = None) -> bytes:
    """A body of multipart form data, its names exactly as they are given."""
    parts = [_part(b'name="%b"' % name.encode(), value.encode()) for name, value in (fields or {}).items()]
    for name, data in files:
        raw = name if isinstance(name, bytes) else name.encode()
        parts.append(_part(b'name="file"; filename="%b"' % raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"'), data))
    return b"".join(parts) + b"--%b--\r\n" % BOUNDARY


def _part(disposition: bytes, data: bytes) -> bytes:
    return b"--%b\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n" % (BOUNDARY, disposition, data)


@dataclass(frozen=True, slots=True)
class Held:
    """What a process holds: descriptors, and bytes of memory."""

    descriptors: int
    resident: int


class Uploading:
    """Uploads to a server, and looks at what they leave."""

    def __init__(self, server: LiveServer) -> None:
        self.server = server
        self.http = server.client
        self.folder = server.data_dir / "uploads"

    def send(self, files: Files, fields: Mapping[str, str] | None = None) -> httpx.Response:
        """Upload files."""
        return self.send_body(body_of(files, fields))

    def send_body(self, body: bytes, content_type: str = MULTIPART) -> httpx.Response:
        """Send a body, be it one of an upload or not."""
        return self.http.post("/api/trees/upload", content=body, headers={"content-type": content_type})

    def tensors(self, tree: str) -> dict[str, tuple[tuple[int, ...], str]]:
        """Shape and dtype by name of the tensors of a tree."""
        listed = self.http.get(f"{tree}/state_dict", headers={"accept": "application/json"})
        assert listed.status_code == 200, listed.text
        return {each["name"]: (tuple(each["shape"]), each["dtype"]) for each in listed.json()["items"]}

    def notes(self, tree: str) -> list[str]:
        """What was noted of a tree."""
        notes: list[str] = self.http.get(f"{tree}/origin").json()["notes"]
        return notes

    def delete(self, tree: str) -> None:
        """Delete a tree."""
        assert self.http.delete(tree).status_code == 204

    def left(self) -> list[str]:
        """The names in the folder of uploads."""
        return os.listdir(self.folder)  # noqa: PTH208

    def num_trees(self) -> int:
        """How many trees there are."""
        total: int = self.http.get("/api/trees", params={"limit": 1}).json()["total"]
        return total

    def held(self) -> Held:
        """What the server's process holds."""
        process = Path(f"/proc/{self.server.process.pid}")
        pages = int((process / "statm").read_text().split()[1])
        return Held(len(os.listdir(process / "fd")), pages * os.sysconf("SC_PAGE_SIZE"))  # noqa: PTH208


def refusal(answer: httpx.Response) -> str:
    """The reason of a refusal, which is one and names what is wrong in a sentence."""
    assert answer.status_code in (413, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = json.loads(answer.content)
    assert problem["status"] == answer.status_code
    detail: str = problem["detail"]
    assert len(detail) > 20
    assert detail.endswith(".")
    assert len(detail) < 5_000
    return detail
