"""The search page and the lists that take queries, scripts off."""

import re

import pytest

from tests.live import LiveServer
from tests.pages.reader import Page, Reader

ROOT: dict[str, object] = {
    "children": {
        "h": {"children": {str(at): {"children": {"attn": {"children": {"q": {}, "k": {}}}}} for at in range(3)}},
        "head": {"buffers": {"steps": 3}},
    }
}
STRANGE = ["<img src=x onerror=alert(1)>", "</mark><script>alert(2)</script>", "\u202eevil", " ", "a\nb", "모듈"]


@pytest.fixture(scope="module")
def reader(server: LiveServer) -> Reader:
    """The shared server, read without scripts."""
    return Reader(server.client)


@pytest.fixture(scope="module")
def tree(reader: Reader) -> str:
    """The address of a tree with three blocks that nobody changes."""
    return reader.open_tree({"kind": "linear", "root": ROOT, "seed": 0}, "blocks")


@pytest.fixture(scope="module")
def large(reader: Reader) -> str:
    """The address of a tree of 111,111 modules."""
    return reader.open_tree({"kind": "grid", "branching": 10, "depth": 5, "seed": 0})


def marked(page: Page) -> list[str]:
    return re.findall(r"<mark>(.*?)</mark>", page.response.text)


def urls_found(page: Page) -> list[str]:
    """The addresses of what was found, without the modules that lead there."""
    return [str(given["href"]) for tag, given in page.tags if tag == "a" and "data-found" in given]


def test_the_box_of_the_tree_leads_to_what_is_found(reader: Reader, tree: str) -> None:
    page = reader.send(reader.get(tree).form("/search"), q="1 attn")
    assert "1 module" in page.text
    assert urls_found(page) == [f"{tree}/modules/h.1.attn"]
    assert marked(page) == ["1", "attn"]
    assert {"blocks", "h", "1", "attn"} <= page.links.keys()
    assert page.form("/search").get("q") == "1 attn"
    assert "/search?q=1%20attn" in page.text


def test_tensors_are_found_under_their_module(reader: Reader, tree: str) -> None:
    page = reader.get(f"{tree}/search?q=dtype:int64")
    assert "1 tensor" in page.text
    assert urls_found(page) == [f"{tree}/modules/head?tab=buffers"]
    assert "steps [] int64 buffer" in page.text


def test_parts_of_classes_are_marked(reader: Reader, tree: str) -> None:
    assert set(marked(reader.get(f"{tree}/search?q=class:linear+-leaf"))) == {"Linear"}


def test_what_is_found_comes_in_pages(reader: Reader, tree: str) -> None:
    page = reader.get(f"{tree}/search?q=weight&limit=10")
    assert "15 tensors" in page.text
    second = reader.get(page.links["Next page"])
    assert len(urls_found(page)) == 10
    assert len(urls_found(second)) == 5
    assert urls_found(reader.get(second.links["First page"])) == urls_found(page)


def test_nothing_found_is_said_with_a_way_out(reader: Reader, tree: str) -> None:
    page = reader.get(f"{tree}/search?q=attn2")
    assert 'Nothing matches "attn2" in 15 modules.' in page.text
    assert "Type what to look for." in reader.get(page.links["Clear the search"]).text


def test_a_query_that_cannot_be_read_comes_back_with_the_place(reader: Reader, tree: str) -> None:
    page = reader.get(f"{tree}/search?q=attn+numel>", 422)
    assert 'Character 12: expected a number after "numel>".' in page.text
    assert page.form("/search").get("q") == "attn numel>"


def test_the_syntax_is_explained_by_examples_that_work(reader: Reader, tree: str) -> None:
    page = reader.get(f"{tree}/search")
    assert any(tag == "details" and "open" in given for tag, given in page.tags)
    examples = [link for link in page.links.values() if "/search?q=" in link]
    assert len(examples) >= 10
    for link in examples:
        reader.get(link)


def test_a_target_is_opened_directly(reader: Reader, tree: str) -> None:
    assert reader.get(f"{tree}/search?q=h").links["Open h"] == f"{tree}/modules/h"
    assert "Open h.1.attn" not in reader.get(f"{tree}/search?q=h.1.attn").links


@pytest.mark.parametrize("name", STRANGE)
def test_names_that_are_markup_stay_text(reader: Reader, name: str) -> None:
    root = {"children": {name: {"buffers": {name: [1]}}}}
    page = reader.get(f"{reader.open_tree({'kind': 'linear', 'root': root}, name)}/search?q=*")
    assert "2 modules" in page.text
    assert not re.search("<img|<script>alert|\u202e", page.response.text)
    assert len(urls_found(page)) == 2 + 5


def test_a_lens_lists_what_a_query_finds(reader: Reader, tree: str) -> None:
    page = reader.send(reader.get(f"{tree}/named_parameters").form("/named_parameters"), q="h.1 weight", target="h")
    assert "4 items" in page.text
    assert "1.attn.q.weight" in page.links
    assert "named_parameters():" not in page.text
    assert "q=h.1%20weight" in page.text
    assert reader.get(page.links["parameters"]).text.count("4 items") == 1
    assert 'Nothing here matches "zzz".' in reader.get(f"{tree}/named_buffers?q=zzz").text


def test_a_lens_goes_on_with_its_query_on_the_next_page(reader: Reader, tree: str) -> None:
    page = reader.get(f"{tree}/named_modules?q=attn&limit=2")
    assert "3 items, from 3" in reader.get(page.links["Next page"]).text


def test_a_lens_says_what_of_a_query_cannot_be_read(reader: Reader, tree: str) -> None:
    page = reader.get(f"{tree}/named_buffers?q=shape:big", 422)
    assert "Character 7: expected sizes such as 768x* or 3,224,224, got 'big'." in page.text
    assert page.form("/named_buffers").get("q") == "shape:big"


@pytest.mark.parametrize("q", ["sub", "weight", "sub3.sub4 numel:1", "leaf -sub1"])
def test_the_page_of_a_large_tree_is_small(reader: Reader, large: str, q: str) -> None:
    page = reader.get(f"{large}/search?q={q}")
    assert len(page.response.content) < 300_000
    assert len(urls_found(page)) == 200


def test_twenty_thousand_levels_down_there_still_is_a_page(reader: Reader) -> None:
    tree = reader.open_tree({"kind": "grid", "branching": 1, "depth": 20_000, "seed": 0})
    page = reader.get(f"{tree}/search?q=leaf")
    assert "19,975 levels between" in page.text
    assert urls_found(page) == [f"{tree}?row=20000"]
    assert len(reader.get(f"{tree}/search?q=depth>19000").response.content) < 600_000
