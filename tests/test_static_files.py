"""Files for the browser: asked for each time, sent when they changed."""

from pathlib import Path

import pytest
from starlette.types import ASGIApp

from app.static_files import RevalidatedFiles
from tests.asgi import ask


@pytest.fixture
def files(tmp_path: Path) -> ASGIApp:
    for name in ("page.js", "font.woff2", "icons.svg", "page.css"):
        (tmp_path / name).write_text("content of " + name, encoding="utf-8")
    return RevalidatedFiles(directory=tmp_path)


def test_a_copy_that_is_still_good_is_not_sent_again(files: ASGIApp, tmp_path: Path) -> None:
    first = ask(files, "GET", "/page.js")
    assert (first.status_code, first.headers["cache-control"]) == (200, "no-cache")
    known = {"If-None-Match": first.headers["etag"]}
    again = ask(files, "GET", "/page.js", headers=known)
    assert (again.status_code, again.content, again.headers["cache-control"]) == (304, b"", "no-cache")
    (tmp_path / "page.js").write_text("other content", encoding="utf-8")
    assert ask(files, "GET", "/page.js", headers=known).text == "other content"


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
