"""The ways to a new tree in Chromium: what scripts add to the forms."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from safetensors.torch import save
from torch import ones

from tests.browser import DESK, Watch, Window
from tests.live import LiveServer
from tests.pages.reader import Reader

STATE = save({"fc.weight": ones(3, 2), "fc.bias": ones(3)})
DROP = """(form, [name, bytes]) => {
  const files = new DataTransfer();
  files.items.add(new File([Uint8Array.from(bytes)], name));
  for (const kind of ["dragenter", "drop"]) {
    form.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: files }));
  }
}"""


@pytest.fixture(scope="module")
def window(browser: Browser, generous: LiveServer) -> Window:
    """On the server that may import and open what the others may not."""
    return Window(browser, generous.url, viewport=DESK)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A file of two tensors."""
    path = tmp_path / "model.safetensors"
    path.write_bytes(STATE)
    return path


def test_factories_are_found_while_one_types(page: Page) -> None:
    page.goto("/trees/new?kind=factory")
    page.get_by_label("Search factories").press_sequentially("encoderl")
    expect(page.locator(".found-item")).to_have_count(1)
    expect(page).to_have_url("/trees/new?kind=factory&q=encoderl")
    page.get_by_role("link", name="TransformerEncoderLayer").click()
    page.get_by_label("d_model").fill("16")
    page.get_by_label("nhead").fill("2")
    page.get_by_role("button", name="Call it").click()
    expect(page.locator("h1")).to_have_text("TransformerEncoderLayer")


def test_a_chosen_file_is_uploaded_and_opened(page: Page, checkpoint: Path) -> None:
    page.goto("/trees/new?kind=checkpoint")
    page.locator("#upload-file").set_input_files(checkpoint)
    page.get_by_role("button", name="Upload and open").click()
    expect(page.locator("h1")).to_have_text("model.safetensors")


def test_a_file_dropped_on_the_first_page_is_uploaded_and_opened(page: Page) -> None:
    page.goto("/")
    page.locator("form[data-upload]").evaluate(DROP, ["dropped.safetensors", list(STATE)])
    expect(page.locator("h1")).to_have_text("dropped.safetensors")


def test_what_the_server_refuses_stands_at_the_form(page: Page, watch: Watch) -> None:
    page.goto("/trees/new?kind=checkpoint")
    form = page.locator("form[data-upload]")
    form.evaluate(DROP, ["broken.safetensors", list(STATE[:20])])
    expect(form.locator("[data-upload-problem]")).to_contain_text("'broken.safetensors' is not a safetensors file")
    expect(form.get_by_role("button", name="Upload and open")).to_be_enabled()


def test_what_is_too_large_is_told_before_it_is_sent(page: Page, checkpoint: Path) -> None:
    page.goto("/trees/new?kind=checkpoint")
    form = page.locator("form[data-upload]")
    form.evaluate("form => { form.dataset.maxBytes = '10'; }")
    page.locator("#upload-file").set_input_files(checkpoint)
    problem = form.locator("[data-upload-problem]")
    expect(problem).to_have_text(f"model.safetensors has {len(STATE)} bytes; this server takes at most 10.")


def test_a_module_is_selected_in_a_tree_without_a_dock(page: Page, generous: LiveServer) -> None:
    tree = Reader(generous.client).open_tree({"kind": "checkpoint", "path": "gpt2/model.safetensors"})
    page.goto(tree)
    page.locator(".tree a.tree-name", has_text="2").first.click()
    expect(page.locator("h1")).to_have_text("2")
    expect(page.locator("#inspector .badge", has_text="inferred")).to_be_visible()
    expect(page.locator("#runs")).to_contain_text("only its structure is known")
