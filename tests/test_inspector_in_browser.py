"""The inspector in Chromium: it follows the selection by itself, reads values late, sends its forms, and compares."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Watch
from tests.live import LiveServer
from tests.pages.reader import Reader

SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
ROOT: dict[str, object] = {"children": {"sub1": {"children": {"sub2_1": {}}}, "sub2": {"children": {"sub2_1": {}}}}}


@pytest.fixture
def tree(server: LiveServer) -> str:
    """The address of a tree whose first child has a matrix."""
    reader = Reader(server.client)
    made = reader.open_tree({"kind": "linear", "root": ROOT, "seed": 0}, "linear_model1")
    kernel = [[float(row * column) for column in range(20)] for row in range(12)]
    body = {"target": "sub1", "name": "kernel", "value": kernel}
    server.client.post(f"/api{made}/register_parameter", json=body).raise_for_status()
    return made


def test_it_follows_the_selection_without_a_new_page_and_reads_values_into_their_room(page: Page, tree: str) -> None:
    page.add_init_script(SHIFTS)
    page.goto(tree)
    page.evaluate("window.isSame = true")
    head, tabs = page.locator("#inspector h1"), page.locator("#inspector .insp-tabs")
    page.get_by_role("link", name="Module after: sub1").click()
    expect(head).to_have_text("sub1")
    expect(page).to_have_url(re.compile(rf"{tree}/modules/sub1$"))
    page.locator("#inspector").get_by_role("link", name="kernel", exact=True).click()
    glance = page.get_by_label("Values of kernel")
    expect(glance).to_contain_text("all 240 values, read in")
    expect(glance.get_by_role("img", name=re.compile("12 rows by 20 columns")).first).to_be_visible()
    tabs.get_by_role("link", name="Parameters 3").press("Enter")
    expect(page).to_have_url(re.compile(r"sub1\?.*tab=parameters"))
    expect(tabs.get_by_role("link", name="Parameters 3")).to_be_focused()
    page.get_by_role("link", name="Module after: sub2_1").click()
    expect(head).to_have_text("sub2_1")
    expect(tabs.locator("[aria-current]")).to_have_text(re.compile("Parameters"))
    page.go_back()
    page.go_back()
    expect(head).to_have_text("sub1")
    expect(tabs.locator("[aria-current]")).to_have_text("Overview")
    assert page.evaluate("window.isSame")
    assert page.evaluate("window.shifted") < 0.05


def test_a_form_is_refused_mended_made_and_undone_in_place(page: Page, tree: str, watch: Watch) -> None:
    page.goto(f"{tree}/modules/sub1")
    page.evaluate("window.isSame = true")
    page.get_by_label("More actions").click()
    page.get_by_role("link", name="register_buffer…").click()
    form = page.locator("#register_buffer")
    form.get_by_label("name").fill("a.b")
    form.get_by_label("value").fill("[4]")
    form.get_by_role("button", name="Register the buffer").click()
    expect(form.get_by_role("alert")).to_contain_text("can't contain")
    expect(form.get_by_label("name")).to_be_focused()
    expect(form.get_by_label("value")).to_have_value("[4]")
    form.get_by_label("name").fill("buf")
    form.get_by_label("name").press("Enter")
    made = page.locator("#inspector").get_by_role("status")
    expect(made).to_contain_text("sub1.register_buffer('buf') made revision 3.")
    expect(page.get_by_label("Revision 3, history")).to_be_visible()
    expect(page.get_by_role("tree", name=re.compile("^Modules of"))).to_contain_text("buf")
    made.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("tree", name=re.compile("^Modules of"))).not_to_contain_text("buf")
    expect(made).to_have_count(0)
    page.get_by_role("button", name="Freeze", exact=True).click()
    expect(page.get_by_role("button", name="Unfreeze", exact=True)).to_be_focused()
    assert page.evaluate("window.isSame")


def test_it_mends_itself_and_keeps_its_module_when_rows_come_in_above(
    page: Page, tree: str, server: LiveServer, watch: Watch
) -> None:
    page.goto(f"{tree}/modules/sub2")
    head, selected = page.locator("#inspector h1"), page.locator(".tree-row.tree-on .tree-name")
    expect(selected).to_have_text("sub2")
    page.context.set_offline(True)
    page.get_by_role("link", name="Module after: sub2_1").click()
    expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached.")
    page.context.set_offline(False)
    expect(head).to_have_text("sub2_1", timeout=20_000)
    expect(page.get_by_role("alert")).to_have_count(0)
    watch.errors.clear()
    server.client.post(f"/api{tree}/delete", json={"target": "sub1"}).raise_for_status()
    page.goto(f"{tree}/modules/sub2.sub2_1")
    expect(page.locator(".tree-row")).to_have_count(9)
    page.get_by_role("button", name=re.compile("^Undo")).click()
    expect(page.locator(".tree-row")).to_have_count(16)
    expect(selected).to_have_text("sub2_1")
    expect(page).to_have_url(re.compile(r"/modules/sub2\.sub2_1"))
    expect(page.locator("#inspector .insp-path")).to_have_text("sub2.")


def test_what_is_selected_together_is_compared_and_one_can_be_left_out(page: Page, tree: str) -> None:
    page.goto(f"{tree}/modules/sub1.sub2_1")
    for name in ("sub1", "sub2"):
        row = page.locator(".tree-row", has=page.locator(".tree-name", has_text=re.compile(f"^{name}$")))
        row.locator(".tree-class").click(modifiers=["Control"])
    compare = page.locator("#inspector .insp-tabs").get_by_role("link", name="Compare 3")
    compare.click()
    table = page.get_by_role("region", name="Modules side by side")
    expect(table.get_by_role("columnheader")).to_have_count(3)
    expect(table.locator(".compare-differs").filter(has_text="kernel")).to_contain_text("[12, 20] float32")
    page.reload()
    expect(table.locator(".compare-differs").filter(has_text="kernel")).to_contain_text("[12, 20] float32")
    page.get_by_label("Leave out sub2").click()
    expect(table.get_by_role("link", name="sub2", exact=True)).to_have_count(0)
    page.locator("#inspector .insp-title").click()
    table.get_by_role("link", name="sub1", exact=True).click()
    expect(page.locator("#inspector h1")).to_have_text("sub1")
    expect(page.locator("#inspector .insp-tabs [aria-current]")).to_have_text("Overview")


def test_without_scripts_every_tab_is_a_page_and_values_a_link_away(plain_page: Page, tree: str) -> None:
    plain_page.goto(f"{tree}/modules/sub1?tensor=kernel")
    plain_page.get_by_role("link", name="Statistics").click()
    expect(plain_page.get_by_role("img", name=re.compile("^Histogram of 240 finite values"))).to_be_visible()
    plain_page.goto(f"{tree}/modules/sub1")
    plain_page.locator(".insp-tabs-more summary").click()
    plain_page.locator(".insp-tabs-more").get_by_role("link", name="Trace").click()
    plain_page.get_by_role("button", name="Trace").click()
    expect(plain_page.locator("#inspector")).to_contain_text("The last trace, on [10, 1]")
