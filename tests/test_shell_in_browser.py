"""What stands around the panes: the palette, the keys, sizes, the sheet of a phone, a server that goes away."""

import re
import socket
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import Watch
from tests.live import LiveServer
from tests.pages.reader import Reader

LINEAR: dict[str, object] = {
    "kind": "linear",
    "root": {"children": {"sub1": {"children": {"sub2_1": {}}}}},
    "seed": 0,
}
UNLIKE = {f"sub{number}": {"buffers": {f"buf{number}": [1]}} for number in range(20)}
WIDE: dict[str, object] = {"kind": "linear", "root": {"children": UNLIKE}, "seed": 0}
SHIFTS = """() => new Promise((resolve) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const each of list.getEntries()) sum += each.hadRecentInput ? 0 : each.value;
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve(sum), 500);
})"""


@pytest.fixture(scope="module")
def tree(server: LiveServer) -> str:
    """The address of the tutorial's tree."""
    return Reader(server.client).open_tree(LINEAR, "linear_model1")


def width_of(page: Page, selector: str) -> float:
    box = page.locator(selector).bounding_box()
    assert box is not None, selector
    return box["width"]


def test_the_palette_goes_to_modules_trees_and_pages_by_keyboard(page: Page, tree: str) -> None:
    page.goto(tree)
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Go to a module")
    expect(field).to_be_focused()
    page.keyboard.type("sub2")
    expect(page.locator("dialog").get_by_role("option", selected=True)).to_contain_text("sub1.sub2_1")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/modules/sub1\.sub2_1$"))
    expect(page.locator("h1")).to_have_text("sub2_1")
    expect(page).to_have_title("sub2_1 · linear_model1 · Moduletree")
    page.keyboard.press("Control+k")
    page.keyboard.type("theme")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.keyboard.press("Control+k")
    expect(page.locator(".palette-group").first).to_have_text("Used lately")
    expect(page.locator("dialog").get_by_role("option").first).to_contain_text("Theme")
    page.keyboard.press("ArrowDown")
    expect(page.locator("dialog").get_by_role("option").nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.type("no such thing")
    expect(page.get_by_text("Nothing matches “no such thing”.").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.goto("/runs")
    page.get_by_role("button", name="Search trees and modules").click()
    expect(page.get_by_role("combobox", name="Go to a tree or a page")).to_be_focused()
    page.keyboard.type("linear_model1")
    expect(
        page.locator("dialog").get_by_role("option", name=re.compile("linear_model1.*3 modules")).first
    ).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/trees/t_\w+$"))


def test_the_keys_are_shown_and_the_focus_comes_back(page: Page, tree: str) -> None:
    page.goto(tree)
    compare = page.get_by_role("link", name="Compare")
    compare.focus()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard")
    for words in ("Open the command palette", "Walk the rows", "Move the line; with Shift farther"):
        expect(keys.get_by_text(words)).to_be_visible()
    page.keyboard.press("Escape")
    expect(keys).to_have_count(0)
    expect(compare).to_be_focused()


def test_a_dialog_that_closes_does_not_call_back_who_has_gone_on(page: Page, tree: str) -> None:
    page.goto(tree)
    page.locator("module-tree.tree-live").wait_for()
    page.get_by_role("link", name="Trees").focus()
    page.keyboard.press("?")
    page.locator("dialog[open]").wait_for()
    page.evaluate("""() => new Promise((resolve) => {
      const dialog = document.querySelector("dialog");
      dialog.addEventListener("close", resolve);
      dialog.close();
      document.querySelector("[data-map-switch]").focus();
    })""")
    expect(page.locator("[data-map-switch]")).to_be_focused()
    page.keyboard.press("?")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("[data-map-switch]")).to_be_focused()


def test_panes_are_resized_by_keys_and_pointer_and_stay_so(page: Page, tree: str) -> None:
    page.goto(tree)
    edge = page.get_by_role("separator", name="Width of the tree")
    expect(edge).to_have_attribute("aria-valuenow", "556")
    edge.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowLeft")
    expect(edge).to_have_attribute("aria-valuenow", "508")
    dock = page.get_by_role("separator", name="Height of the runs")
    dock.focus()
    page.keyboard.press("Home")
    page.reload()
    assert width_of(page, ".pane-tree") == 508
    expect(page.get_by_role("separator", name="Height of the runs")).to_have_attribute("aria-valuenow", "160")
    page.get_by_role("separator", name="Width of the tree").focus()
    page.keyboard.press("Enter")
    assert width_of(page, ".pane-tree") == 556
    page.mouse.move(556.5, 300)
    page.mouse.down()
    page.mouse.move(456.5, 300)
    page.mouse.up()
    assert width_of(page, ".pane-tree") == 456
    page.mouse.dblclick(456.5, 300)
    assert width_of(page, ".pane-tree") == 556


def test_a_narrower_page_keeps_its_parts_within_reach(page: Page, tree: str) -> None:
    page.set_viewport_size({"width": 1024, "height": 800})
    page.goto(tree)
    assert width_of(page, ".pane-tree") == 420
    expect(page.locator(".pane-map")).to_be_hidden()
    page.locator("[data-pane-tab]").click()
    expect(page.locator(".pane-map")).to_be_visible()
    page.locator('.pane-inspector [data-tab="overview"]').first.click()
    expect(page.locator(".pane-map")).to_be_hidden()
    expect(page.locator(".dock-fit")).to_be_hidden()
    page.locator(".dock-loss [data-dock-tab=fit]").click()
    expect(page.locator(".dock-fit")).to_be_visible()
    expect(page.locator(".dock-loss")).to_be_hidden()
    # What 1440 pixels are at 200 %.
    page.set_viewport_size({"width": 720, "height": 450})
    assert page.evaluate("document.documentElement.scrollWidth") == 720
    expect(page.get_by_role("navigation", name="Parts of the page")).to_be_visible()


def test_on_a_phone_the_sheet_never_covers_the_selected_row(phone: Page, server: LiveServer) -> None:
    phone.goto(Reader(server.client).open_tree(WIDE, "wide"))
    grip = phone.get_by_role("button", name="Height of the module's sheet")
    phone.get_by_role("tree").get_by_text("sub1", exact=True).tap()
    expect(phone.locator("h1")).to_have_text("sub1")
    for stand in ("half", "full"):
        expect(phone.locator("html")).to_have_attribute("data-sheet", stand)
        expect(phone.get_by_role("treeitem", selected=True)).to_be_in_viewport(ratio=0.85)
        grip.press("ArrowUp")
    grip.press("Home")
    expect(phone.locator("html")).to_have_attribute("data-sheet", "peek")
    for name, pane in (("Map", ".pane-map"), ("Runs", ".dock"), ("Tree", ".pane-tree")):
        phone.get_by_role("navigation", name="Parts of the page").get_by_text(name).tap()
        expect(phone.locator(pane)).to_be_visible()
        assert phone.evaluate("document.documentElement.scrollWidth") == 390


def test_nothing_moves_while_a_page_comes(page: Page, server: LiveServer, tree: str) -> None:
    Reader(server.client).train(tree)
    for address in ("/", tree):
        page.goto(address)
        assert page.evaluate(SHIFTS) < 0.05, address


def test_while_the_server_is_away_the_page_says_so_and_mends_itself(
    browser: Browser, tmp_path: Path, watch: Watch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    with LiveServer(tmp_path, "--port", port) as server:
        tree = Reader(server.client).open_tree(LINEAR, "linear_model1")
        run = server.client.post(f"/api{tree}/runs", json={"epochs": 5_000_000, "lr": 1e-9}).json()["id"]
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        watch.follow(page)
        page.goto(f"{server.url}{tree}")
        expect(page.locator("[data-run-progress]")).to_have_text(re.compile(r"epoch [\d,]+, .*"))
        server.kill()
        notice = page.locator("[data-away]")
        expect(notice).to_contain_text("Connection lost. Trying again in")
        expect(notice).to_contain_text("the run goes on without this page.")
        page.context.set_offline(True)
        server.start()
        server.client.post(f"/api{tree}/register_buffer", json={"name": "buf", "value": [4]})
        page.context.set_offline(False)
        expect(notice).to_be_hidden(timeout=20_000)
        expect(page.locator(".bar-revision")).to_contain_text("2")
        expect(page.locator(".strip-run-on")).to_contain_text("interrupted")
        expect(page.locator(".pane-tree").get_by_text("buf", exact=True).first).to_be_visible()
        assert server.client.get(f"/api/runs/{run}").json()["status"] == "interrupted"
        page.close()
    watch.errors.clear()
