"""The system's Chromium, and what a page did there that no page should do."""

import shutil
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request

NAMES = ("chromium", "chromium-browser", "google-chrome")
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
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._see)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _see(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in {"http", "https", "ws", "wss"} and address.hostname != "127.0.0.1":
            self.leaving.append(request.url)
