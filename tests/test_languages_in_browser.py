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


# What a person sees of the reference that has Latin letters and no Korean: names of the document apart.
ENGLISH = r"""
() => {
  const names = [
    "code, pre, textarea, option, input, .docs-name, .header-col, .parameter__in, .parameter__type",
    ".opblock-summary-path, .opblock-summary-method, .parameter__name:not(.opblock-title)",
    ".json-schema-2020-12__title, .json-schema-2020-12__attribute--primary, .json-schema-2020-12-json-viewer__value",
  ].join();
  const isEnglish = (text) =>
    /[A-Za-z]{2}/.test(text) && !/[가-힣]/.test(text) && !/^([$]ref|http:.*|: .*|curl|[(]http, Bearer[)])$/.test(text);
  const found = [];
  for (const element of document.querySelectorAll("#api-reference *")) {
    // A field is called what the document calls it, and an arrow what it opens.
    const isNamed = element.closest("[data-param-name], [data-property-name], .opblock-control-arrow");
    const labels = (isNamed ? ["title"] : ["title", "aria-label"]).map((name) => element.getAttribute(name) ?? "");
    found.push(...labels.filter(isEnglish));
    if (element.closest(names) && !element.closest(".json-schema-2020-12-keyword__name")) continue;
    const texts = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
    found.push(...texts.map((node) => node.nodeValue.trim()).filter(isEnglish));
  }
  return [...new Set(found)];
}
"""


def test_the_reference_is_korean_with_all_that_it_draws(browser: Browser, server: LiveServer, watch: Watch) -> None:
    context = browser.new_context(base_url=server.url, locale="ko-KR")
    page = context.new_page()
    watch.follow(page)
    page.goto("/docs#/Looking%20in/summary")
    asked = page.locator(".opblock.is-open")
    expect(asked.locator(".parameter__enum")).to_contain_text("가능한 값 : text")
    assert page.evaluate(ENGLISH) == []
    asked.locator(".try-out__btn", has_text="사용해 보기").click()
    asked.locator(".execute", has_text="보내기").click()
    expect(asked.locator(".validation-errors")).to_contain_text("tree_id: 필수 값입니다.")
    asked.locator(".tablinks", has_text="스키마").first.click()
    for name in ("모두 접기", "모두 펼치기"):
        asked.locator(".json-schema-2020-12-expand-deep-button", has_text=name).first.click()
    expect(asked.locator(".json-schema-2020-12-keyword__name").first).to_be_visible()
    assert page.evaluate(ENGLISH) == []
    # Its address is the one that it has in English.
    page.locator("#operations-Operation-healthz .opblock-summary-control").click()
    alive = page.locator("#operations-Operation-healthz")
    alive.locator(".try-out__btn", has_text="사용해 보기").click()
    alive.locator(".execute", has_text="보내기").click()
    expect(alive.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    page.locator(".models-control").click()
    page.locator(".btn.authorize", has_text="토큰 설정").click()
    expect(page.locator(".modal-ux")).to_be_visible()
    assert page.evaluate(ENGLISH) == []
    required = "getComputedStyle(document.querySelector('.parameter__name.required'), '::after').content"
    assert page.evaluate(required) == '"필수"'
    context.close()
