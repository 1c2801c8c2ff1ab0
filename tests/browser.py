"""The system's Chromium, and what a page did there that no page should do."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Playwright, Request, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
    "--disable-smooth-scrolling",
)


def find_chromium() -> str:
    """The path of the first browser that is installed."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    raise FileNotFoundError(f"the browser tests need one of {', '.join(NAMES)}")


@dataclass
class Watch:
    """Collects errors in the console and requests that leave this machine; a test that means to cause one clears it."""

    errors: list[str] = field(default_factory=list)
    leaving: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        page.on("console", self._hear)
        page.on("pageerror", self._fail)
        page.on("request", self._see)

    def leave(self, page: Page) -> None:
        page.remove_listener("console", self._hear)
        page.remove_listener("pageerror", self._fail)
        page.remove_listener("request", self._see)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _fail(self, error: Error) -> None:
        self.errors.append(str(error))

    def _see(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in {"http", "https", "ws", "wss"} and address.hostname != "127.0.0.1":
            self.leaving.append(request.url)


class Window:
    """Tabs on one server, each with a page of its own, and nothing that was kept or allowed before it.

    Chromium runs them in the process of the first, which spares each the start of its own.
    """

    def __init__(self, browser: Browser, url: str, **look: Any) -> None:
        self._context = browser.new_context(base_url=url, **look)
        self._first = self._context.new_page()
        self._first.goto("/healthz")

    @contextmanager
    def tab(self, watch: Watch) -> Iterator[Page]:
        """A page that nobody has used, watched."""
        with self._context.expect_page() as opened:
            self._first.evaluate("() => { open('about:blank'); }")
        page = opened.value
        watch.follow(page)
        yield page
        page.close()
        self._context.set_offline(False)
        self._context.clear_permissions()
        self._context.clear_cookies()
        self._first.evaluate("localStorage.clear()")


class Chromium:
    """The browser and its windows, which begin when they are first needed."""

    def __init__(self) -> None:
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._windows: dict[str, Window] = {}

    @property
    def browser(self) -> Browser:
        """The browser, started where it is not."""
        if self._browser is None:
            self._playwright = sync_playwright().start()
            self._browser = self._playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        return self._browser

    def window(self, url: str, **look: Any) -> Window:
        """The window with such a look on a server."""
        key = f"{url} {look}"
        if key not in self._windows:
            self._windows[key] = Window(self.browser, url, **look)
        return self._windows[key]

    def close(self) -> None:
        """End it; the next who needs it starts another."""
        if self._browser is not None and self._playwright is not None:
            self._browser.close()
            self._playwright.stop()
        self._playwright = self._browser = None
        self._windows.clear()
