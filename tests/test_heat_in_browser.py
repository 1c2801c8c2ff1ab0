"""Statistics of modules as colours of the tree and the map, and insights beside them, in Chromium."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.live import LiveServer
from tests.pages.reader import Reader

ROOT = {"weight": 0.9385080337524414, "bias": 0.5002855658531189, "children": {"sub1": {"children": {"sub2_1": {}}}}}
LONG = {"epochs": 5_000_000, "lr": 1e-6, "module_stats_every": 500}


@pytest.fixture
def reader(server: LiveServer) -> Reader:
    return Reader(server.client)


@pytest.fixture
def tree(reader: Reader) -> str:
    """The address of a tree as in the tutorial."""
    return reader.open_tree({"kind": "linear", "root": ROOT, "seed": 0}, "linear_model1")


def heats(page: Page) -> Locator:
    """What the rows of the tree say in the column of the statistic."""
    return page.locator("[role=treeitem] .tree-heat:not(:empty)")


def test_rows_and_map_take_the_colour_of_a_statistic_and_a_slider_replays_any_epoch(
    page: Page, reader: Reader, tree: str
) -> None:
    run = reader.train(tree, epochs=10, module_stats_every=1)
    page.goto(f"{tree}?run={run}")
    page.get_by_label("Colour by").select_option("gradient norm")
    expect(heats(page)).to_have_text(["0.1768", "none", "none"])
    expect(page.locator("[data-tree-heat]")).to_have_text("Gradient norm")
    expect(page.locator("module-map")).to_contain_text("Gradient norm, epoch 9, log scale")
    norm = page.locator("[data-epoch-rows] tr").first.locator("td").last
    expect(norm).to_have_text("65.85")
    expect(norm).to_have_css("background-color", "rgb(161, 49, 36)")
    assert page.locator("[data-epoch-scroll]").evaluate("each => each.scrollWidth - each.clientWidth") == 0
    fields, button = (page.locator(f".run-form > {each}").bounding_box() for each in (".run-fields", ".btn-wide"))
    assert fields is not None
    assert button is not None
    assert fields["y"] + fields["height"] <= button["y"] + 3
    slider = page.get_by_label("Epoch of the statistics")
    slider.focus()
    page.keyboard.press("Home")
    expect(heats(page).first).to_have_text("65.85")
    expect(slider).to_have_attribute("aria-valuetext", "epoch 0")
    page.keyboard.press("ArrowRight")
    expect(heats(page).first).to_have_text("27.37")
    page.reload()
    expect(page.locator("[data-replay-at]")).to_have_text("epoch 1")
    expect(heats(page)).to_have_text(["27.37", "none", "none"])
    page.get_by_role("button", name="Latest").click()
    expect(heats(page).first).to_have_text("0.1768")
    page.get_by_label("Colour by").select_option("update ratio")
    expect(heats(page)).to_have_text([re.compile(r"^0\.0008"), "none", "none"])
    page.get_by_label("Colour by").select_option("class")
    expect(page.locator("[data-tree-heat]")).to_be_hidden()
    expect(norm).to_have_css("background-color", "rgba(0, 0, 0, 0)")
    expect(page.locator("[data-map-chosen]")).to_have_text("Colour: class")
    # What was chosen holds for the next run too.
    page.get_by_role("button", name="Run again with changes").click()
    expect(page.locator(".strip-run-on")).to_contain_text("#2 succeeded")
    expect(page.locator("[data-tree-heat]")).to_be_hidden()


def test_colours_follow_a_run_as_it_trains_and_its_insights_lead_to_the_modules(
    page: Page, reader: Reader, tree: str
) -> None:
    started = reader.client.post(f"/api{tree}/runs", json=LONG).json()["id"]
    page.goto(f"{tree}?run={started}")
    expect(heats(page)).to_have_count(3)
    expect(page.locator("[data-tree-heat]")).to_have_text("Gradient norm")
    chosen = page.locator("[data-map-chosen]")
    expect(chosen).to_have_text("Gradient norm")
    assert chosen.evaluate("shown => shown.scrollWidth <= shown.clientWidth")
    page.get_by_label("Colour by").select_option("parameter norm")
    told = page.locator("[data-replay-at]")
    expect(told).to_have_text(re.compile(r"epoch [\d,]{4,}"))
    first = told.inner_text()
    expect(told).not_to_have_text(first)
    insights = page.get_by_role("region", name="Insights")
    expect(insights).to_contain_text("No gradient reaches 2 modules, sub1 the first.")
    insights.get_by_role("link", name="sub1.sub2_1").click()
    expect(page.locator("[role=treeitem][aria-selected=true]")).to_contain_text("sub2_1")
    expect(page.locator("[data-inspector]")).to_contain_text("No gradient reaches sub2_1: forward never calls it.")
    expect(page.locator("[data-inspector]")).not_to_contain_text("No gradient reaches sub1.sub2_1.")
    reader.client.post(f"/api/runs/{started}/cancel")
    expect(page.locator(".strip-run-on .status")).to_have_text("cancelled")
