"""Folded rows of the tree in Chromium: by keyboard, by mouse, and on a phone."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.live import LiveServer
from tests.pages.reader import Reader


@pytest.fixture
def tree(server: LiveServer) -> str:
    """The address of a grid of 111 modules, ten by ten."""
    return Reader(server.client).open_tree({"kind": "grid", "branching": 10, "depth": 2, "seed": 0})


def test_keys_unfold_a_run_go_through_it_and_fold_it_again(page: Page, tree: str) -> None:
    page.goto(tree)
    rows = page.locator("a.tree-name")
    rows.first.focus()
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_have_text("(sub1–sub10)")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(rows).to_have_count(12)
    expect(rows.nth(1)).to_be_focused()
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    expect(rows.nth(5)).to_have_text("sub4")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("sub4")
    expect(page).to_have_url(re.compile(r"/modules/sub4\?unfold=1$"))
    expect(page.locator("[data-tree] [aria-current]")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("a.tree-name", has_text="(sub1–sub10)").first).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile(r"/modules/sub4$"))
    expect(page.locator("a.tree-name", has_text="(sub1–sub3)")).to_be_visible()


def test_a_click_on_the_arrow_lists_all_and_the_selection_stays(page: Page, tree: str) -> None:
    page.goto(f"{tree}/modules/sub2")
    page.get_by_role("link", name="List each of (sub3–sub10)").click()
    expect(page.locator("[data-tree] [aria-expanded=true][data-tree-turn]")).to_have_count(1)
    expect(page.locator("h1")).to_have_text("sub2")
    page.locator("[data-tree]").get_by_role("link", name="sub7", exact=True).click()
    expect(page.locator("h1")).to_have_text("sub7")


def test_a_row_of_a_run_opens_its_first(page: Page, tree: str) -> None:
    page.goto(tree)
    page.locator("[data-tree]").get_by_role("link", name="(sub1–sub10)", exact=True).click()
    expect(page.locator("h1")).to_have_text("sub1")
    expect(page.locator("a.tree-name", has_text="(sub2–sub10)")).to_be_visible()


@pytest.mark.parametrize("path", ["?unfold=1", "/folded", "/shapes", "/receipt"])
def test_nothing_scrolls_sideways_on_a_phone(page: Page, tree: str, path: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{tree}{path}")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
