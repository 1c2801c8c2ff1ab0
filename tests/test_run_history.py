"""All runs: found, sorted, picked, and drawn over each other."""

import csv
import io
import re
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.live import LiveServer
from tests.pages.reader import Reader


@pytest.fixture(scope="module")
def reader(server: LiveServer) -> Reader:
    return Reader(server.client)


@pytest.fixture(scope="module")
def tree(reader: Reader) -> str:
    """A tree of its own, since the server is shared."""
    return reader.open_tree({"kind": "linear", "root": {"children": {"sub1": {}}}, "seed": 0}, "history")


@pytest.fixture(scope="module")
def runs(reader: Reader, tree: str) -> list[str]:
    """Four runs: two with SGD, one with Adam, one that diverges."""
    return [
        reader.train(tree, epochs=30, lr=0.01, seed=0),
        reader.train(tree, epochs=40, lr=0.001, seed=0),
        reader.train(tree, epochs=20, lr=0.1, optimizer="Adam", loss="L1Loss"),
        reader.train(tree, epochs=25, lr=1e30),
    ]


def listed(http: httpx.Client, tree: str, **query: object) -> list[int]:
    answer = http.get("/api/runs", params={"tree": tree.removeprefix("/trees/"), **query})  # type: ignore[dict-item]
    assert answer.status_code == 200, answer.text
    assert answer.json()["total"] == len(answer.json()["items"])
    return [run["number"] for run in answer.json()["items"]]


def test_the_list_is_filtered_and_sorted_over_http(server: LiveServer, tree: str, runs: list[str]) -> None:
    assert listed(server.client, tree) == [4, 3, 2, 1]
    assert listed(server.client, tree, optimizer="Adam") == [3]
    assert listed(server.client, tree, loss_function="MSELoss", status=["succeeded", "failed"]) == [4, 2, 1]
    assert listed(server.client, tree, q="hist #2") == [2]
    assert listed(server.client, tree, sort="-epochs") == [2, 1, 4, 3]
    best = listed(server.client, tree, sort="best_loss", loss_function="MSELoss")
    assert best[-1] == 4
    assert sorted(best) == [1, 2, 4]
    assert listed(server.client, tree, status="queued") == []
    for wrong in ({"sort": "colour"}, {"status": "asleep"}, {"min_loss": "nan"}, {"cursor": "x", "sort": "loss"}):
        assert server.client.get("/api/runs", params=wrong).status_code == 422


def test_the_form_of_the_list_needs_no_scripts_and_its_address_holds_what_was_asked(
    reader: Reader, tree: str, runs: list[str]
) -> None:
    page = reader.get(f"/runs?tree={tree.removeprefix('/trees/')}")
    assert "4 of " in page.text
    adam = reader.send(page.form("/runs"), optimizer="Adam", sort="loss")
    assert (f"/runs/{runs[2]}" in adam.links.values(), f"/runs/{runs[0]}" in adam.links.values()) == (True, False)
    assert adam.form("/runs").get("optimizer") == "Adam"
    sorts = [given for tag, given in adam.tags if tag == "th" and given.get("aria-sort")]
    assert [given["aria-sort"] for given in sorts] == ["ascending"]
    assert "sort=-loss" in adam.links["Latest"]
    none = reader.send(adam.form("/runs"), min_loss="1e9")
    assert "none is like that. Clear the filters." in none.text
    # Of all runs of this server, which may be more than a page holds.
    (newest,) = reader.client.get("/api/runs?limit=1").json()["items"]
    assert f"/runs/{newest['id']}" in reader.get(none.links["Clear the filters."]).links.values()
    assert "Loss from: expected a number, got 'ten'" in reader.send(page.form("/runs"), min_loss="ten").text


def test_picked_runs_are_drawn_over_each_other_without_scripts(reader: Reader, tree: str, runs: list[str]) -> None:
    page = reader.get(f"/runs?tree={tree.removeprefix('/trees/')}")
    form = page.form("/runs/compare")
    form.fields += [("run", runs[0]), ("run", runs[3])]
    shown = reader.send(form)
    assert len([given for _, given in shown.tags if given.get("class") == "overlay-main"]) == 4
    assert "inf at" in shown.text
    assert "A loss that is not finite is a gap, with a mark below it." in shown.text
    smooth = reader.send(shown.form("/runs/compare"), smooth="0.6", scale="log", x="time")
    assert "an exponential moving average by 0.6" in smooth.text
    assert len([given for _, given in smooth.tags if given.get("class") == "overlay-raw"]) == 4
    asked = parse_qs(urlsplit(smooth.url).query)
    assert (asked["run"], asked["scale"], asked["x"]) == ([runs[0], runs[3]], ["log"], ["time"])
    hidden = reader.get(f"/runs/compare?run={runs[0]}&run={runs[3]}&hide={runs[3]}")
    assert len([given for _, given in hidden.tags if given.get("class") == "overlay-main"]) == 2
    assert re.search(r"3 differ: #1 #4 epochs 30 25 lr 0.01 1e\+30 seed 0 none", hidden.text), hidden.text


def test_what_of_an_address_cannot_be_drawn_is_said(reader: Reader, runs: list[str]) -> None:
    page = reader.get(f"/runs/compare?run={runs[0]}&run=r_gone&smooth=lots&scale=cubic&x=sideways")
    assert "1 run is gone: r_gone." in page.text
    assert len([given for _, given in page.tags if given.get("class") == "overlay-main"]) == 2
    many = "&".join(f"run={runs[place % 4] if place < 4 else f'r_{place}'}" for place in range(60))
    assert "50 runs are drawn at most: of the 60 that were picked" in reader.get(f"/runs/compare?{many}").text
    assert "No run is picked." in reader.get("/runs/compare").text
    assert reader.client.get("/api/runs/compare", params={"run": "r_gone"}).status_code == 404
    assert reader.client.get("/api/runs/compare").status_code == 422


def test_the_numbers_of_the_picture_come_as_csv_and_json(reader: Reader, runs: list[str]) -> None:
    query = httpx.QueryParams({"run": [runs[0], runs[3]], "smooth": "0.5"})
    compared = reader.client.get("/api/runs/compare", params=query).json()
    whole = reader.client.get(f"/api/runs/{runs[0]}/epochs").json()["items"]
    assert compared["items"][0]["loss"]["value"] == [item["loss"] for item in whole]
    text = reader.client.get("/runs/compare.csv", params=query).text
    assert text == reader.client.get("/api/runs/compare", params=query, headers={"accept": "text/csv"}).text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 55
    assert [float(row["loss"]) for row in rows[:30]] == [item["loss"] for item in whole]
    assert [float(row["smoothed"]) for row in rows[:30]] == compared["items"][0]["smoothed"]["value"]
    assert {row["loss"] for row in rows[30:]} & {"inf", "nan"}
    differing = {row["name"] for row in compared["hyperparameters"] if row["differs"]}
    assert differing == {"epochs", "lr", "seed"}


def test_a_run_without_an_epoch_has_no_line_in_the_csv_file(server: LiveServer, tree: str, runs: list[str]) -> None:
    begun: list[str] = []
    try:
        while not begun or server.client.get(f"/api/runs/{begun[-1]}").json()["status"] != "queued":
            begun.append(server.client.post(f"/api{tree}/runs", json={"epochs": 10_000_000}).json()["id"])
        query = httpx.QueryParams({"run": [begun[-1], runs[0]]})
        answer = server.client.get("/api/runs/compare", params=query, headers={"accept": "text/csv"})
    finally:
        for run in begun:
            server.client.post(f"/api/runs/{run}/cancel")
    assert answer.status_code == 200, answer.text
    assert {row["run"] for row in csv.DictReader(io.StringIO(answer.text))} == {runs[0]}


def test_the_picture_changes_in_place_and_its_address_restores_it(page: Page, runs: list[str]) -> None:
    page.goto(f"/runs/compare?run={runs[0]}&run={runs[1]}")
    chart = page.locator("[data-overlay]")
    expect(chart.locator("svg")).to_have_count(1)
    chart.focus()
    page.keyboard.press("End")
    expect(page.locator("[data-overlay-at]")).to_have_text("epoch 39")
    page.keyboard.press("Home")
    there = page.locator("[data-overlay-there]")
    expect(there.nth(0)).to_have_text(re.compile(r"^\d"))
    expect(there.nth(1)).to_have_text(re.compile(r"^\d"))
    page.get_by_label("Smoothing").fill("0.9")
    expect(chart.locator(".overlay-raw")).to_have_count(2)
    page.get_by_label("Loss axis").select_option("linear")
    page.get_by_label("Hide run #2").click()
    expect(chart.locator(".overlay-main")).to_have_count(1)
    page.wait_for_url(f"**/runs/compare?run={runs[0]}&run={runs[1]}&hide={runs[1]}&scale=linear&smooth=0.9")
    expect(page.locator("[data-swap-area='overlay-notes']")).to_contain_text("moving average by 0.9")
    page.reload()
    expect(chart.locator(".overlay-raw")).to_have_count(1)
    expect(page.get_by_label("Loss axis")).to_have_value("linear")
    expect(page.get_by_label("Copy the link to this picture")).to_have_attribute("data-copy", page.url)
    page.set_viewport_size({"width": 390, "height": 844})
    for path in (page.url, "/runs"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert page.evaluate(
            "[...document.querySelectorAll('.runlist, .overlay-runs')].every((each) => each.scrollWidth <= 390)"
        )
