"""A tree of 111,111 modules in a browser: how soon it answers a key, and how smoothly it scrolls.

    python -m bench.in_browser [--branching 10] [--depth 5] [--rounds 3]

How soon is what the page's own clock says, from the navigation to the frame that shows the first key answered; an
empty page stands beside it. And in the same browser: Netron with the modules' tensors as a file, and Model Explorer
with the modules as the nodes of its graph, each until it has drawn. Both are seen once, as they take long. Needs
Chromium.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import TypeAlias

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from bench.measure import Measure, table
from bench.peers import model_explorer, netron
from tests.browser import FLAGS, find_chromium
from tests.live import LiveServer

Serving: TypeAlias = Callable[[list[str], Path], AbstractContextManager[str]]

FRAME_S = 0.05
ANSWER_S = 1.0
LONGEST_S = 600.0
POLL_S = 0.01
SIZE = {"width": 1440, "height": 900}

# The tree says that it is live, and is sent a key in the same moment; `End` goes to the last row.
SEND_KEY = """
document.addEventListener("ready", ({target}) => {
  const tree = target.querySelector("[role=tree]");
  const at = () => tree.getAttribute("aria-activedescendant");
  const before = at();
  tree.focus();
  tree.dispatchEvent(new KeyboardEvent("keydown", {key: "End", bubbles: true, cancelable: true}));
  requestAnimationFrame(() => setTimeout(() => {
    if (at() !== before) document.documentElement.dataset.answered = performance.now();
  }));
}, {once: true});
"""
TREE = "module-tree [role=tree]"
# Nothing but a length to scroll through, as high as a browser lets a tree of 111,111 rows be.
BLANK = "document.body.replaceChildren(Object.assign(document.createElement('div'), {style: 'height: 2666664px'}))"
LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"
HAS_DRAWN = {
    "Netron": "document.body?.className === 'default'",
    "Model Explorer": "!!document.querySelector('canvas') && !!document.querySelector('model-graph-visualizer') "
    "&& !document.querySelector('mat-spinner')",
}
# Frames while the whole tree is scrolled from its top to its end, in milliseconds; the first has nothing before it.
SCROLL = """async (what) => {
  const tree = document.querySelector(what);
  const frames = [];
  let last = 0;
  for (let step = 0; step <= 120; step += 1) {
    tree.scrollTop = (tree.scrollHeight - tree.clientHeight) * (step / 120);
    const now = await new Promise(requestAnimationFrame);
    if (last) frames.push(now - last);
    last = now;
  }
  return frames;
}"""


@dataclass(frozen=True, slots=True)
class Seen:
    """How soon a page was there, by its own clock, and each of its frames while it scrolls, in seconds."""

    ready_s: float
    frames: list[float]


def paths_of(branching: int, depth: int) -> list[str]:
    """Return the path of each module of a grid, level by level."""
    names = [f"sub{number + 1}" for number in range(branching)]
    return [".".join(path) for level in range(depth + 1) for path in product(names, repeat=level)]


def until(session: CDPSession, expression: str, began: float) -> float:
    """Return the seconds since `began` when the expression holds; at most LONGEST_S. Netron forbids `eval` itself."""
    while (passed := time.perf_counter() - began) < LONGEST_S:
        told = session.send("Runtime.evaluate", {"expression": expression})
        if told["result"].get("value") is True:
            return passed
        time.sleep(POLL_S)
    return LONGEST_S


def drawn(browser: Browser, address: str, expression: str) -> float:
    """Return how long a page takes from its address to what the expression asks for."""
    context = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
    # Netron asks for consent before it begins.
    context.add_cookies([{"name": "consent", "value": "1", "url": address}])
    page = context.new_page()
    session = context.new_cdp_session(page)
    began = time.perf_counter()
    page.goto(address, wait_until="commit", timeout=LONGEST_S * 1e3)
    passed = until(session, expression, began)
    context.close()
    return passed


def scrolled(page: Page, what: str) -> list[float]:
    """Return the seconds of each frame while an element scrolls from its top to its end."""
    return [frame / 1e3 for frame in page.evaluate(SCROLL, what)]


def ours(browser: Browser, address: str) -> Seen:
    """Return how soon the tree answers a key, and its frames while all of it is open."""
    context = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
    context.add_init_script(SEND_KEY)
    page = context.new_page()
    page.goto(address)
    page.locator("html[data-answered]").wait_for()
    answered = float(page.locator("html").get_attribute("data-answered") or LONGEST_S * 1e3) / 1e3
    for act in ("fold", "open"):
        page.locator(f"[data-tree-do={act}]").click()
    frames = scrolled(page, TREE)
    context.close()
    return Seen(answered, frames)


def empty(browser: Browser, url: str) -> Seen:
    """Return how soon the server's smallest page has loaded, and its frames with nothing to show."""
    context = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{url}/healthz")
    loaded = float(page.evaluate(LOADED)) / 1e3
    page.evaluate(BLANK)
    frames = scrolled(page, "html")
    context.close()
    return Seen(loaded, frames)


def measure(branching: int = 10, depth: int = 5, rounds: int = 3) -> list[Measure]:
    """Return our times to answer over those allowed, an empty page's and each peer's, and our frames."""
    paths = paths_of(branching, depth)
    with (
        tempfile.TemporaryDirectory() as folder,
        LiveServer(Path(folder) / "data") as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*FLAGS, "--no-sandbox"])
        small, large = _opened(server, 2, 1), _opened(server, branching, depth)
        seen = [(empty(browser, server.url), ours(browser, small), ours(browser, large)) for _ in range(rounds)]
        blanks, smalls, larges = zip(*seen, strict=True)
        many = [each.ready_s for each in larges]
        name = f"{len(paths):,} modules answer a key"
        measures = [
            Measure(
                "3 modules answer a key",
                "the longest allowed",
                [each.ready_s for each in smalls],
                [ANSWER_S] * rounds,
                1,
            ),
            Measure(name, "the longest allowed", many, [ANSWER_S] * rounds, 1),
            Measure(name, "an empty page has loaded", many, [each.ready_s for each in blanks]),
            *_smoothness(larges, blanks),
        ]
        peers: dict[str, Serving] = {"Netron": netron, "Model Explorer": model_explorer}
        for peer, serving in peers.items():
            measures.append(_beside(browser, name, many, peer, serving, paths, Path(folder)))
        browser.close()
    return measures


def _smoothness(larges: Sequence[Seen], blanks: Sequence[Seen]) -> list[Measure]:
    rounds = len(larges)
    longest, mean = [max(each.frames) for each in larges], [fmean(each.frames) for each in larges]
    return [
        Measure("longest frame while it scrolls", "the longest allowed", longest, [FRAME_S] * rounds, 1),
        Measure("a frame while it scrolls", "a sixtieth of a second", mean, [1 / 60] * rounds, 1),
        Measure("a frame while it scrolls", "a frame of an empty page", mean, [fmean(each.frames) for each in blanks]),
    ]


def _opened(server: LiveServer, branching: int, depth: int) -> str:
    """Return the address of a tree that is a grid."""
    source = {"kind": "grid", "branching": branching, "depth": depth, "seed": 0}
    tree = server.client.post("/api/trees", json={"source": source}).raise_for_status().json()
    return f"{server.url}/trees/{tree['id']}"


def _beside(
    browser: Browser,
    name: str,
    answered: list[float],
    peer: str,
    serving: Serving,
    paths: list[str],
    folder: Path,
) -> Measure:
    with serving(paths, folder) as address:
        theirs = drawn(browser, address, HAS_DRAWN[peer])
    stopped = f", stopped at {LONGEST_S:g} s" if theirs >= LONGEST_S else ""
    return Measure(name, f"{peer} has drawn{stopped}", answered, [theirs] * len(answered))


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--branching", type=int, default=10)
    parser.add_argument("--depth", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print(table(measure(asked.branching, asked.depth, asked.rounds)))


if __name__ == "__main__":
    main()
