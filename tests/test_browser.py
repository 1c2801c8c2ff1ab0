"""The pages in Chromium: what scripts add, and that nothing breaks without them."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser import Watch
from tests.live import LiveServer
from tests.pages.reader import Reader

LINEAR: dict[str, object] = {
    "kind": "linear",
    "root": {
        "weight": 0.9385080337524414,
        "bias": 0.5002855658531189,
        "children": {"sub1": {"children": {"sub2_1": {}}}},
    },
    "seed": 0,
}
LONG = {"epochs": 5_000_000, "lr": 1e-9}


@pytest.fixture
def reader(server: LiveServer) -> Iterator[Reader]:
    """The shared server, for what a test needs to be there; no run that a test leaves behind holds up the next."""
    yield Reader(server.client)
    for status in ("queued", "running", "paused"):
        for run in server.client.get("/api/runs", params={"status": status}).json()["items"]:
            server.client.post(f"/api/runs/{run['id']}/cancel")


@pytest.fixture
def tree(reader: Reader) -> str:
    """The address of a tree as in the tutorial."""
    return reader.open_tree(LINEAR, "linear_model1")


def start(reader: Reader, tree: str, **config: object) -> str:
    run: str = reader.client.post(f"/api{tree}/runs", json=config).json()["id"]
    return run


def value_of(page: Page, tensor: str) -> Locator:
    return page.locator(".tree-tensor", has_text=tensor).first.locator(".tree-value")


def tree_of(page: Page, name: str) -> Locator:
    return page.get_by_role("tree", name=f"Modules of {name}")


# Training


def test_a_run_started_by_its_button_is_seen_through_to_its_end(page: Page, tree: str) -> None:
    page.goto(tree)
    page.get_by_role("button", name="Train 10 epochs").click()
    expect(page.locator(".strip-run-on .status")).to_have_text("succeeded")
    expect(page.locator("[data-epoch-rows] tr")).to_have_count(10)
    expect(page.locator("[data-epoch-rows] tr").nth(1)).to_contain_text("6.440")
    expect(page.locator("[data-loss-chart] canvas")).to_be_visible()
    expect(page.locator("[data-fit-early] line")).to_have_count(3)
    expect(page.locator("[data-predict-y]")).to_have_text("21.1794")
    # The tree takes what the run made of it after the dock does.
    expect(value_of(page, "weight")).to_have_text("2.0484")
    expect(page.locator(".bar .chip", has_text="revision")).to_contain_text("2")
    # Nobody has to know of statistics to see where gradients arrive.
    expect(page.locator("[role=treeitem] .tree-heat:not(:empty)")).to_have_text(["0.1768", "none", "none"])
    expect(page.locator("module-map")).to_contain_text("Gradient norm, epoch 9, log scale")


def test_epochs_arrive_while_the_page_is_open_and_the_end_needs_no_reload(
    page: Page, reader: Reader, tree: str
) -> None:
    run = start(reader, tree, **LONG)
    page.goto(f"{tree}?run={run}")
    progress = page.locator("[data-run-progress]")
    expect(progress).to_have_text(re.compile(r"epoch [\d,]+, [\d,]+ of 5,000,000 done"))
    first = progress.inner_text()
    expect(progress).not_to_have_text(first)
    expect(page.locator("[data-epoch-rows] tr")).to_have_count(100)
    reader.client.post(f"/api/runs/{run}/cancel")
    expect(page.locator(".strip-run-on .status")).to_have_text("cancelled")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)


def test_a_reload_in_the_middle_of_a_run_goes_on_with_the_picture(page: Page, reader: Reader, tree: str) -> None:
    run = start(reader, tree, **LONG)
    page.goto(f"{tree}?run={run}")
    progress = page.locator("[data-run-progress]")
    expect(progress).to_have_text(re.compile(r"epoch [\d,]{5,}, .*"))
    done = epochs_in(progress.inner_text())
    page.reload()
    expect(page.locator("[data-loss-chart] canvas")).to_be_visible()
    assert epochs_in(progress.inner_text()) >= done
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".strip-run-on .status")).to_have_text("cancelled")


def epochs_in(text: str) -> int:
    found = re.search(r"epoch ([\d,]+)", text)
    assert found, text
    return int(found[1].replace(",", ""))


def test_a_page_opens_one_stream_and_closes_it_with_the_run(page: Page, reader: Reader, tree: str) -> None:
    streams: list[str] = []
    page.on("request", lambda request: streams.append(request.url) if request.resource_type == "eventsource" else None)
    run = reader.train(tree)
    page.goto(f"{tree}?run={run}")
    expect(page.locator("[data-loss-chart] canvas")).to_be_visible()
    page.get_by_role("link", name="sub1", exact=True).first.click()
    expect(page.locator("h1")).to_have_text("sub1")
    assert len(streams) == 1


def test_a_lost_connection_is_said_and_comes_back(page: Page, reader: Reader, tree: str, watch: Watch) -> None:
    run = start(reader, tree, **LONG)
    lost = [True]

    def break_off(route: Route) -> None:
        route.abort("connectionrefused") if lost[0] else route.continue_()

    page.route(f"**/for-scripts/runs/{run}*", break_off)
    page.route(f"**/api/runs/{run}/events*", break_off)
    page.goto(f"{tree}?run={run}")
    expect(page.locator("[data-away]")).to_contain_text("Connection lost. Trying again in")
    expect(page.locator("[data-away]")).to_contain_text("the run goes on without this page.")
    lost[0] = False
    expect(page.locator("[data-away]")).to_be_hidden(timeout=15_000)
    expect(page.locator("[data-run-progress]")).to_have_text(re.compile(r"epoch [\d,]+, .*"))
    reader.client.post(f"/api/runs/{run}/cancel")
    watch.errors.clear()


def test_a_run_is_paused_resumed_and_cancelled_where_it_stands(
    page: Page, reader: Reader, tree: str, watch: Watch
) -> None:
    run = start(reader, tree, **LONG)
    page.goto(f"{tree}/modules/sub1?run={run}")
    page.evaluate("document.querySelector('main').dataset.mark = 'kept'")
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_focused()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".strip-run-on .status")).to_have_text("cancelled")
    page.get_by_role("textbox", name="epochs").fill("x")
    page.get_by_role("button", name="Run again with changes").click()
    expect(page.get_by_text("expected a whole number, got 'x'")).to_be_visible()
    page.get_by_role("textbox", name="epochs").fill("10")
    page.get_by_role("textbox", name="lr").fill("0.01")
    page.get_by_role("button", name="Run again with changes").click()
    expect(page.locator(".strip-run-on .status")).to_have_text("succeeded", timeout=20_000)
    expect(page.locator(".bar .chip", has_text="revision")).to_contain_text("2")
    expect(page.locator("h1")).to_have_text("sub1")
    expect(page.locator('main[data-mark="kept"]')).to_have_count(1)


def test_past_runs_are_drawn_over_and_kept_in_the_address(page: Page, reader: Reader, tree: str) -> None:
    first, second = reader.train(tree, lr=0.05), reader.train(tree, lr=0.001)
    reader.train(tree)
    page.goto(tree)
    over = page.get_by_role("button", name="Draw run #1 too")
    expect(over).to_have_attribute("aria-pressed", "true")
    over.click()
    expect(page).to_have_url(re.compile(rf"runs={second}$"))
    page.reload()
    expect(over).to_have_attribute("aria-pressed", "false")
    page.locator("[data-loss-chart]").focus()
    page.keyboard.press("t")
    table = page.get_by_role("region", name="Loss by epoch")
    expect(table.get_by_role("columnheader")).to_have_text(["epoch", "#3", "#2, lr 0.001"])
    page.get_by_role("button", name="Draw run #2 too").click()
    expect(page).to_have_url(re.compile(r"runs=none$"))
    expect(table.get_by_role("columnheader")).to_have_text(["epoch", "#3"])
    page.get_by_role("link", name="#1").click()
    expect(page).to_have_url(re.compile(rf"run={first}$"))
    expect(page.locator(".strip-run-on")).to_contain_text("#1")
    expect(page.get_by_role("textbox", name="lr")).to_have_value("0.05")


def test_the_scale_of_the_loss_is_chosen_and_remembered(page: Page, reader: Reader, tree: str) -> None:
    reader.train(tree)
    page.goto(tree)
    expect(page.get_by_role("button", name="log", exact=True)).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="linear", exact=True).click()
    page.reload()
    expect(page.get_by_role("button", name="linear", exact=True)).to_have_attribute("aria-pressed", "true")


def test_the_prediction_follows_what_is_typed(page: Page, reader: Reader, tree: str) -> None:
    reader.train(tree)
    page.goto(tree)
    page.get_by_label("x =").fill("5")
    expect(page.locator("[data-predict-y]")).to_have_text("10.9374")
    expect(page.locator("[data-predict-against]")).to_have_text("2x + 1 = 11, off by 0.063")
    expect(page.locator("[data-fit-figure]")).to_have_text("10.94")


def test_losses_that_are_not_finite_are_drawn_as_words_not_errors(page: Page, reader: Reader, tree: str) -> None:
    reader.train(tree, epochs=40, lr=9.0)
    page.goto(tree)
    expect(page.locator("[data-loss-chart] canvas")).to_be_visible()
    expect(page.locator("[data-epoch-rows] tr").last).to_contain_text("nan")


# The tree


def test_a_selection_changes_the_address_and_not_the_rest_of_the_page(page: Page, reader: Reader, tree: str) -> None:
    reader.train(tree)
    page.goto(tree)
    expect(page.locator("[data-loss-chart] canvas")).to_be_visible()
    page.evaluate("document.querySelector('[data-loss-chart]').dataset.mark = 'kept'")
    tree_of(page, "linear_model1").get_by_role("link", name="sub2_1").click()
    expect(page).to_have_url(re.compile(r"/modules/sub1\.sub2_1$"))
    expect(page.locator("h1")).to_have_text("sub2_1")
    expect(page.locator("[role=treeitem][aria-selected=true] .tree-name").first).to_have_text("sub2_1")
    expect(page.locator('[data-mark="kept"]')).to_have_count(1)
    page.go_back()
    expect(page.locator("h1")).to_have_text("linear_model1")


def test_a_form_sent_by_keyboard_brings_the_new_buffer(page: Page, tree: str) -> None:
    page.goto(f"{tree}/modules/sub1?tab=change&open=register_buffer")
    form = page.locator("#register_buffer")
    form.get_by_label("name").fill("buf")
    form.get_by_label("value").fill("[4]")
    page.keyboard.press("Enter")
    expect(page.locator("#inspector")).to_contain_text("sub1.register_buffer('buf') made revision 2.")
    page.get_by_role("button", name="Undo: sub1.register_buffer('buf')").click()
    expect(page.get_by_role("button", name="Redo: sub1.register_buffer('buf')")).to_be_visible()


def test_another_function_brings_its_arguments(page: Page, tree: str) -> None:
    page.goto(f"{tree}?tab=change&open=apply")
    page.get_by_label("fn").select_option("constant_")
    expect(page.get_by_label("val", exact=True)).to_be_visible()
    page.get_by_label("val", exact=True).fill("3")
    page.get_by_role("button", name="Apply to 3 modules").click()
    expect(page.locator(".tree-value", has_text="3.")).to_have_count(6)


def test_names_that_are_markup_run_nothing(page: Page, reader: Reader) -> None:
    names = ["<img src=x onerror=alert(1)>", "<script>alert(2)</script>", '"><svg onload=alert(3)>', "a\nb"]
    root = {"children": {name: {"buffers": {name: [1]}} for name in names}}
    tree = reader.open_tree({"kind": "linear", "root": root}, "<script>alert(4)</script>")
    page.on("dialog", lambda dialog: pytest.fail(f"a name ran as a script: {dialog.message}"))
    page.goto(tree)
    for name in ("<img src=x onerror=alert(1)>", r"a\nb"):
        tree_of(page, "<script>alert(4)</script>").get_by_role("link", name=name, exact=True).first.click()
        expect(page.locator("h1")).to_have_text(name)
    page.goto("/")
    expect(page.get_by_role("link", name="<script>alert(4)</script>")).to_be_visible()


# Around it


def test_the_theme_is_switched_and_stands_before_the_next_page_is_drawn(page: Page) -> None:
    page.goto("/")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(246, 248, 250)"
    page.get_by_role("button", name="Switch between light and dark").click()
    dark = "rgb(14, 15, 18)"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    page.goto("/trees/new")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark


def test_the_runs_are_hidden_and_stay_hidden(page: Page, tree: str) -> None:
    page.goto(tree)
    page.get_by_role("button", name="Show or hide the runs").click()
    expect(page.locator("#dock-body")).to_be_hidden()
    page.reload()
    expect(page.locator("#dock-body")).to_be_hidden()
    page.get_by_role("button", name="Show or hide the runs").click()
    expect(page.locator("#dock-body")).to_be_visible()


def test_code_is_copied_by_its_button(page: Page, tree: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{tree}/modules/sub1")
    page.get_by_role("button", name="Copy", exact=True).first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == 'model.get_submodule("sub1")'


def test_rows_are_added_to_the_builder_without_the_server(page: Page) -> None:
    page.goto("/trees/new")
    rows = page.locator("[data-new-row]")
    expect(rows).to_have_count(5)
    page.get_by_role("button", name="More rows").click()
    expect(rows).to_have_count(7)
    expect(page).to_have_url(re.compile(r"/trees/new$"))
    rows.nth(5).get_by_role("textbox").first.fill("sub1.sub3")
    page.get_by_role("button", name="Build the tree").click()
    expect(page.get_by_role("treeitem", name=re.compile("^sub3 "))).to_be_visible()


def test_the_history_opens_and_closes_with_escape(page: Page, tree: str) -> None:
    page.goto(tree)
    page.locator("summary", has_text="revision").click()
    expect(page.get_by_text("opened", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("opened", exact=True)).to_be_hidden()


def test_runs_of_the_first_page_are_kept_up(page: Page, reader: Reader, tree: str) -> None:
    run = start(reader, tree, **LONG)
    page.goto("/")
    progress = page.locator(f'[data-live-run="{run}"] [data-live-progress]')
    first = progress.inner_text()
    expect(progress).not_to_have_text(first)
    page.goto("/runs")
    lowest = page.locator(f'[data-live-run="{run}"] [data-live-best]')
    first = lowest.inner_text()
    expect(lowest).not_to_have_text(first)
    reader.client.post(f"/api/runs/{run}/cancel")
    expect(progress).to_have_text(re.compile(r"cancelled at [\d,]+"))


def test_nothing_scrolls_sideways_on_a_phone(phone: Page, reader: Reader, tree: str) -> None:
    run, long = reader.train(tree, epochs=300), start(reader, tree, **LONG)
    for path in ("/", "/trees/new", "/runs", tree, f"{tree}?tab=change", f"{tree}/named_parameters", f"/runs/{run}"):
        phone.goto(path)
        assert phone.evaluate("document.documentElement.scrollWidth") == 390, path
    phone.goto("/runs")
    started = phone.locator(f'[data-live-run="{long}"] td:last-child').bounding_box()
    assert started is not None
    assert started["x"] > 50
    reader.client.post(f"/api/runs/{long}/cancel")


def test_targets_on_a_phone_can_be_hit(phone: Page, tree: str) -> None:
    phone.goto(tree)
    for selector in (".tree-row", ".insp-tab", ".btn:visible", ".phone a"):
        box = phone.locator(selector).first.bounding_box()
        assert box is not None
        assert box["height"] >= 40, selector


def test_focus_is_seen_and_the_bar_can_be_skipped(page: Page, tree: str) -> None:
    page.goto(tree)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    assert skip.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


# Without scripts


def test_the_whole_tutorial_without_scripts(plain_page: Page, reader: Reader, tree: str) -> None:
    page = plain_page
    page.goto(tree)
    page.get_by_role("button", name="Train 10 epochs").click()
    run = re.search(r"run=(r_\w+)", page.url)
    assert run
    reader.follow(run[1])
    page.goto(tree)
    expect(page.locator(".chart-line")).to_be_visible()
    expect(page.get_by_text("0.02716").first).to_be_visible()
    page.locator(".insp-tabs summary").click()
    page.get_by_role("link", name="Change").click()
    page.locator("#register_buffer summary").click()
    form = page.locator("#register_buffer")
    form.get_by_label("name").fill("buf")
    form.get_by_label("value").fill("[4]")
    page.get_by_role("button", name="Register the buffer").click()
    expect(page.get_by_text("buf", exact=True).first).to_be_visible()
    page.get_by_label("x =").fill("5")
    page.get_by_role("button", name="Predict").click()
    expect(page.get_by_text("10.9374")).to_be_visible()


def test_nothing_that_needs_scripts_is_offered_without_them(plain_page: Page, tree: str) -> None:
    plain_page.goto(tree)
    for name in ("Copy", "Switch between light and dark", "Show or hide the runs", "linear"):
        expect(plain_page.get_by_role("button", name=name)).to_have_count(0)
