"""The modules that a page's scripts import, told in its head: else each is asked for when its importer has come."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from posixpath import dirname, normpath

from markupsafe import Markup

from app.assets import STATIC

SITE = "/static/"
SCRIPT = re.compile(r'<script type="module" src="([^"]+)"')
# `import()` is for later, and is not among them.
IMPORT = re.compile(r'^\s*(?:import|(?:import|export)\b[^"\';=()]*\bfrom)\s*["\']([^"\']+)["\']', re.MULTILINE)


@cache
def with_imports(scripts: str) -> Markup:
    """Return the script elements after a link to each of them and all that they import, in the order of need."""
    link = Markup('<link rel="modulepreload" href="{}">\n')
    return Markup().join(link.format(url) for url in with_imported(SCRIPT.findall(scripts))) + Markup(scripts)


def with_imported(urls: Iterable[str], static: Path = STATIC) -> list[str]:
    """Return the addresses, each followed by those of all modules that it imports and that were not there before."""
    found: dict[str, None] = {}
    for first in urls:
        pending = [first]
        for url in pending:
            if url not in found:
                found[url] = None
                pending += _imports(url, static)
    return list(found)


def _imports(url: str, static: Path) -> list[str]:
    file = static / url.removeprefix(SITE)
    if not url.startswith(SITE) or not file.is_file():
        return []
    names = IMPORT.findall(file.read_text(encoding="utf-8"))
    return list(dict.fromkeys(normpath(f"{dirname(url)}/{name}") for name in names if name.startswith(".")))
