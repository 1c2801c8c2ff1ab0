"""The running server and the browser, for the tests that need them."""

import gc
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, Page, sync_playwright

from app.processes import launcher, spawn
from tests.browser import DESK, FLAGS, PHONE, Watch, Window, find_chromium
from tests.checkpoints import write_checkpoints
from tests.forked import Sibling
from tests.live import ROOT, LiveServer

# What tests have of the program in their own process forks too; the tests of the processes themselves `spawn`.
launcher.by = Sibling

settings.register_profile("moduletree", deadline=None)
settings.load_profile("moduletree")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, or no other is left to share their time: kills, browsers, servers."""
    with_browser = {item.path for item in items if "browser" in getattr(item, "fixturenames", ())}
    num_tests = Counter(item.path for item in items)

    def order(item: pytest.Item) -> tuple[bool, bool, bool, int, str]:
        path = item.path
        of_servers = path.parent == ROOT / "tests"
        return path.stem != "test_kills", path not in with_browser, not of_servers, -num_tests[path], str(path)

    items.sort(key=order)


def pytest_collection_finish() -> None:
    """Leave what is there for all tests out of every later collection of garbage: a tenth of the time went into it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module")
def spawning() -> Iterator[None]:
    """Processes begin as they do for everybody, with a Python and imports of their own."""
    launcher.by = spawn
    yield
    launcher.by = Sibling


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One server for all tests that do not mind each other's trees and runs; no request may end in a traceback."""
    with LiveServer(tmp_path_factory.mktemp("data")) as live:
        yield live
        assert live.stop() == 0, live.output
        assert "Traceback" not in live.output, live.output


@pytest.fixture(scope="session")
def generous(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server that may import a package of odd models, and open the checkpoints of a folder."""
    folder = tmp_path_factory.mktemp("models")
    write_checkpoints(folder)
    options = ("--root", str(folder), "--allow-import", "tests.trees.sources.odd_models")
    with LiveServer(tmp_path_factory.mktemp("generous"), *options) as live:
        yield live
        assert live.stop() == 0, live.output
        assert "Traceback" not in live.output, live.output


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; for a module at a time, since Playwright keeps an event loop on the thread while it runs."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """What the test's pages did wrong; anything left in it at the end fails the test."""
    watch = Watch()
    yield watch
    assert not watch.errors
    assert not watch.leaving


@pytest.fixture(scope="module")
def window(browser: Browser, server: LiveServer) -> Iterator[Window]:
    """1440 x 900, on the shared server."""
    yield from _window(browser, server, viewport=DESK)


@pytest.fixture(scope="module")
def plain_window(browser: Browser, server: LiveServer) -> Iterator[Window]:
    """The same with scripts switched off."""
    yield from _window(browser, server, viewport=DESK, java_script_enabled=False)


@pytest.fixture(scope="module")
def phone_window(browser: Browser, server: LiveServer) -> Iterator[Window]:
    """390 x 844 with a touch screen."""
    yield from _window(browser, server, viewport=PHONE, has_touch=True, is_mobile=True)


def _window(browser: Browser, server: LiveServer, **look: Any) -> Iterator[Window]:
    window = Window(browser, server.url, **look)
    yield window
    window.close()


@pytest.fixture
def page(window: Window, watch: Watch) -> Iterator[Page]:
    """A fresh page on the shared server: `page.goto("/")`."""
    with window.tab(watch) as page:
        yield page


@pytest.fixture
def plain_page(plain_window: Window, watch: Watch) -> Iterator[Page]:
    """The same with scripts switched off."""
    with plain_window.tab(watch) as page:
        yield page


@pytest.fixture
def phone(phone_window: Window, watch: Watch) -> Iterator[Page]:
    """The same on a phone."""
    with phone_window.tab(watch) as page:
        yield page
