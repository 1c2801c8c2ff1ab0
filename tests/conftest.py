"""The running server and the browser, for the tests that need them."""

import gc
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, Page

from app.processes import launcher, spawn
from tests.browser import DESK, PHONE, Chromium, Watch, Window
from tests.checkpoints import write_checkpoints
from tests.forked import Sibling
from tests.live import ROOT, LiveServer

# What tests have of the program in their own process forks too; the tests of the processes themselves `spawn`.
launcher.by = Sibling

# One for all files that need it, which come after each other: each start of it is a second of processor time.
CHROMIUM = Chromium()
WITH_BROWSER = {"browser", "window", "plain_window", "phone_window"}

settings.register_profile("moduletree", deadline=None)
settings.load_profile("moduletree")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, or no other is left to share their time: kills, browsers, servers."""
    with_browser = {item.path for item in items if _needs_browser(item)}
    num_tests = Counter(item.path for item in items)

    def order(item: pytest.Item) -> tuple[bool, bool, bool, int, str]:
        path = item.path
        of_servers = path.parent == ROOT / "tests"
        return path.stem != "test_kills", path not in with_browser, not of_servers, -num_tests[path], str(path)

    items.sort(key=order)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Close the browser before a test that needs none: Playwright keeps an event loop on the thread while it runs."""
    if not _needs_browser(item):
        CHROMIUM.close()


def _needs_browser(item: pytest.Item) -> bool:
    return not WITH_BROWSER.isdisjoint(getattr(item, "fixturenames", ()))


def pytest_sessionfinish() -> None:
    """Leave no browser behind."""
    CHROMIUM.close()


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
def browser() -> Browser:
    """Chromium, with what it keeps of the modules before."""
    return CHROMIUM.browser


@pytest.fixture
def watch() -> Iterator[Watch]:
    """What the test's pages did wrong; anything left in it at the end fails the test."""
    watch = Watch()
    yield watch
    assert not watch.errors
    assert not watch.leaving


@pytest.fixture(scope="module")
def window(server: LiveServer) -> Window:
    """1440 x 900, on the shared server."""
    return CHROMIUM.window(server.url, viewport=DESK)


@pytest.fixture(scope="module")
def plain_window(server: LiveServer) -> Window:
    """The same with scripts switched off."""
    return CHROMIUM.window(server.url, viewport=DESK, java_script_enabled=False)


@pytest.fixture(scope="module")
def phone_window(server: LiveServer) -> Window:
    """390 x 844 with a touch screen."""
    return CHROMIUM.window(server.url, viewport=PHONE, has_touch=True, is_mobile=True)


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
