"""What a page's scripts import, told in its head in the order of need."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.assets import STATIC
from app.pages.imports import with_imported, with_imports

FILES = {
    "first.js": 'import { b } from "./lib/b.js";\nimport {\n  c,\n} from "./lib/c.js";\nimport "./lib/d.js";\n',
    "second.js": 'export { c } from "./lib/c.js";\nconst later = import("./later.js");\nconst text = "./no.js";\n',
    "lib/b.js": 'import { a } from "../vendor/a.js"; import("./later.js");\nexport const from = "./no.js";\n',
    "lib/c.js": "/** @typedef {import('./no.js').No} No */\nimport { b } from './b.js';\nexport const c = 1;\n",
    "lib/d.js": "",
    "vendor/a.js": 'import "../first.js";\nimport "elsewhere";\n',
}


@pytest.fixture
def static(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path


def test_each_script_is_followed_by_what_it_needs_and_nothing_is_there_twice(static: Path) -> None:
    scripts = ["/static/first.js", "/words/ko.js?v=1", "/static/second.js", "/static/missing.js"]
    assert with_imported(scripts, static) == [
        "/static/first.js",
        "/static/lib/b.js",
        "/static/lib/c.js",
        "/static/lib/d.js",
        "/static/vendor/a.js",
        "/words/ko.js?v=1",
        "/static/second.js",
        "/static/missing.js",
    ]


def test_links_stand_before_the_scripts() -> None:
    script = '<script type="module" src="/static/js/workspace.js"></script>\n'
    text = with_imports(script)
    assert text.endswith(script)
    links = re.findall(r'<link rel="modulepreload" href="([^"]+)">\n', text)
    assert links[:2] == ["/static/js/workspace.js", "/static/js/lib/outline.js"]
    assert len(links) == text.count("modulepreload") == len(set(links))


def named_by(file: Path) -> Iterator[str]:
    """The modules that a comment-free reading of the file finds, whatever stands around their names."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    yield from re.findall(r'\b(?:from|import)\s*["\'](\.[^"\']+)["\']', text)


def test_no_import_of_our_scripts_is_overlooked() -> None:
    files = [*(STATIC / "js").rglob("*.js")]
    for file in files:
        url = f"/static/{file.relative_to(STATIC).as_posix()}"
        found = {STATIC / each.removeprefix("/static/") for each in with_imported([url])}
        assert {(file.parent / name).resolve() for name in named_by(file)} <= found
        assert all(each.is_file() for each in found)
