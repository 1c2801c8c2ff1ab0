"""A tensor's pages: the table of values, the histogram, the picture of a heat map, and what they say over HTTP."""

import base64
import math
import struct
import warnings
import zlib

import numpy as np
import pytest
import torch

from app.pages.heat_picture import DARK, LIGHT, NUM_LEVELS, heat_picture
from app.pages.histogram import histogram_chart
from app.pages.stats_facts import stats_facts
from app.pages.value_table import index_text, value_table
from app.trees.heat_map import heat_map_of
from app.trees.rows import HeatMap, Histogram
from app.trees.tensor_values import page_of, stats_of
from tests.live import LiveServer
from tests.pages.reader import Reader

SOURCE: dict[str, object] = {
    "kind": "linear",
    "root": {
        "weight": 2.5,
        "buffers": {
            "cube": torch.arange(-12.0, 12.0).reshape(2, 3, 4).tolist(),
            "line": list(range(2_000)),
            "<b>bold</b>": [1.0],
        },
        "children": {"sub1": {}},
    },
    "seed": 0,
}


@pytest.fixture(scope="module")
def reader(server: LiveServer) -> Reader:
    return Reader(server.client)


@pytest.fixture(scope="module")
def tree(reader: Reader) -> str:
    """The address of a LinearModel with buffers."""
    return reader.open_tree(SOURCE)


def url(start: int) -> str:
    return f"at {start}"


class TestValueTable:
    def test_a_row_is_a_line_of_the_last_dimension(self) -> None:
        table = value_table(page_of(torch.arange(24).reshape(2, 3, 4), 0, 12), (2, 3, 4), 12, url)
        assert table.columns == ("0", "1", "2", "3")
        assert [row.index for row in table.rows] == ["[0, 0, 0]", "[0, 1, 0]", "[0, 2, 0]"]
        assert [cell.text for cell in table.rows[1].cells] == ["4", "5", "6", "7"]

    def test_a_long_line_is_broken_and_no_row_goes_over_its_end(self) -> None:
        table = value_table(page_of(torch.arange(40).reshape(2, 20), 0, 40), (2, 20), 40, url)
        assert table.columns[0] == "+0"
        assert [row.index for row in table.rows] == ["[0, 0]", "[0, 8]", "[0, 16]", "[1, 0]", "[1, 8]", "[1, 16]"]
        assert [len(row.cells) for row in table.rows] == [8, 8, 4, 8, 8, 4]

    def test_a_page_that_begins_within_a_row_leaves_blanks(self) -> None:
        table = value_table(page_of(torch.arange(12).reshape(3, 4), 6, 3), (3, 4), 3, url)
        assert [[cell.text for cell in row.cells] for row in table.rows] == [["", "", "6", "7"], ["8"]]
        assert [row.index for row in table.rows] == ["[1, 0]", "[2, 0]"]

    def test_it_says_where_the_others_are(self) -> None:
        tensor = torch.arange(100)
        first, middle, last = (value_table(page_of(tensor, at, 40), (100,), 40, url) for at in (0, 50, 80))
        assert (first.first_url, first.previous_url, first.next_url) == ("", "", "at 40")
        assert (middle.first_url, middle.previous_url, middle.next_url) == ("at 0", "at 10", "at 90")
        assert (last.last, last.next_url) == (99, "")

    def test_numbers_are_as_torch_prints_them(self) -> None:
        values = torch.tensor([1 + 2j, complex(math.nan, -0.5)])
        table = value_table(page_of(values, 0, 9), (2,), 9, url)
        assert [(cell.text, cell.is_odd) for cell in table.rows[0].cells] == [
            ("1.+2.j", False),
            ("nan\u22120.5000j", True),
        ]
        assert index_text(2**60 + 3, (2**30, 2**31)) == f"[{2**29}, 3]"
        assert value_table(page_of(torch.tensor(True), 0, 9), (), 9, url).rows[0].index == "[]"


class TestHistogram:
    def test_bars_are_as_high_as_their_counts(self) -> None:
        chart = histogram_chart(Histogram([-1.0, 0.0, 1.0, 2.0], [2, 4, 0]))
        assert [bar.height for bar in chart.bars] == ["80.0", "160.0", "0.0"]
        assert [(line.at, line.label) for line in chart.lines] == [("0.00", "4"), ("50.00", "2")]

    def test_counts_far_apart_stand_on_a_log_scale_and_anything_is_seen(self) -> None:
        chart = histogram_chart(Histogram([-1.0, 0.0, 1.0, 2.0], [1, 100_000, 0]))
        assert [bar.height for bar in chart.bars] == ["1.5", "160.0", "0.0"]
        assert [line.label for line in chart.lines] == ["100\u2009k", "1,000", "10"]
        assert float(chart.zero) == pytest.approx(640 / 3, abs=0.1)
        assert [tick.label for tick in chart.ticks] == ["\u22121", "\u22120.5", "0", "0.5", "1", "1.5", "2"]
        assert "the fullest has 100,000, from 0 to 1" in chart.said

    def test_zero_is_marked_only_where_it_is(self) -> None:
        assert histogram_chart(Histogram([1.0, 2.0, 3.0], [1, 1])).zero == ""

    def test_what_is_not_finite_stands_out_among_the_facts(self) -> None:
        stats = stats_of(torch.tensor([1.0, math.nan, 3.0]))
        assert stats is not None
        facts = {fact.label: fact for fact in stats_facts(stats, 3)}
        assert (facts["mean"].value, facts["mean"].receipt) == ("2.000", "of 2 finite values, in double precision")
        assert (facts["nan"].value, facts["nan"].is_odd, facts["inf"].is_odd) == ("1", True, False)
        nothing = stats_of(torch.zeros(0))
        assert nothing is not None
        assert stats_facts(nothing, 0)[0].value == "unknown"

    def test_the_std_of_one_element_is_what_torch_says_it_is(self) -> None:
        one = torch.tensor([0.5])
        stats = stats_of(one)
        assert stats is not None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            said = str(one.std().item())
        assert {fact.label: fact.value for fact in stats_facts(stats, 1)}["std"] == said


class TestHeatPicture:
    def test_pixels_are_the_colours_of_the_values(self) -> None:
        heat = heat_map_of(torch.tensor([[-2.0, 0.0, 1.0], [2.0, math.nan, math.inf]]))
        picture = heat_picture(heat, "x")
        assert picture is not None
        for address, stops in ((picture.light, LIGHT), (picture.dark, DARK)):
            pixels = colours(address)
            assert (pixels[0][0], pixels[0][1], pixels[1][0]) == (stops[0], stops[3], stops[6])
            assert pixels[1][1] is pixels[1][2] is None
        assert picture.odd == "1 cell nan, 1 cell inf"
        assert picture.said == "Heat map of x: 2 rows by 3 columns, from \u22122 to 2. 1 cell nan, 1 cell inf."

    def test_nothing_but_zeros_and_nothing_finite_are_drawn(self) -> None:
        zeros, odd = (
            heat_picture(heat_map_of(torch.zeros(2, 2)), "x"),
            heat_picture(heat_map_of(torch.full((2,), math.nan)), "x"),
        )
        assert zeros is not None
        assert colours(zeros.light) == [[LIGHT[3]] * 2] * 2
        assert odd is not None
        assert colours(odd.light) == [[None, None]]
        assert "no finite value. 2 cells nan" in odd.said
        assert heat_picture(heat_map_of(torch.zeros(0, 3)), "x") is None

    def test_the_largest_picture_is_small(self) -> None:
        cells = np.random.default_rng(0).normal(size=(128, 512)).tolist()
        picture = heat_picture(HeatMap([], (12_800, 51_200), (100, 100), cells), "x")
        assert picture is not None
        assert len(picture.light) + len(picture.dark) < 150_000
        assert (picture.width, picture.height, picture.block) == (1024, 256, "100 × 100")


def colours(address: str) -> list[list[str | None]]:
    """The colours of a PNG with a palette, None for a clear pixel."""
    data = base64.b64decode(address.removeprefix("data:image/png;base64,"))
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, at = {}, 8
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        chunks[kind] = data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0] == zlib.crc32(kind + chunks[kind])
        at += 12 + size
    width, height, *rest = struct.unpack(">2I5B", chunks[b"IHDR"])
    assert (rest, chunks[b"tRNS"], len(chunks[b"PLTE"])) == ([8, 3, 0, 0, 0], b"\0", 3 * (NUM_LEVELS + 1))
    lines, palette = zlib.decompress(chunks[b"IDAT"]), chunks[b"PLTE"]
    assert len(lines) == height * (width + 1)
    return [
        [
            f"#{palette[3 * level : 3 * level + 3].hex()}" if level else None
            for level in lines[row + 1 : row + 1 + width]
        ]
        for row in range(0, len(lines), width + 1)
    ]


def test_the_three_pages_are_tabs_of_one_another(reader: Reader, tree: str) -> None:
    page = reader.get(f"{tree}/values?target=cube")
    assert "[2, 3, 4]" in page.text
    assert "24 elements" in page.text
    for label, words in {"Statistics": "of 24 finite values", "Heat map": "3 rows down, 4 columns across"}.items():
        page = reader.get(page.links[label])
        assert words in page.text
        assert "curl -s" in page.text
    assert "\u221212." in reader.get(page.links["Values"]).text


def test_values_are_gone_through_by_pages_and_from_any_element(reader: Reader, tree: str) -> None:
    page = reader.get(f"{tree}/values?target=line")
    assert "0 to 511 of 2,000" in page.text
    assert "512 to 1,023 of 2,000" in reader.get(page.links["Next page"]).text
    page = reader.send(page.form("/values"), start="1990")
    assert "1,990 to 1,999 of 2,000" in page.text
    assert "1999" in page.text
    assert "Next page" not in page.links


def test_a_matrix_of_a_cube_is_chosen_by_its_index(reader: Reader, tree: str) -> None:
    page = reader.get(f"{tree}/heat_map?target=cube")
    form = page.form("/heat_map")
    assert form.get("index") == "0"
    assert 'model.get_buffer("cube")[1]' in reader.send(form, index=" 1 ").text
    assert "index: expected 1 numbers below [2], got [2]" in reader.send(form, 422, index="2").text
    refused = reader.send(form, 422, index="one")
    assert "expected whole numbers with commas between, got 'one'" in refused.text
    assert refused.form("/heat_map").get("index") == "one"


def test_the_histogram_has_its_numbers_beside_it(reader: Reader, tree: str) -> None:
    page = reader.get(f"{tree}/stats?target=cube")
    assert sum(given.get("class") == "hist-bar" for _, given in page.tags) == 24
    assert "The bins as a table" in page.text
    assert sum(tag == "tr" for tag, _ in page.tags) == 65


def test_without_a_target_the_page_asks_for_one(reader: Reader, tree: str) -> None:
    for view in ("values", "stats", "heat_map"):
        page = reader.get(f"{tree}/{view}")
        assert "Give the target of a parameter or a buffer" in page.text
        assert "sub1.weight" in reader.send(page.form(f"/{view}"), target="sub1.weight").text
    assert "LinearModel has no attribute `nope`" in reader.get(f"{tree}/values?target=nope", 404).text


def test_names_from_outside_never_become_markup(reader: Reader, tree: str) -> None:
    for view in ("values", "stats", "heat_map"):
        page = reader.get(f"{tree}/{view}?target=%3Cb%3Ebold%3C/b%3E")
        assert "<b>bold" not in page.response.text
        assert "<b>bold</b>" in page.text


def test_the_inspector_leads_to_them(reader: Reader, tree: str) -> None:
    page = reader.get(f"{tree}?tab=buffers")
    chosen = reader.get(page.links["cube"])
    assert "24 elements" in reader.get(chosen.links["Values"]).text
