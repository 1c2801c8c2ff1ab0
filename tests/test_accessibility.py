"""Every page in both themes, those that a phone lays out anew there too: WCAG 2.2 AA by axe-core, nothing moves."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.axe import AXE, violations
from tests.browser import DESK, PHONE, Watch
from tests.live import LiveServer
from tests.pages.reader import Reader

MOST_SHIFT = 0.05
# Layout shifts that no input explains, added up as the page goes.
SHIFTS = """
window.shifted = 0;
const add = (entries) => { for (const entry of entries) if (!entry.hadRecentInput) window.shifted += entry.value; };
const observer = new PerformanceObserver((list) => add(list.getEntries()));
observer.observe({ type: "layout-shift", buffered: true });
window.settled = async () => {
  await document.fonts.ready;
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  add(observer.takeRecords());
  return { shifted: window.shifted, sideways: document.documentElement.scrollWidth - innerWidth };
};
"""
# What scripts draw stands: the tree has its keys, the map is no longer the server's drawing, the reference is there.
# A function: the pages' policy lets no other text be evaluated a second time.
STANDS = """() => document.querySelector(
  "module-tree:not(.tree-live), module-map [data-map-first]:not(.map-empty), #api-reference:not(:has(.opblock))"
) === null"""
LOOKS: dict[str, dict[str, Any]] = {
    "wide, light": {"viewport": DESK, "color_scheme": "light", "locale": "en-US"},
    "phone, dark, Korean": {"viewport": PHONE, "color_scheme": "dark", "locale": "ko-KR", "has_touch": True},
}


@pytest.fixture(scope="module")
def places(server: LiveServer) -> dict[str, str]:
    """A tree as in the tutorial, trained twice, with a buffer and a matrix; a model without values; a large tree."""
    reader = Reader(server.client)
    root: dict[str, object] = {"buffers": {"buf": [4]}, "children": {"sub1": {"children": {"sub2_1": {}}}}}
    small = reader.open_tree({"kind": "linear", "root": root, "seed": 0}, "linear_model1")
    kernel = [[float(row * column) for column in range(20)] for row in range(12)]
    body = {"target": "sub1", "name": "kernel", "value": kernel}
    server.client.post(f"/api{small}/register_parameter", json=body).raise_for_status()
    runs = [reader.train(small, module_stats_every=1), reader.train(small, lr=0.001)]
    transformer: dict[str, object] = {
        "kind": "factory",
        "target": "torch.nn:Transformer",
        "kwargs": {"d_model": 64},
        "device": "meta",
    }
    return {
        "small": small,
        "run": f"/runs/{runs[0]}",
        "both": f"/runs/compare?run={runs[0]}&run={runs[1]}",
        "meta": reader.open_tree(transformer, "transformer"),
        "large": reader.open_tree({"kind": "grid", "branching": 10, "depth": 3, "seed": 0}),
    }


PATHS = (
    "/",
    "/trees",
    "/trees/new",
    "/trees/new?kind=factory",
    "/trees/new?kind=factory&target=torch.nn:TransformerEncoderLayer",
    "/trees/new?kind=config",
    "/trees/new?kind=checkpoint",
    "/factories",
    "/checkpoints",
    "/learn",
    "/learn/parameters",
    "/runs",
    "/runs?q=nothing",
    "/runs?limit=none",
    "/nowhere",
    "{both}",
    "{run}",
    "{run}/picture",
    "{run}/epochs",
    "{run}/insights",
    "{run}/modules",
    "{small}",
    "{small}/modules/sub1?tab=parameters",
    "{small}/modules/sub1?tab=parameters&tensor=kernel",
    "{small}?tab=trace",
    "{small}?tab=runs",
    "{small}?tab=repr",
    "{small}?tab=change",
    "{small}/build",
    "{small}/compare?target=sub1&target=sub1.sub2_1",
    "{small}/named_parameters",
    "{small}/values?target=weight",
    "{small}/stats?target=weight",
    "{small}/heat_map?target=sub1.kernel",
    "{small}/get_buffer?target=buf",
    "{small}/code",
    "{small}/skeleton",
    "{small}/origin",
    "{small}/trace",
    "{meta}",
    "{meta}/modules/encoder.layers.0.self_attn",
    "{meta}/folded",
    "{meta}/shapes",
    "{meta}/receipt",
    "{meta}/state_dict",
    "{meta}/summary",
    "{meta}/trace",
    "{large}",
    "{large}/search?q=sub3.sub4",
    "{large}/named_modules",
    "/docs",
)


# On a phone, those of them that are laid out in another way there.
PHONE_PATHS = (
    "/",
    "/runs",
    "{run}/picture",
    "/trees/new?kind=factory",
    "/learn",
    "/learn/parameters",
    "{small}",
    "{small}/modules/sub1?tab=parameters",
    "{small}/build",
    "{small}/compare?target=sub1&target=sub1.sub2_1",
    "{small}/named_parameters",
    "{small}/values?target=sub1.kernel",
    "{meta}",
    "{meta}/state_dict",
    "{meta}?tab=runs",
    "{both}",
    "/docs",
)
SEEN = [
    *(("wide, light", path) for path in PATHS),
    *(("phone, dark, Korean", path) for path in PHONE_PATHS),
]


@pytest.fixture(scope="module")
def tabs(browser: Browser, server: LiveServer) -> Iterator[dict[str, Page]]:
    """Each of the looks, for all pages in turn: each says how far what it shows has moved, and brings axe-core."""
    tabs = {}
    for name, look in LOOKS.items():
        context = browser.new_context(base_url=server.url, reduced_motion="reduce", **look)
        context.add_init_script(SHIFTS)
        context.add_init_script(AXE)
        tabs[name] = context.new_page()
    yield tabs
    for tab in tabs.values():
        tab.context.close()


@pytest.fixture
def seen(look: str, tabs: dict[str, Page], watch: Watch) -> Iterator[Page]:
    watch.follow(tabs[look])
    yield tabs[look]
    watch.leave(tabs[look])


@pytest.mark.parametrize(("look", "path"), SEEN)
def test_a_page_breaks_no_rule_and_does_not_move(path: str, seen: Page, places: dict[str, str], watch: Watch) -> None:
    response = seen.goto(path.format(**places), wait_until="load")
    if response is None or not response.ok:
        watch.errors.clear()  # The browser tells of a refusal by itself.
    seen.wait_for_function(STANDS)
    settled = seen.evaluate("window.settled()")
    assert settled["shifted"] <= MOST_SHIFT
    assert settled["sideways"] <= 0
    assert violations(seen) == []
    assert contrast_in_the_other_theme(seen) == []


@pytest.mark.parametrize("look", ["wide, light"])
def test_what_opens_over_the_workspace_breaks_no_rule(seen: Page, places: dict[str, str]) -> None:
    seen.goto(places["meta"], wait_until="load")
    seen.wait_for_function(STANDS)

    def opened(opens: Callable[[], None], what: str) -> None:
        opens()
        seen.locator(what).wait_for()
        assert violations(seen) == []
        assert contrast_in_the_other_theme(seen) == []

    opened(lambda: seen.locator("[data-map-switch]").click(), "[data-map-table] tbody tr >> nth=0")
    opened(lambda: seen.keyboard.press("Control+k"), "dialog[open] [role=option] >> nth=0")
    seen.keyboard.press("Escape")
    opened(lambda: seen.keyboard.press("?"), "dialog.dialog-keys[open]")


@pytest.mark.parametrize("look", ["phone, dark, Korean"])
def test_what_opens_on_a_phone_breaks_no_rule_and_moves_nothing(seen: Page, places: dict[str, str]) -> None:
    for path in ("/", places["meta"]):
        seen.goto(path, wait_until="load")
        seen.wait_for_function(STANDS)
        high = seen.locator(".bar").bounding_box()
        seen.locator(".bar-more > summary").click()
        seen.locator(".bar-more .menu-sheet").wait_for()
        assert seen.locator(".bar").bounding_box() == high
        assert seen.evaluate("window.settled()")["sideways"] <= 0
        assert violations(seen) == []
        seen.keyboard.press("Escape")
        seen.keyboard.press("?")
        seen.locator("dialog.dialog-keys[open]").wait_for()
        assert violations(seen) == []
        seen.keyboard.press("Escape")
    seen.locator("[data-sheet-grip]").press("Enter")
    seen.locator("[data-sheet-grip][aria-expanded=true]").wait_for()
    assert violations(seen) == []


def contrast_in_the_other_theme(page: Page) -> list[str]:
    is_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    page.emulate_media(color_scheme="light" if is_dark else "dark")
    found = violations(page, "color-contrast")
    page.emulate_media(color_scheme="dark" if is_dark else "light")
    return found
