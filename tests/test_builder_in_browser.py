"""The builder in Chromium: a tree grown by keyboard alone, without scripts, by pointer, and from a link."""

import re

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import Watch
from tests.live import LiveServer
from tests.pages.reader import Reader

TUTORIAL = "LinearModel(\n  (sub1): LinearModel(\n    (sub2_1): LinearModel()\n  )\n)"


@pytest.fixture
def tree(server: LiveServer) -> str:
    """The address of a tree of one module."""
    return Reader(server.client).open_tree({"kind": "linear", "root": {"weight": 1, "bias": 0}}, "model1")


def printed(http: httpx.Client, tree: str) -> str:
    return http.get(f"/api{tree}/repr").text


def name_of(page: Page, path: str) -> Locator:
    return page.get_by_label(f"Name of {path}", exact=True)


def paths(page: Page) -> list[str | None]:
    return [row.get_attribute("data-path") for row in page.locator("[data-build-row]").all()]


def copied(page: Page, part: str) -> str | None:
    """The text that the button of a part of the page copies."""
    return (
        page.get_by_role("region", name=part, exact=True).get_by_role("button", name="Copy").get_attribute("data-copy")
    )


def test_the_tutorials_tree_is_grown_by_keyboard_alone(page: Page, server: LiveServer, tree: str, watch: Watch) -> None:
    page.goto(f"{tree}/build")
    page.keyboard.press("Tab")
    page.get_by_label("weight of model1", exact=True).focus()
    press, write = page.keyboard.press, page.keyboard.type
    press("Control+a")
    write("0.9385080337524414")
    press("Tab")
    expect(page.get_by_label("bias of model1", exact=True)).to_be_focused()
    press("Control+a")
    write("0.5002855658531189")
    press("Enter")
    expect(name_of(page, "sub1")).to_be_focused()
    press("Shift+Enter")
    expect(name_of(page, "sub1.sub1")).to_be_focused()
    write("sub2_1")
    press("Tab")
    expect(page.get_by_label("weight of sub1.sub2_1", exact=True)).to_be_focused()
    expect(page.locator("pre").first).to_contain_text("model = LinearModel(weight=0.9385080337524414")
    expect(page.locator(".build-lines-on")).to_have_text(re.compile("level1.sub2_1 = level2$"))
    assert printed(server.client, tree) == TUTORIAL
    press("Control+z")
    expect(page.get_by_label("weight of sub1.sub1", exact=True)).to_be_focused()
    press("Control+y")
    expect(page.get_by_label("weight of sub1.sub2_1", exact=True)).to_be_focused()

    press("Control+d")
    expect(name_of(page, "sub1.sub2_2")).to_be_focused()
    press("Alt+ArrowLeft")
    expect(name_of(page, "sub2_2")).to_be_focused()
    press("Alt+ArrowUp")
    expect(page.locator("[data-build-row]").nth(1)).to_have_attribute("data-path", "sub2_2")
    press("Alt+ArrowDown")
    expect(page.locator("[data-build-row]").nth(1)).to_have_attribute("data-path", "sub1")
    press("Alt+ArrowRight")
    expect(name_of(page, "sub1.sub2_2")).to_be_focused()
    press("ArrowUp")
    expect(name_of(page, "sub1.sub2_1")).to_be_focused()
    press("ArrowDown")
    press("Alt+Backspace")
    expect(name_of(page, "sub1.sub2_1")).to_be_focused()
    press("Control+z")
    expect(name_of(page, "sub1.sub2_2")).to_be_visible()
    press("Control+y")
    expect(name_of(page, "sub1.sub2_2")).to_have_count(0)
    assert printed(server.client, tree) == TUTORIAL

    name_of(page, "sub1.sub2_1").fill("a.b")
    press("Tab")
    problem = page.get_by_role("alert").filter(has_text="module name can't contain")
    expect(problem).to_be_visible()
    expect(page.get_by_label("weight of sub1.sub2_1", exact=True)).to_be_focused()
    name_of(page, "sub1.sub2_1").focus()
    press("Escape")
    expect(name_of(page, "sub1.sub2_1")).to_have_value("sub2_1")
    press("Tab")
    expect(problem).to_have_count(0)


def test_who_types_faster_than_rows_come_loses_no_key(page: Page, tree: str) -> None:
    page.goto(f"{tree}/build")
    page.get_by_label("weight of model1", exact=True).focus()
    page.keyboard.press("Enter")
    for name in ("alpha", "beta"):
        page.keyboard.type(name)
        page.keyboard.press("Enter")
    page.keyboard.type("last")
    page.keyboard.press("Tab")
    expect(page.get_by_label("weight of last", exact=True)).to_be_focused()
    assert paths(page) == ["", "alpha", "beta", "last"]


def test_a_row_is_dragged_and_a_link_carries_the_tree(page: Page, server: LiveServer) -> None:
    spec = {"children": {"a": {"weight": 0.1}, "b": {"buffers": {"buf": [[1, 2]]}}}}
    tree = Reader(server.client).open_tree({"kind": "linear", "root": spec, "seed": 0}, "dragged")
    page.goto(f"{tree}/build")
    page.locator("[data-path=a] [data-build-grip]").drag_to(page.locator("[data-path=b]"))
    expect(page.locator("[data-path='b.a']")).to_be_visible()
    assert paths(page) == ["", "b", "b.a"]
    page.get_by_label("buf of b", exact=True).fill("[[3, 4]]")
    page.get_by_role("button", name="Undo").focus()
    expect(page.locator("pre").first).to_contain_text("torch.tensor([[3, 4]], dtype=torch.int64)")
    program = copied(page, "Python")

    page.get_by_role("link", name="Open", exact=True).click()
    expect(page.get_by_role("heading", name="What it builds: 3 modules")).to_be_visible()
    assert copied(page, "Preview") == program
    page.get_by_role("button", name="Build it and go on by hand").click()
    expect(page).to_have_url(re.compile(r"/trees/t_\w+/build"))
    assert copied(page, "Python") == program
    assert paths(page) == ["", "b", "b.a"]


def test_without_scripts_each_row_is_a_form_that_leads_back_to_itself(
    plain_page: Page, server: LiveServer, tree: str, watch: Watch
) -> None:
    page = plain_page
    page.goto(tree)
    page.get_by_role("link", name="Build", exact=True).click()
    page.get_by_role("button", name="Add a child").click()
    expect(name_of(page, "sub1")).to_be_focused()
    page.get_by_role("form", name="sub1", exact=True).get_by_role("button", name="Add a child").click()
    name_of(page, "sub1.sub1").fill("sub2_1")
    name_of(page, "sub1.sub1").press("Enter")
    expect(name_of(page, "sub1.sub2_1")).to_be_focused()
    row = page.get_by_role("form", name="sub1.sub2_1", exact=True)
    row.get_by_label("weight of sub1.sub2_1").fill("half")
    row.get_by_role("button", name="Set", exact=True).click()
    expect(row.get_by_role("alert")).to_contain_text("expected a number")
    row.get_by_label("weight of sub1.sub2_1").fill("0.5")
    row.get_by_role("button", name="Set", exact=True).click()
    expect(page.locator("pre").first).to_contain_text("level2 = LinearModel(weight=0.5")
    assert printed(server.client, tree) == TUTORIAL
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("pre").first).not_to_contain_text("weight=0.5,")
    assert all("422" in error for error in watch.errors)
    watch.errors.clear()
