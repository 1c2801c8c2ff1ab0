"""The map in Chromium: linked with the tree, zoomed, walked by keyboard, as a table, as files, without scripts."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Position, expect

from tests.live import LiveServer
from tests.pages.reader import Reader

MARKUP = "<img src=x onerror=alert(1)>"
BLOCK: dict[str, object] = {"children": {"attn": {"children": {"q": {}, "k": {}}}, "mlp": {}}}
ROOT: dict[str, object] = {
    "children": {"h": {"children": {str(at): BLOCK for at in range(3)}}, MARKUP: {"buffers": {"steps": [1.0, 2.0]}}}
}
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def tree(server: LiveServer) -> str:
    """The address of a tree of 18 modules, 36 parameters in all, with `mlp` of the first block frozen."""
    reader = Reader(server.client)
    tree = reader.open_tree({"kind": "linear", "root": ROOT, "seed": 0}, "blocks <b>")
    frozen = reader.client.post(f"/api{tree}/requires_grad_", json={"target": "h.0.mlp", "requires_grad": False})
    assert frozen.is_success
    return tree


def walk(page: Page) -> Locator:
    """The map's one stop for Tab, once the scripts have drawn it."""
    found = page.locator("module-map").get_by_role("tree", name="Map")
    expect(found).to_be_visible()
    return found


def point(page: Page, part: str) -> Position:
    """Where in the map the middle of a module's cell in the large panel is."""
    found = page.evaluate(
        """async (path) => {
          const { workspace } = await import("/static/js/workspace.js");
          const { MapView } = await import("/static/js/map_view.js");
          const outline = await workspace.outline;
          const view = new MapView(document.querySelector("[data-map-stage]"));
          view.resize();
          const zoom = Number(new URLSearchParams(location.search).get("zoom") ?? 0);
          const choices = { area: "parameters", colour: "class", zoom };
          const selection = workspace.selection;
          view.show({ outline, trace: null, heat: null, choices, selection, rootName: "" });
          const panel = view.shown.panels.at(-1);
          const cell = panel.cells.find((each) => each.row === outline.rowOf(path));
          return { x: panel.x + cell.x + Math.min(cell.width, 20) / 2, y: cell.y + cell.height / 4 };
        }""",
        part,
    )
    return {"x": found["x"], "y": found["y"]}


def test_a_click_selects_a_double_click_zooms_and_the_address_keeps_both(page: Page, tree: str) -> None:
    page.goto(tree)
    mapped = walk(page)
    expect(page.locator("[data-map-heads]")).to_contain_text("h.0")
    mapped.hover(position=point(page, "h.0.attn"))
    expect(page.locator(".map-tip")).to_contain_text("attn")
    expect(page.locator(".map-tip")).to_contain_text("6 parameters")
    mapped.click(position=point(page, "h.0.attn"))
    expect(page).to_have_url(re.compile(r"/modules/h\.0\.attn$"))
    expect(page.locator("h1")).to_have_text("attn")
    mapped.dblclick(position=point(page, "h.0.attn"))
    expect(page).to_have_url(re.compile(r"/modules/h\.0\.attn\?zoom=\d+$"))
    expect(page.locator("[data-map-heads]")).to_contain_text("h.0.attn")
    page.reload()
    walk(page)
    expect(page.locator("[data-map-heads]")).to_contain_text("h.0.attn")
    page.get_by_role("link", name="Zoom out").click()
    expect(page).to_have_url(re.compile(r"/modules/h\.0\.attn$"))


def test_by_keyboard_alone_cells_are_walked_selected_zoomed_and_listed(page: Page, tree: str) -> None:
    page.goto(tree)
    mapped = walk(page)
    cell = mapped.get_by_role("treeitem")
    mapped.focus()
    expect(cell).to_have_text("blocks <b>, LinearModel, 36 parameters, 100\u2009% of the tree")
    for key, name in (("ArrowRight", "h"), ("ArrowDown", MARKUP), ("ArrowUp", "h"), ("ArrowRight", "0")):
        page.keyboard.press(key)
        expect(cell).to_contain_text(f"{name}, LinearModel")
    expect(cell).to_have_attribute("aria-level", "3")
    expect(mapped).to_have_attribute("aria-activedescendant", re.compile("."))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/modules/h\.0\.attn$"))
    expect(cell).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?zoom=\d+$"))
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("zoom"))
    page.keyboard.press("t")
    table = page.locator("[data-map-table]")
    expect(table).to_be_focused()
    rows = table.get_by_role("row")
    # Each module of the tree has a cell, and each cell a row below that of the heads.
    expect(rows).to_have_count(19)
    expect(rows.nth(1)).to_have_text(re.compile(r"blocks <b>LinearModel36100\s%0"))
    expect(table.locator("[aria-current]")).to_contain_text("attn")
    expect(table.locator("img, b")).to_have_count(0)
    table.get_by_role("link", name=MARKUP).click()
    expect(page.locator("h1")).to_have_text(MARKUP)
    page.keyboard.press("t")
    expect(table).to_be_hidden()


def test_height_and_colour_are_chosen_and_the_legend_says_what_the_server_said(page: Page, tree: str) -> None:
    page.goto(tree)
    walk(page)
    legend = page.get_by_role("list", name="Legend")
    said = legend.inner_text()
    page.get_by_role("link", name="Bytes", exact=True).click()
    expect(page).to_have_url(re.compile(r"area=bytes$"))
    expect(legend).to_contain_text("152\u2009B")
    page.get_by_role("link", name="Parameters", exact=True).first.click()
    expect(legend).to_contain_text("18 · 36")
    assert legend.inner_text() == said
    page.get_by_text("Colour: class").click()
    page.get_by_role("link", name="trainable", exact=True).click()
    expect(legend.get_by_role("listitem")).to_have_text([re.compile("trainable34"), re.compile("frozen2")])
    page.get_by_role("link", name="FLOPs", exact=True).click()
    empty = "This forward has no matrix products, convolutions or attention."
    # A server's first trace has torch's counter to import.
    expect(page.locator("[data-map-empty]")).to_have_text(empty, timeout=30_000)
    expect(page).to_have_url(re.compile(r"colour=trainable&area=flops$|area=flops&colour=trainable$"))


def test_the_map_is_saved_as_a_picture_and_as_a_drawing_with_its_text(page: Page, tree: str, tmp_path: Path) -> None:
    page.goto(tree)
    walk(page)
    saved = {}
    for name in ("PNG", "SVG"):
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Save as {name}").click()
        saved[name] = tmp_path / download.value.suggested_filename
        download.value.save_as(saved[name])
    assert saved["PNG"].name == "blocks _b_-map.png"
    assert saved["PNG"].read_bytes().startswith(b"\x89PNG")
    drawing = ET.parse(saved["SVG"]).getroot()
    texts = [text.text for text in drawing.iter(f"{SVG}text")]
    assert {"attn", "mlp", "blocks <b>, 36"} <= set(texts)
    titles = [str(title.text) for title in drawing.iter(f"{SVG}title")]
    assert any(title.startswith(f"{MARKUP}, LinearModel, 2 parameters") for title in titles)
    assert not list(drawing.iter(f"{SVG}image"))


def test_the_map_is_there_without_scripts_each_cell_a_link(plain_page: Page, tree: str) -> None:
    plain_page.goto(f"{tree}?area=bytes&colour=trainable")
    drawing = plain_page.get_by_role("group", name="The tree as a map: the height of each module is its bytes.")
    expect(drawing.locator("a")).to_have_count(18 + 5)
    expect(drawing.locator("rect.h16")).to_have_count(2)
    plain_page.get_by_role("link", name="Parameters", exact=True).first.click()
    expect(plain_page).to_have_url(re.compile(r"\?colour=trainable$"))
    link = plain_page.locator("svg a", has_text="attn").last
    assert "/modules/h.0.attn?colour=trainable" in str(link.get_attribute("href"))
