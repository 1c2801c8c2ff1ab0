"""Files for the browser: asked for each time, sent when they changed."""

from pathlib import Path

import pytest
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp

from app.compression import Compression
from app.static_files import RevalidatedFiles
from tests.asgi import ask, ask_raw


@pytest.fixture
def files(tmp_path: Path) -> ASGIApp:
    for name in ("page.js", "font.woff2", "icons.svg", "page.css"):
        (tmp_path / name).write_text("content of " + name, encoding="utf-8")
    return ExceptionMiddleware(RevalidatedFiles(directory=tmp_path))


def test_a_copy_that_is_still_good_is_not_sent_again(files: ASGIApp, tmp_path: Path) -> None:
    first = ask(files, "GET", "/page.js")
    assert (first.status_code, first.headers["cache-control"]) == (200, "no-cache")
    known = {"If-None-Match": first.headers["etag"]}
    again = ask(files, "GET", "/page.js", headers=known)
    assert (again.status_code, again.content, again.headers["cache-control"]) == (304, b"", "no-cache")
    (tmp_path / "page.js").write_text("other content", encoding="utf-8")
    assert ask(files, "GET", "/page.js", headers=known).text == "other content"
    (tmp_path / "page.js").unlink()
    assert ask(files, "GET", "/page.js").status_code == 404


@pytest.mark.parametrize("coding", ["zstd", "gzip", "identity"])
def test_what_is_large_is_sent_as_the_reader_asks_for_it(files: ASGIApp, tmp_path: Path, coding: str) -> None:
    text = "const x = 1;\n" * 1000
    (tmp_path / "large.js").write_text(text, encoding="utf-8")
    for _ in range(2):
        answer = ask(Compression(files), "GET", "/large.js", headers={"Accept-Encoding": coding})
        assert (answer.text, answer.headers["vary"]) == (text, "Accept-Encoding")
        assert answer.headers.get("content-encoding", "identity") == coding
        assert answer.num_bytes_downloaded == int(answer.headers["content-length"])
        part = ask(Compression(files), "GET", "/large.js", headers={"Accept-Encoding": coding, "Range": "bytes=6-10"})
        assert (part.status_code, part.content) == (206, b"x = 1")


def test_what_is_outside_the_folder_is_not_there(files: ASGIApp, tmp_path: Path) -> None:
    secret = tmp_path.parent / "secret.js"
    secret.write_text("", encoding="utf-8")
    (tmp_path / "way.js").symlink_to(secret)
    for path in ("/../secret.js", "/way.js", f"/{secret}", "/"):
        assert ask_raw(files, path, {}) == 404, path
    assert ask(files, "GET", "/page.js").status_code == 200
    assert ask(files, "POST", "/page.js").status_code == 405


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("page.js", "text/javascript; charset=utf-8"),
        ("page.css", "text/css; charset=utf-8"),
        ("icons.svg", "image/svg+xml"),
        ("font.woff2", "font/woff2"),
    ],
)
def test_types_do_not_depend_on_the_system(files: ASGIApp, name: str, media_type: str) -> None:
    assert ask(files, "GET", f"/{name}").headers["content-type"] == media_type
