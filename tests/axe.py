"""What axe-core says of a page: WCAG 2.2 AA."""

from playwright.sync_api import Page

from tests.live import ROOT

# A script that a page has to bring.
AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
# A dialog that still fades in has other contrasts than the one that is read.
AT_REST = """
() => Promise.allSettled(document.getAnimations()
  .filter(({effect}) => Number.isFinite(effect.getComputedTiming().endTime)).map(({finished}) => finished))
"""


def violations(page: Page, *rules: str) -> list[str]:
    """What axe-core finds once nothing moves: the rule, what breaks it, and why."""
    page.evaluate(AT_REST)
    options = RULES | ({"runOnly": {"type": "rule", "values": list(rules)}} if rules else {})
    found = page.evaluate("(options) => axe.run(document, options)", options)["violations"]
    return [
        f"{each['id']}: {place['html'][:200]}: {place['failureSummary'][:300]}"
        for each in found
        for place in each["nodes"]
    ]
