"""Search over HTTP, and the lists that take the same queries."""

import json
from typing import Any

import httpx
import pytest

from tests.api.client import TreeClient, refused

ROOT: dict[str, Any] = {
    "buffers": {"mask": [[True, False]]},
    "children": {
        "h": {"children": {str(at): {"children": {"attn": {"children": {"q": {}, "k": {}}}}} for at in range(3)}},
        "head": {"buffers": {"steps": 3}},
    },
}
NDJSON = {"accept": "application/x-ndjson"}


@pytest.fixture
def tree(http: httpx.Client) -> TreeClient:
    """Three blocks with attention, two buffers of other dtypes."""
    return TreeClient.linear(http, ROOT)


def found(answer: dict[str, Any]) -> list[str]:
    """The paths of the modules and tensors that were found."""
    paths = []
    for row in answer["rows"]:
        if row["is_found"]:
            paths.append(row["path"])
        paths += [".".join(filter(None, (row["path"], tensor["name"]))) for tensor in row["tensors"]]
    return paths


def search(tree: TreeClient, q: str, **query: Any) -> dict[str, Any]:
    answer = tree.get("search", q=q, **query)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def test_what_is_found_stands_in_tree_order_under_what_leads_to_it(tree: TreeClient) -> None:
    page = search(tree, "1 attn")
    assert [(row["path"], row["depth"], row["is_found"]) for row in page["rows"]] == [
        ("", 0, False),
        ("h", 1, False),
        ("h.1", 2, False),
        ("h.1.attn", 3, True),
    ]
    assert (page["q"], page["num_modules"], page["num_tensors"], page["next"]) == ("1 attn", 1, 0, None)
    assert [row["num_parameters"] for row in page["rows"]] == [30, 26, 8, 6]


@pytest.mark.parametrize(
    ("q", "paths"),
    [
        ("dtype:bool", ["mask"]),
        ("buffer numel:1", ["head.steps"]),
        ("class:linear children>2", ["h"]),
        ("depth:3", ["h.0.attn", "h.1.attn", "h.2.attn"]),
        ("h.2.attn parameter", [f"h.2.attn{name}.{own}" for name in ("", ".k", ".q") for own in ("weight", "bias")]),
        ("no such thing", []),
    ],
)
def test_a_query_finds(tree: TreeClient, q: str, paths: list[str]) -> None:
    assert sorted(found(search(tree, q))) == sorted(paths)


def test_a_tensor_that_was_found_says_what_it_is(tree: TreeClient) -> None:
    (row,) = search(tree, "mask")["rows"]
    tensor = {"name": "mask", "is_buffer": True, "shape": [1, 2], "dtype": "bool", "numel": 2, "marks": [[0, 4]]}
    assert row["tensors"] == [tensor]


def test_what_was_asked_for_is_marked_in_names_and_classes(tree: TreeClient) -> None:
    rows = search(tree, "tt class:inear")["rows"]
    marked = [(row["name"], row.get("marks"), row.get("class_marks")) for row in rows if row["is_found"]]
    assert marked[0] == ("attn", [[1, 3]], [[1, 6]])


def test_modules_that_forward_never_calls_are_found(tree: TreeClient) -> None:
    assert found(search(tree, "nograd depth:1")) == ["h", "head"]


def test_an_empty_query_finds_every_module(tree: TreeClient) -> None:
    assert found(search(tree, "")) == tree.names("named_modules")
    assert found(tree.get("search").json()) == tree.names("named_modules")


@pytest.mark.parametrize("limit", [1, 4])
def test_pages_join_to_the_whole(tree: TreeClient, limit: int) -> None:
    whole = search(tree, "weight | attn")
    paths: list[str] = []
    page = search(tree, "weight | attn", limit=limit)
    while page["next"]:
        assert len(found(page)) == limit
        paths += found(page)
        page = search(tree, "weight | attn", limit=limit, cursor=page["next"])
    assert paths + found(page) == found(whole)
    assert page["num_modules"] + page["num_tensors"] == len(found(whole))


@pytest.mark.parametrize("view", ["search", "named_modules", "parameters", "named_children"])
def test_a_query_that_cannot_be_read_is_422_with_the_place(tree: TreeClient, view: str) -> None:
    answer = tree.get(view, q="attn numel>big")
    assert refused(answer, 422) == "q, character 12: expected a number such as 768, 1e6 or 1.5M, got 'big'."
    assert answer.json()["errors"][0]["loc"] == ["query", "q", 11]


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 1_001}, {"cursor": "x"}])
def test_a_page_that_cannot_be_is_422(tree: TreeClient, query: dict[str, Any]) -> None:
    refused(tree.get("search", q="attn", **query), 422)


def test_a_cursor_of_another_revision_is_422(tree: TreeClient) -> None:
    cursor = search(tree, "attn", limit=1)["next"]
    tree.changed("eval")
    assert "revision 1" in refused(tree.get("search", q="attn", cursor=cursor), 422)


def test_a_change_is_found_at_once(tree: TreeClient) -> None:
    assert found(search(tree, "frozen")) == []
    tree.changed("requires_grad_", target="head", requires_grad=False)
    assert found(search(tree, "frozen")) == ["head.weight", "head.bias"]


def test_names_that_are_markup_or_of_any_script_are_found(http: httpx.Client) -> None:
    names = ["<img src=x onerror=alert(1)>", "모듈", "🔥", "a b", '"quoted"', "-1", "x|y"]
    tree = TreeClient.linear(http, {"children": {name: {} for name in names}})
    for name in names:
        quoted = json.dumps(name, ensure_ascii=False)
        assert found(search(tree, f"{quoted} leaf")) == [name]


def test_a_deep_chain_is_searched_in_small_pages(http: httpx.Client) -> None:
    chain = TreeClient.grid(http, 1, 3_000)
    page = search(chain, "leaf")
    assert [row["depth"] for row in page["rows"]] == [0, *range(2_976, 3_001)]
    assert len(search(chain, "depth>2500", limit=1_000)["rows"]) < 400


class TestLists:
    @pytest.mark.parametrize(
        ("view", "q", "names"),
        [
            ("named_modules", "attn", ["h.0.attn", "h.1.attn", "h.2.attn"]),
            ("named_modules", "dtype:int64", ["head"]),
            ("named_children", "children>2", ["h"]),
            ("named_parameters", "h.1 q", ["h.1.attn.q.weight", "h.1.attn.q.bias"]),
            ("named_parameters", "class:Linear head weight", ["head.weight"]),
            ("named_buffers", "dtype:bool", ["mask"]),
            ("named_buffers", "nothing", []),
        ],
    )
    def test_a_list_holds_what_a_query_finds(self, tree: TreeClient, view: str, q: str, names: list[str]) -> None:
        page = tree.get(view, q=q).json()
        assert [item["name"] for item in page["items"]] == names
        assert page["total"] == len(names)

    @pytest.mark.parametrize("kind", ["modules", "parameters", "buffers", "children"])
    def test_lists_without_names_hold_the_same(self, tree: TreeClient, kind: str) -> None:
        named = tree.items(f"named_{kind}", q="h | dtype:bool")
        assert [item["path"] for item in tree.items(kind, q="h | dtype:bool")] == [item["path"] for item in named]

    def test_an_empty_query_leaves_a_list_as_it_is(self, tree: TreeClient) -> None:
        for view in ("named_modules", "named_parameters", "named_buffers", "named_children"):
            assert tree.get(view, q=" ").json() == tree.get(view).json()

    def test_pages_and_lines_go_on_working(self, tree: TreeClient) -> None:
        whole = tree.items("named_parameters", q="attn weight")
        assert len(whole) == 9
        page = tree.get("named_parameters", q="attn weight", limit=5).json()
        rest = tree.get("named_parameters", q="attn weight", limit=5, cursor=page["next"]).json()
        assert page["items"] + rest["items"] == whole
        assert (page["total"], rest["next"]) == (9, None)
        lines = tree.get("named_parameters", q="attn weight", headers=NDJSON).text.splitlines()
        assert [json.loads(line) for line in lines] == whole

    def test_a_query_goes_together_with_target_and_arguments(self, tree: TreeClient) -> None:
        assert tree.names("named_parameters", target="h.1", q="q") == ["attn.q.weight", "attn.q.bias"]
        assert tree.names("named_parameters", target="head", recurse=False, q="bias") == ["bias"]
        assert tree.names("named_modules", target="h", q="attn") == ["0.attn", "1.attn", "2.attn"]
