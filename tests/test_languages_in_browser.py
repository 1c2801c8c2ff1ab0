"""The switch between languages in Chromium, the words that scripts say, and the letters they are drawn with."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser import Watch
from tests.live import LiveServer


@pytest.fixture(params=[True, False], ids=["scripts", "no_scripts"])
def context(browser: Browser, server: LiveServer, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A browser that asks for Korean, with scripts and without."""
    context = browser.new_context(base_url=server.url, locale="ko-KR", java_script_enabled=request.param)
    yield context
    context.close()


def test_the_choice_holds_on_the_same_page_and_on_the_next(context: BrowserContext, watch: Watch) -> None:
    page = context.new_page()
    watch.follow(page)
    page.goto("/trees?limit=5")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("button", name="한국어")).to_be_visible()
    assert page.url.endswith("/trees?limit=5")
    page.goto("/runs")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("button", name="한국어").click()
    expect(page.locator("html")).to_have_attribute("lang", "ko")


def test_scripts_and_letters_are_korean_too(browser: Browser, server: LiveServer, watch: Watch) -> None:
    context = browser.new_context(base_url=server.url, locale="ko-KR", permissions=["clipboard-write"])
    page: Page = context.new_page()
    watch.follow(page)
    page.goto("/trees")
    page.get_by_role("button", name="복사").first.click()
    expect(page.get_by_role("button", name="복사됨")).to_be_visible()
    page.evaluate("document.fonts.ready")
    drawn = page.evaluate("[...document.fonts].filter((font) => font.status === 'loaded').map((font) => font.family)")
    assert {name.strip('"') for name in drawn} == {"Inter", "JetBrains Mono", "Noto Sans KR"}
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
