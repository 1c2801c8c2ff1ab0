"""The tree in Chromium: walked by keyboard, folded, searched, listed flat, and as large as trees are."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import Watch
from tests.live import LiveServer
from tests.pages.reader import Reader

MARKUP = "<img src=x onerror=alert(1)>"
BLOCK: dict[str, object] = {"children": {"attn": {"children": {"q": {}, "k": {}}}}}
ROOT: dict[str, object] = {
    "children": {
        "h": {"children": {str(at): BLOCK for at in range(6)}},
        MARKUP: {"buffers": {"<b>steps</b>": 3}},
    }
}
SAID = "[data-search-said][role=status]"
# Far on, from row to row of another kind, with how many parts of rows move by themselves then.
SCROLLED = """async () => {
  const tree = document.querySelector("module-tree [data-tree]");
  let moving = 0;
  for (let step = 1; step <= 20; step += 1) {
    tree.scrollTop += 3000;
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    moving += document.getAnimations().filter(({effect}) => effect.target.closest(".tree-space")).length;
  }
  return moving;
}"""


@pytest.fixture(scope="module")
def blocks(server: LiveServer) -> str:
    """The address of a tree with six blocks that nobody changes."""
    return Reader(server.client).open_tree({"kind": "linear", "root": ROOT, "seed": 0}, "blocks")


@pytest.fixture(scope="module")
def grid(server: LiveServer) -> str:
    """The address of a tree of 111,111 modules."""
    return Reader(server.client).open_tree({"kind": "grid", "branching": 10, "depth": 5, "seed": 0}, "grid")


def names(page: Page) -> list[str]:
    """The names in the rows that are drawn, in order."""
    shown: list[str] = page.evaluate(
        """() => [...document.querySelectorAll(".tree-space > [role=treeitem]:not([hidden])")]
            .map(row => [new DOMMatrix(row.style.transform).m42, row.querySelector(".tree-name").textContent])
            .sort(([one], [other]) => one - other).map(([, name]) => name)"""
    )
    return shown


def active(page: Page) -> dict[str, Any]:
    """What a screen reader is told of the row with the focus."""
    told: dict[str, Any] = page.evaluate(
        """() => {
            const tree = document.activeElement;
            const row = document.getElementById(tree.getAttribute("aria-activedescendant"));
            const name = row.querySelector(".tree-name").textContent;
            const [level, place, size] = [row.ariaLevel, row.ariaPosInSet, row.ariaSetSize];
            return {name, level, place, size, expanded: row.ariaExpanded, selected: row.ariaSelected};
        }"""
    )
    return told


def hidden_below(page: Page) -> float:
    """Pixels of the row with the focus that the end of the tree cuts off."""
    hidden: float = page.evaluate(
        """() => {
            const [tree, row] = [document.activeElement, document.querySelector(".tree-active")];
            return Math.max(0, row.getBoundingClientRect().bottom - tree.getBoundingClientRect().bottom);
        }"""
    )
    return hidden


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def ready(page: Page) -> None:
    """Waits for the script's rows, on a page that has room for all of a small tree."""
    if page.viewport_size == {"width": 1440, "height": 900}:
        page.set_viewport_size({"width": 1440, "height": 1600})
    expect(page.locator("module-tree.tree-live")).to_be_visible()


def test_the_tree_is_walked_opened_and_selected_by_keyboard_alone(page: Page, blocks: str) -> None:
    page.goto(blocks)
    ready(page)
    assert names(page)[:6] == ["blocks", "weight", "bias", "h", "(0–5)", MARKUP]
    press(page, "/", "ArrowDown")
    expect(page.get_by_role("tree", name="Modules of blocks")).to_be_focused()
    assert active(page) == {
        "name": "blocks",
        "level": "1",
        "place": "1",
        "size": "1",
        "expanded": "true",
        "selected": "true",
    }
    press(page, "End", "Home", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowRight")
    assert active(page) == {
        "name": "(0–5)",
        "level": "3",
        "place": "1",
        "size": "1",
        "expanded": "false",
        "selected": None,
    }
    press(page, "ArrowRight", "ArrowRight", "3")
    assert active(page) == {
        "name": "3",
        "level": "4",
        "place": "4",
        "size": "6",
        "expanded": "true",
        "selected": "false",
    }
    press(page, "Enter")
    expect(page.locator("h1")).to_have_text("3")
    expect(page).to_have_url(re.compile(r"/modules/h\.3$"))
    assert names(page)[17:20] == ["3", "weight", "bias"]
    press(page, "ArrowLeft")
    assert active(page)["expanded"] == "false"
    press(page, "*")
    assert active(page)["expanded"] == "true"
    press(page, "Shift+ArrowDown", "Shift+ArrowDown", "Shift+ArrowDown")
    expect(page.locator("[role=treeitem][aria-selected=true] .tree-name")).to_have_text(["3", "attn"])
    press(page, "Control+ ")
    expect(page.locator("[role=treeitem][aria-selected=true] .tree-name")).to_have_text(["3"])
    press(page, "Enter")
    expect(page).to_have_url(re.compile(r"/modules/h\.3\.attn$"))
    page.go_back()
    expect(page.locator("h1")).to_have_text("3")
    expect(page.locator("[role=treeitem][aria-selected=true] .tree-name")).to_have_text(["3"])
    before = names(page)
    page.reload()
    ready(page)
    assert names(page) == before


def test_rows_are_folded_clicked_and_selected_together(page: Page, blocks: str) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"a name ran as a script: {dialog.message}"))
    page.goto(f"{blocks}/modules/h.2.attn")
    ready(page)
    row = page.locator("[role=treeitem]")
    assert [name for name in names(page) if name.startswith("(") or name.isdigit()] == ["0", "1", "2", "(3–5)"]
    row.filter(has_text="(3–5)").click()
    expect(row.filter(has_text=re.compile("^(3|4|5)LinearModel"))).to_have_count(3)
    expect(page.locator("h1")).to_have_text("attn")
    row.filter(has_text=re.compile("^4LinearModel")).click()
    row.filter(has_text=re.compile("^5LinearModel")).click(modifiers=["Control"])
    expect(page.locator("[aria-selected=true] .tree-name")).to_have_text(["4", "5"])
    page.get_by_role("button", name="Fold what repeats").click()
    assert not [name for name in names(page) if name.startswith("(")]
    page.get_by_role("button", name="Shut all rows").click()
    assert names(page) == ["blocks", "h", MARKUP]
    page.get_by_role("button", name="Open all rows").click()
    assert len(names(page)) == 27
    page.locator("[role=treeitem] a", has_text=MARKUP).click()
    expect(page.locator("h1")).to_have_text(MARKUP)
    page.get_by_role("tree", name="Modules of blocks").get_by_text("<b>steps</b>").click()
    expect(page).to_have_url(re.compile(r"tab=buffers"))


def test_111_111_rows_are_open_and_few_of_them_are_there(page: Page, grid: str) -> None:
    page.goto(grid)
    ready(page)
    assert names(page) == ["grid", "weight", "bias", "(sub1–sub10)"]
    page.get_by_role("button", name="Fold what repeats").click()
    page.get_by_role("button", name="Open all rows").click()
    press(page, "End")
    assert active(page) == {
        "name": "sub10",
        "level": "6",
        "place": "10",
        "size": "10",
        "expanded": "false",
        "selected": "false",
    }
    assert hidden_below(page) == 0
    # However high the page is, it is less than the 111 rows of sub10.sub10.sub10.
    press(page, "PageUp", "ArrowLeft", "Enter")
    expect(page).to_have_url(re.compile(r"/modules/sub10\.sub10\.sub10\.sub\d+$"))
    expect(page.locator("[role=treeitem][aria-selected=true]")).to_be_visible()
    assert page.locator(".tree-space > *").count() < 80
    before = names(page)
    page.reload()
    ready(page)
    assert names(page) == before
    page.evaluate("document.querySelector('module-tree [data-tree]').scrollTop = 1e6")
    page.get_by_role("tree", name="Modules of grid").focus()
    expect(page.locator(".tree-space > .tree-active")).to_have_count(1)
    # What comes into sight stands as it is: its arrow does not turn there from where another row's stood.
    assert page.evaluate(SCROLLED) == 0


def test_what_is_typed_is_found_with_its_ancestors_and_kept_in_the_address(
    page: Page, blocks: str, watch: Watch
) -> None:
    page.goto(blocks)
    ready(page)
    press(page, "/")
    page.keyboard.type("attn q")
    expect(page.locator(SAID)).to_have_text("6 modules")
    expect(page.locator("[role=treeitem] mark").first).to_have_text("attn")
    assert names(page)[:5] == ["blocks", "h", "0", "attn", "q"]
    expect(page).to_have_url(re.compile(r"\?q=attn\+q$"))
    page.reload()
    expect(page.locator(SAID)).to_have_text("6 modules")
    box = page.get_by_role("searchbox", name="Search this tree")
    expect(box).to_have_value("attn q")
    box.press("ArrowDown")
    press(page, "ArrowDown", "ArrowDown", "Enter")
    expect(page).to_have_url(re.compile(r"/modules/h\.1\.attn\?q=attn\+q$"))
    press(page, "Escape")
    expect(box).to_be_focused()
    expect(page.locator(SAID)).to_have_text("")
    assert [name for name in names(page) if name.startswith("(") or name.isdigit()] == ["0", "1", "(2–5)"]
    box.fill("weight numel>")
    expect(page.locator(SAID)).to_have_text('Character 14: expected a number after "numel>".')
    box.fill("attn2")
    expect(page.locator(SAID)).to_have_text('Nothing matches "attn2" in 27 modules. Clear the search')
    page.get_by_role("button", name="Clear the search").click()
    expect(box).to_have_value("")
    box.fill("img | steps")
    expect(page.locator("[role=treeitem] img, [role=treeitem] b")).to_have_count(0)
    expect(page.locator("[role=treeitem] .tree-name", has_text="<b>steps</b>")).to_be_visible()
    page.get_by_role("link", name="26 no grad").click()
    expect(page.locator(SAID)).to_have_text("26 modules")
    assert not watch.errors
    page.route("**/search?*", lambda route: route.abort("connectionrefused"))
    box.fill("q")
    expect(page.locator(SAID)).to_have_text("The server does not answer. Type again to try again.")
    watch.errors.clear()


def test_only_the_last_of_what_was_typed_is_shown_and_more_comes_as_one_scrolls(page: Page, grid: str) -> None:
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    page.route("**/search?q=sub&*", hold)
    page.goto(grid)
    ready(page)
    box = page.get_by_role("searchbox")
    box.fill("sub")
    expect(page.locator(SAID)).to_have_text("Searching…")
    box.fill("sub7.sub7")
    expect(page.locator(SAID)).to_have_text("1,111 modules")
    assert len(waiting) == 1
    box.press("ArrowDown")
    height = page.evaluate("document.querySelector('.tree-space').style.height")
    press(page, "End")
    expect(page.locator(".tree-space")).not_to_have_css("height", height)


def test_lists_take_the_place_of_the_tree_without_a_reload(page: Page, blocks: str) -> None:
    page.goto(f"{blocks}/modules/h.2")
    ready(page)
    page.evaluate("document.body.dataset.mark = 'kept'")
    page.get_by_role("link", name="Parameters 54").click()
    expect(page).to_have_url(re.compile(r"/named_parameters\?module=h\.2$"))
    expect(page.get_by_role("tree", name="What is listed")).to_be_visible()
    expect(page.locator("[aria-selected=true] .tree-name")).to_have_text(["h.2.weight", "h.2.bias"])
    expect(page.locator("h1")).to_have_text("2")
    page.locator("[role=treeitem]", has_text="h.0.attn.q.weight").click()
    expect(page.locator("h1")).to_have_text("q")
    expect(page).to_have_url(re.compile(r"/named_parameters\?.*module=h\.0\.attn\.q"))
    page.reload()
    ready(page)
    expect(page.locator("[aria-selected=true] .tree-name")).to_have_text(["h.0.attn.q.weight", "h.0.attn.q.bias"])
    expect(page.locator("h1")).to_have_text("q")
    page.get_by_role("link", name="Tree", exact=True).click()
    expect(page.get_by_role("tree", name="Modules of blocks")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/modules/h\.0\.attn\.q"))
    page.go_back()
    expect(page.get_by_role("tree", name="What is listed")).to_be_visible()
    page.goto(f"{blocks}/named_modules?remove_duplicate=false")
    ready(page)
    assert names(page)[:4] == ["blocks", "h", "h.0", "h.0.attn"]


def test_a_change_keeps_what_is_open_and_what_is_selected(page: Page, server: LiveServer) -> None:
    reader = Reader(server.client)
    tree = reader.open_tree({"kind": "linear", "root": ROOT, "seed": 0}, "changed")
    page.goto(f"{tree}/modules/h.1.attn")
    ready(page)
    body = {"target": "h.0", "name": "first", "root": {}}
    reader.client.post(f"/api{tree}/add_module", json=body).raise_for_status()
    page.evaluate("import('/static/js/workspace.js').then(({ workspace }) => workspace.changed())")
    expect(page.locator("[role=treeitem] .tree-name", has_text="first")).to_be_visible()
    expect(page.locator("[aria-selected=true] .tree-name")).to_have_text(["attn"])
    expect(page.get_by_role("link", name="Modules 28")).to_be_visible()


def test_a_statistic_colours_the_rows(page: Page, blocks: str) -> None:
    page.goto(blocks)
    ready(page)
    page.evaluate(
        """async () => {
            const { workspace } = await import("/static/js/workspace.js");
            const values = new Map([[0, 65.9], [3, null]]);
            workspace.setHeat({ key: "gradient_norm", label: "Gradient norm", range: [0.003, 66], values });
        }"""
    )
    expect(page.locator("[data-tree-heat]")).to_have_text("Gradient norm")
    expect(page.locator(".tree-heat:not(:empty)")).to_have_text(["65.9"])


def test_a_phone_says_what_the_first_row_is_in(phone: Page, grid: str) -> None:
    page = phone
    page.goto(f"{grid}/modules/sub3.sub4.sub5")
    ready(page)
    page.locator("[aria-level='5']:visible", has_text="(sub1–sub10)").locator(".tree-twist").tap()
    page.evaluate("document.querySelector('module-tree [data-tree]').scrollTop = 400")
    expect(page.locator(".tree-path")).to_contain_text("grid / sub3")
    box = page.locator("[role=treeitem]:visible").first.bounding_box()
    assert box is not None
    assert box["height"] == 40
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_search_works_without_scripts(plain_page: Page, blocks: str) -> None:
    plain_page.goto(blocks)
    plain_page.get_by_role("searchbox").fill("h.2.attn")
    plain_page.get_by_role("button", name="Search", exact=True).click()
    expect(plain_page.locator(SAID)).to_have_text("1 module")
    plain_page.get_by_role("link", name="attn", exact=True).click()
    expect(plain_page.locator("h1")).to_have_text("attn")
