"""Search in Chromium: results while somebody types, by keyboard alone, and without scripts."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import Watch
from tests.live import LiveServer
from tests.pages.reader import Reader

SAID = "[data-search-said][role=status]"
MARKUP = "<img src=x onerror=alert(1)>"
ROOT: dict[str, object] = {
    "children": {
        "h": {"children": {str(at): {"children": {"attn": {"children": {"q": {}, "k": {}}}}} for at in range(3)}},
        MARKUP: {"buffers": {"<b>steps</b>": 3}},
    }
}


@pytest.fixture(scope="module")
def tree(server: LiveServer) -> str:
    """The address of a tree with three blocks that nobody changes."""
    return Reader(server.client).open_tree({"kind": "linear", "root": ROOT, "seed": 0}, "blocks")


def test_a_search_goes_from_typing_to_the_module_by_keyboard_alone(page: Page, tree: str) -> None:
    page.goto(tree)
    page.keyboard.press("/")
    box = page.get_by_role("searchbox", name="Search this tree")
    expect(box).to_be_focused()
    page.keyboard.type("attn q")
    expect(page.locator(SAID)).to_have_text("3 modules")
    expect(page.locator("[data-search-results] mark").first).to_have_text("attn")
    expect(page.locator("[data-tree]")).to_be_hidden()
    found = page.locator("[data-search-results] a[data-found]")
    expect(found).to_have_text(["q", "q", "q"])
    page.keyboard.press("ArrowDown")
    expect(found.nth(0)).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    expect(found.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/modules/h\.1\.attn\.q$"))
    expect(page.locator("h1")).to_have_text("q")
    expect(page.locator("[data-tree] [aria-current]")).to_be_focused()


def test_the_search_is_there_again_after_a_result_was_opened(page: Page, tree: str) -> None:
    page.goto(tree)
    page.get_by_role("searchbox").fill("attn q")
    page.locator("[data-search-results] a[data-found]").first.click()
    expect(page.locator("h1")).to_have_text("q")
    expect(page.locator("[data-tree]")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_have_value("attn q")
    page.keyboard.press("ArrowDown")
    expect(page.locator(SAID)).to_have_text("3 modules")


def test_escape_clears_and_the_tree_comes_back(page: Page, tree: str) -> None:
    page.goto(tree)
    box = page.get_by_role("searchbox")
    box.fill("attn")
    expect(page.locator(SAID)).to_have_text("3 modules")
    box.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(box).to_be_focused()
    expect(box).to_have_value("")
    expect(page.locator("[data-tree]")).to_be_visible()
    expect(page.locator(SAID)).to_have_text("")
    page.keyboard.type("/")
    expect(box).to_have_value("/")


def test_a_query_in_the_making_says_what_is_expected_and_keeps_what_was_found(
    page: Page, tree: str, watch: Watch
) -> None:
    page.goto(tree)
    box = page.get_by_role("searchbox")
    box.fill("weight")
    expect(page.locator(SAID)).to_have_text("15 tensors")
    box.fill("weight numel>")
    expect(page.locator(SAID)).to_have_text('Character 14: expected a number after "numel>".')
    expect(page.locator("[data-search-results] a[data-found]")).to_have_count(15)
    box.fill("attn2")
    expect(page.locator(SAID)).to_have_text('Nothing matches "attn2" in 15 modules.')
    watch.errors.clear()


def test_only_the_last_of_what_was_typed_is_shown(page: Page, tree: str) -> None:
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    page.route("**/search?q=att&*", hold)
    page.goto(tree)
    box = page.get_by_role("searchbox")
    box.fill("att")
    expect(page.locator(SAID)).to_have_text("Searching…")
    box.fill("steps")
    expect(page.locator(SAID)).to_have_text("1 tensor")
    assert len(waiting) == 1


def test_a_server_that_does_not_answer_is_said(page: Page, tree: str, watch: Watch) -> None:
    page.goto(tree)
    page.route("**/search?*", lambda route: route.abort("connectionrefused"))
    page.get_by_role("searchbox").fill("attn")
    expect(page.locator(SAID)).to_have_text("The server does not answer. Type again to try again.")
    watch.errors.clear()


def test_names_that_are_markup_run_nothing_in_the_results(page: Page, tree: str) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"a name ran as a script: {dialog.message}"))
    page.goto(tree)
    page.get_by_role("searchbox").fill("img | steps")
    results = page.locator("[data-search-results]")
    expect(results.get_by_role("link", name=MARKUP)).to_be_visible()
    expect(results.get_by_role("link", name="<b>steps</b>")).to_be_visible()
    expect(results.locator("img, b")).to_have_count(0)
    results.get_by_role("link", name=MARKUP).click()
    expect(page.locator("h1")).to_have_text(MARKUP)


def test_a_target_is_the_first_thing_that_the_arrows_lead_to(page: Page, tree: str) -> None:
    page.goto(tree)
    page.get_by_role("searchbox").fill("h")
    expect(page.locator(SAID)).to_contain_text("1 module")
    page.get_by_role("searchbox").press("ArrowDown")
    expect(page.get_by_role("link", name="Open h")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/modules/h$"))


def test_enter_in_the_box_leads_to_all_that_was_found(page: Page, tree: str) -> None:
    page.goto(tree)
    page.get_by_role("searchbox").fill("weight")
    page.get_by_role("searchbox").press("Enter")
    expect(page).to_have_url(re.compile(r"/search\?q=weight$"))
    page.wait_for_load_state()
    page.keyboard.press("/")
    page.keyboard.press("ArrowDown")
    expect(page.locator("a[data-found]").first).to_be_focused()


def test_search_works_without_scripts(plain_page: Page, tree: str) -> None:
    plain_page.goto(tree)
    plain_page.get_by_role("searchbox").fill("h.2.attn")
    plain_page.get_by_role("button", name="Search").click()
    expect(plain_page.locator(SAID)).to_have_text("1 module")
    plain_page.get_by_role("link", name="attn", exact=True).click()
    expect(plain_page.locator("h1")).to_have_text("attn")
