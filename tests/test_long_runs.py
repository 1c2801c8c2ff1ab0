"""A run of a million epochs is looked at like any other: in few bytes, without losing what is odd in it."""

import math
from collections.abc import Iterator

import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from tests.browser import Watch
from tests.live import LiveServer
from tests.pages.reader import Reader
from tests.training.long_run import write_long_run

EPOCHS = 1_000_000
SPIKE, GAP = 523_456, 700_000
RUN, DELETED = "r_million111", "r_deleted111"


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with the run and one to delete, their tree gone."""
    folder = tmp_path_factory.mktemp("long")
    loss = 37 * np.exp(-np.arange(EPOCHS) / 2e5)
    loss[SPIKE], loss[GAP : GAP + 3] = 900.0, math.nan
    write_long_run(folder, RUN, loss, loss / 2)
    write_long_run(folder, DELETED, loss, loss / 2)
    with LiveServer(folder) as live:
        yield live


def test_its_page_shows_the_spike_and_the_gap_in_few_bytes(long: LiveServer) -> None:
    page = Reader(long.client).get(f"/runs/{RUN}")
    assert len(page.response.text) < 200_000
    assert "nan at 700,000" in page.text
    assert "0.1 ms each" in page.text.replace("\u2009", " ")
    (path,) = [str(given["d"]) for tag, given in page.tags if given.get("class") == "chart-line"]
    steps = [tuple(map(float, step.split())) for step in path[1:].replace("M", "L").split("L")]
    x, y = min(steps, key=lambda step: step[1])
    assert x == pytest.approx(44 + 426 * SPIKE / EPOCHS, abs=1)
    assert y < 30
    assert path.count("M") == 2
    assert any(given.get("class") == "chart-validation" for _, given in page.tags)


def test_its_epochs_are_paged_from_anywhere_and_downloaded_whole(long: LiveServer) -> None:
    items = long.client.get(f"/api/runs/{RUN}/epochs?after={GAP - 2}&limit=3").json()["items"]
    assert [(item["epoch"], item.get("nonfinite")) for item in items] == [
        (GAP - 1, None),
        (GAP, "nan"),
        (GAP + 1, "nan"),
    ]
    assert "523,456 900.0" in Reader(long.client).get(f"/runs/{RUN}/epochs?after={SPIKE - 2}").text
    with long.client.stream("GET", f"/runs/{RUN}/epochs.csv") as answer:
        first = next(answer.iter_lines())
    assert first == "epoch,loss,at,slope,intercept,validation_loss,lr"


def test_a_download_of_a_run_that_is_deleted_does_not_end_as_if_it_were_whole(long: LiveServer) -> None:
    headers = {"Accept": "text/csv"}
    with long.client.stream("GET", f"/api/runs/{DELETED}/epochs", headers=headers) as answer:
        pieces = answer.iter_bytes()
        next(pieces)
        httpx.delete(f"{long.url}/api/runs/{DELETED}").raise_for_status()
        with pytest.raises(httpx.RemoteProtocolError):
            list(pieces)


def test_its_picture_holds_all_that_is_odd_and_the_stream_goes_on_after_it(long: LiveServer) -> None:
    picture = long.client.get(f"/api/runs/{RUN}/picture", params={"smooth": 0.9, "columns": 500}).json()
    losses = dict(zip(picture["loss"]["epoch"], picture["loss"]["value"], strict=True))
    assert len(losses) < 2_000
    assert losses[SPIKE] == 900.0
    assert (losses[GAP], picture["loss"]["nonfinite"]) == (None, [[GAP, GAP + 2, "nan"]])
    assert picture["seconds"] == pytest.approx(100, rel=1e-3)
    smooth = dict(zip(picture["smoothed"]["epoch"], picture["smoothed"]["value"], strict=True))
    assert smooth[SPIKE] == pytest.approx(90 + 0.9 * losses[0] * math.exp(-SPIKE / 2e5), rel=0.01)
    after = {"after": picture["last_event"]}
    assert long.client.get(f"/api/runs/{RUN}/events", params=after).status_code == 204


def test_a_browser_draws_it_without_being_sent_a_million_epochs(
    long: LiveServer, browser: Browser, watch: Watch
) -> None:
    context = browser.new_context(base_url=long.url, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    watch.follow(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/runs/{RUN}")
    expect(page.locator("[data-loss-chart] canvas")).to_be_visible()
    page.get_by_label("Smoothing").select_option("0.9")
    page.get_by_role("button", name="linear", exact=True).click()
    expect(page.get_by_role("button", name="linear", exact=True)).to_have_attribute("aria-pressed", "true")
    page.locator("[data-loss-chart]").hover()
    expect(page.locator("[data-loss-hover]")).to_contain_text("epoch")
    for key, words in (("Home", "epoch 0,"), ("End", "epoch 999,999,"), ("Escape", "")):
        page.locator("[data-loss-chart]").press(key)
        expect(page.locator("[data-loss-hover]")).to_contain_text(words)
    expect(page.locator("[data-loss-hover]")).to_be_empty()
    page.reload()
    expect(page.get_by_label("Smoothing")).to_have_value("0.9")
    expect(page.get_by_role("button", name="linear", exact=True)).to_have_attribute("aria-pressed", "true")
    assert not [url for url in asked if "/events" in url or "/epochs" in httpx.URL(url).path]
    context.close()
