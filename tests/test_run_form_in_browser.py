"""The form of a run in Chromium: fields follow what is chosen, files are read in place, nothing typed is lost."""

import re

from playwright.sync_api import Page, expect

from app.trees.tutorial import SOURCE
from tests.live import LiveServer
from tests.pages.reader import Reader
from tests.test_data_api import PEOPLE


def test_fields_follow_what_is_chosen_and_a_file_is_read_in_place(page: Page, server: LiveServer) -> None:
    tree = Reader(server.client).open_tree(SOURCE, "linear_model1")
    page.goto(f"{tree}/modules/sub1")
    form = page.locator("form[data-run-start]")
    expect(form.get_by_label("slope")).to_be_visible()
    expect(form.get_by_label("amplitude")).to_be_hidden()
    form.get_by_label("data", exact=True).select_option("sine")
    expect(form.get_by_label("amplitude")).to_be_visible()
    expect(form.get_by_label("slope")).to_be_hidden()

    form.locator("summary", has_text="More").click()
    form.get_by_label("momentum").fill("0.5")
    expect(form.locator("[name=optimizer_args]")).to_have_value("momentum=0.5")
    form.get_by_label("optimizer", exact=True).select_option("Adam")
    expect(form.get_by_label("betas")).to_be_visible()
    expect(form.locator("[name=optimizer_args]")).to_have_value("")
    form.get_by_label("amsgrad").select_option("true")
    form.get_by_role("button", name="Freeze the selected module").click()
    expect(form.get_by_label("frozen")).to_have_value("sub1")

    form.get_by_label("data", exact=True).select_option("csv")
    form.get_by_label("CSV file").set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": PEOPLE.encode()}
    )
    expect(form.get_by_label("x columns")).to_have_values(["age"])
    form.get_by_label("epochs", exact=True).fill("12")
    form.get_by_role("button", name=re.compile("^Train")).click()
    expect(form.get_by_text("row 4, column 'age': no value")).to_be_visible()
    expect(form.locator("[name=epochs]")).to_have_value("12")
    form.get_by_label("missing").select_option("drop")
    form.get_by_role("button", name=re.compile("^Train")).click()
    expect(page.locator(".dock-fit")).to_contain_text("2 rows of people.csv, 2 left out")
    # The worker's first schedule imports torch's compiler.
    expect(page.locator(".strip-run-on .status")).to_have_text("succeeded", timeout=30_000)
    expect(form.locator("[name=optimizer_args]")).to_have_value("amsgrad=true")
    expect(form.get_by_label("frozen")).to_have_value("sub1")
