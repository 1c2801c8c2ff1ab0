"""The pages of what repeats and what it costs, without scripts."""

from urllib.parse import urlsplit

import pytest
from torch import nn

from app.pages.folded_rows import folded_view
from app.pages.shape_rows import shapes_view
from app.trees.index import TreeIndex
from tests.live import LiveServer
from tests.models import ZOO, Maker, chain_of, holding
from tests.pages.reader import Reader

BLOCK: dict[str, object] = {"buffers": {"buf": [1]}, "children": {"a": {}, "b": {}}}
STRANGE: dict[str, object] = {f"<b>{at}": {"children": {f"\u202e{at}": {} for at in range(3)}} for at in range(4)}


@pytest.fixture(scope="module")
def reader(server: LiveServer) -> Reader:
    """The shared server, read without scripts."""
    return Reader(server.client)


@pytest.fixture(scope="module")
def tree(reader: Reader) -> str:
    """The address of a tree with forty alike blocks, which nobody changes."""
    root = {"children": {"head": {}, **{f"h{at}": BLOCK for at in range(40)}}}
    return reader.open_tree({"kind": "linear", "root": root, "seed": 0}, "forty")


def test_every_whole_tree_page_leads_to_them(reader: Reader, tree: str) -> None:
    for path in ("", "/repr"):
        links = reader.get(f"{tree}{path}").links
        assert [links[view] for view in ("folded", "shapes", "receipt")] == [
            f"{tree}/folded", f"{tree}/shapes", f"{tree}/receipt",
        ]  # fmt: skip


def test_any_one_of_a_run_can_be_opened(reader: Reader, tree: str) -> None:
    page = reader.get(f"{tree}/folded")
    assert "122 modules in 5 rows" in page.text
    assert "(h0–h39) 40 × LinearModel" in page.text
    assert "<b>" not in reader.get(page.links["h17"]).response.text
    assert urlsplit(reader.get(page.links["h17"]).url).path == f"{tree}/modules/h17"
    opened = reader.send(page.form("/select"), number="31")
    assert urlsplit(opened.url).path == f"{tree}/modules/h31"
    reader.send(page.form("/select"), 404, number="99")


def test_parameters_of_one_and_of_all_stand_in_the_row(reader: Reader, tree: str) -> None:
    assert "40 × LinearModel 6 240" in reader.get(f"{tree}/folded").text


def test_shapes_lead_to_one_another_and_to_their_first_place(reader: Reader, tree: str) -> None:
    page = reader.get(f"{tree}/shapes")
    assert "122 places, 3 shapes" in page.text
    assert {given.get("id") for tag, given in page.tags if tag == "tr"} >= {"shape-0", "shape-1", "shape-2"}
    assert page.links["2"] == "#shape-2"
    assert "buf [1] int64" in page.text
    assert "(h0–h39) 40 × 2" in page.text
    assert "Nothing: every module, parameter and buffer stands at one place." in page.text


def test_a_receipt_says_how_each_number_was_counted(reader: Reader, tree: str) -> None:
    page = reader.send(reader.get(f"{tree}/receipt").form("/receipt"), target="h3")
    assert "Parameters 6 every distinct parameter once: sum(p.numel() for p in module.parameters())" in page.text
    assert "in int64 8 1 tensor, 1 element" in page.text
    assert "/receipt?target=h3" in page.text


def test_the_inspector_has_the_receipt_of_the_selection(reader: Reader, tree: str) -> None:
    page = reader.get(f"{tree}/modules/h3")
    assert "Receipt 6 distinct 6 listed 6 trainable 1 in persistent buffers" in page.text
    assert "distinct buffers that the state dict holds" in page.text
    titles = [given.get("title") for tag, given in page.tags if given.get("class") == "receipt-brief"]
    assert titles[0] == "every distinct parameter once: sum(p.numel() for p in module.parameters())"


def test_a_run_in_the_tree_is_opened_and_closed_by_links(reader: Reader, tree: str) -> None:
    page = reader.get(tree)
    turns = [given for _, given in page.tags if "data-tree-turn" in given]
    assert [(given["aria-expanded"], given["aria-label"]) for given in turns] == [("false", "List each of (h0–h39)")]
    assert urlsplit(reader.get(page.links["(h0–h39)"]).url).path == f"{tree}/modules/h0"
    unfolded = reader.get(str(turns[0]["href"]))
    member = reader.get(unfolded.links["h23"])
    assert urlsplit(member.url).path == f"{tree}/modules/h23"
    assert {"h22", "h24"} <= set(member.links)
    (turn,) = [given for _, given in member.tags if "data-tree-turn" in given]
    closed = reader.get(str(turn["href"]))
    assert {"(h0–h22)", "h23", "(h24–h39)"} <= set(closed.links)


@pytest.mark.parametrize("path", ["", "?unfold=1", "/folded", "/shapes", "/receipt", "/summary"])
def test_strange_names_are_shown_safely(reader: Reader, path: str) -> None:
    tree = reader.open_tree({"kind": "linear", "root": {"children": STRANGE}, "seed": 0}, "<script>x")
    html = reader.get(f"{tree}{path}").response.text
    assert "<b>" not in html.replace("<b title", "")
    assert "\u202e" not in html
    assert "<script>x" not in html


@pytest.mark.parametrize("make", ZOO.values(), ids=ZOO)
def test_the_zoo_has_rows_of_both(make: Maker) -> None:
    index = TreeIndex.of(make())
    assert folded_view(index, "t_1", "root", 0).num_places == len(index)
    assert shapes_view(index, "t_1", 0).num_shapes == len(index.shapes.ids)


def test_a_deep_chain_ends_where_a_page_does_and_goes_on_with_a_link() -> None:
    view = folded_view(TreeIndex.of(chain_of(3_000)), "t_1", "chain", 0)
    assert view.num_rows == 25
    line = view.top
    while line.items:
        (line,) = line.items
    assert line.num_hidden == 3_000 - 24
    assert line.hidden_url.startswith("/trees/t_1/folded?target=sub1.sub1")


def test_thousands_of_siblings_that_differ_are_cut() -> None:
    children = {f"n{at}x": nn.Identity() for at in range(2_000)}
    view = folded_view(TreeIndex.of(holding(**children)), "t_1", "wide", 0)
    assert (len(view.top.items), view.num_cut) == (600, 1_400)


def test_what_is_shared_is_told_with_its_places() -> None:
    tied = shapes_view(TreeIndex.of(ZOO["tied_parameters"]()), "t_1", 0)
    (row,) = tied.shared
    assert (row.kind, [place.name for place in row.places]) == ("parameter", ["embedding.weight", "head.weight"])
    assert row.places[1].url == "/trees/t_1/modules/head"
