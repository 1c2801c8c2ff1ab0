"""Every page in both themes, both languages and both sizes: WCAG 2.2 AA by axe-core, and nothing that moves."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import Watch
from tests.live import ROOT, LiveServer
from tests.pages.reader import Reader

AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
MOST_SHIFT = 0.05
# Layout shifts that no input explains, added up as the page goes.
SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
LOOKS: dict[str, dict[str, Any]] = {
    "wide, light": {"viewport": WIDE, "color_scheme": "light", "locale": "en-US"},
    "phone, dark, Korean": {"viewport": PHONE, "color_scheme": "dark", "locale": "ko-KR", "has_touch": True},
}
OTHER_THEME = {"light": "dark", "dark": "light"}


@pytest.fixture(scope="module")
def places(server: LiveServer) -> dict[str, str]:
    """A tree as in the tutorial, trained and with a buffer; a model without values; a large tree."""
    reader = Reader(server.client)
    root: dict[str, object] = {"buffers": {"buf": [4]}, "children": {"sub1": {"children": {"sub2_1": {}}}}}
    small = reader.open_tree({"kind": "linear", "root": root, "seed": 0}, "linear_model1")
    run = reader.train(small)
    transformer: dict[str, object] = {
        "kind": "factory",
        "target": "torch.nn:Transformer",
        "kwargs": {"d_model": 64},
        "device": "meta",
    }
    return {
        "small": small,
        "run": f"/runs/{run}",
        "meta": reader.open_tree(transformer, "transformer"),
        "large": reader.open_tree({"kind": "grid", "branching": 10, "depth": 3, "seed": 0}),
    }


PATHS = (
    "/",
    "/trees",
    "/trees/new",
    "/trees/new?kind=factory",
    "/trees/new?kind=config",
    "/trees/new?kind=checkpoint",
    "/factories",
    "/checkpoints",
    "/learn",
    "/learn/parameters",
    "/runs",
    "/nowhere",
    "{run}",
    "{run}/epochs",
    "{small}",
    "{small}/modules/sub1?tab=parameters",
    "{small}?tab=repr",
    "{small}?tab=change",
    "{small}/build",
    "{small}/compare?target=sub1&target=sub1.sub2_1",
    "{small}/named_parameters",
    "{small}/values?target=weight",
    "{small}/stats?target=weight",
    "{small}/get_buffer?target=buf",
    "{small}/code",
    "{small}/origin",
    "{small}/trace",
    "{meta}",
    "{meta}/modules/encoder.layers.0.self_attn",
    "{meta}/folded",
    "{meta}/shapes",
    "{meta}/receipt",
    "{meta}/summary",
    "{meta}/trace",
    "{large}/search?q=sub3.sub4",
    "{large}/named_modules",
)


@pytest.fixture(params=LOOKS)
def seen(request: pytest.FixtureRequest, browser: Browser, server: LiveServer, watch: Watch) -> Iterator[Page]:
    """A page in one of the looks, which says how far what it shows has moved."""
    context = browser.new_context(base_url=server.url, reduced_motion="reduce", **LOOKS[request.param])
    context.add_init_script(SHIFTS)
    page = context.new_page()
    watch.follow(page)
    yield page
    context.close()


@pytest.mark.parametrize("path", PATHS)
def test_a_page_breaks_no_rule_and_does_not_move(path: str, seen: Page, places: dict[str, str], watch: Watch) -> None:
    seen.goto(path.format(**places), wait_until="networkidle" if "run" not in path else "load")
    if path == "/nowhere":
        watch.errors.clear()  # The browser tells of a 404 by itself.
    assert seen.evaluate("window.shifted") <= MOST_SHIFT
    assert seen.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(seen) == []
    theme = "dark" if seen.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") else "light"
    seen.emulate_media(color_scheme=OTHER_THEME[theme])  # type: ignore[arg-type]
    assert violations(seen, "color-contrast") == []


def violations(page: Page, *rules: str) -> list[str]:
    """What axe-core finds: the rule, what breaks it, and why."""
    page.evaluate(AXE)
    options = RULES | ({"runOnly": {"type": "rule", "values": list(rules)}} if rules else {})
    found = page.evaluate("(options) => axe.run(document, options)", options)["violations"]
    return [
        f"{each['id']}: {place['html'][:200]}: {place['failureSummary'][:300]}"
        for each in found
        for place in each["nodes"]
    ]
