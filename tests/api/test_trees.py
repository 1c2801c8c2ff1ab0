"""Trees: opened, listed, renamed, deleted; their ETags and preconditions."""

import re
from typing import Any

import httpx
import pytest

from app.trees.linear import LinearModel
from tests.api.client import TUTORIAL, TreeClient, refused

FIELDS = {
    "id", "name", "source", "revision", "class_name", "num_modules", "num_parameters", "num_trainable", "num_buffers",
    "num_bytes", "depth", "fingerprint", "can", "can_undo", "can_redo", "created_at", "updated_at",
}  # fmt: skip


class TestOpening:
    def test_answers_201_with_location_etag_and_the_tree(self, http: httpx.Client) -> None:
        tree = TreeClient.linear(http, TUTORIAL)

        opened = tree.opened.json()
        assert tree.url == f"/api/trees/{opened['id']}"
        assert tree.opened.headers["etag"] == '"1"'
        assert set(opened) == FIELDS
        assert re.fullmatch(r"t_[a-z2-7]{10}", opened["id"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", opened["created_at"])
        assert (opened["num_modules"], opened["num_parameters"], opened["num_bytes"], opened["depth"]) == (3, 6, 24, 2)
        assert opened["can"] == {"train": True, "edit": True, "forward": True}
        assert tree.get().json() == opened

    def test_a_grid_is_a_full_tree(self, http: httpx.Client) -> None:
        opened = TreeClient.grid(http, 3, 2).opened.json()

        assert (opened["num_modules"], opened["num_parameters"], opened["depth"]) == (13, 26, 2)
        assert opened["source"]["kind"] == "grid"

    def test_the_same_seed_draws_the_same_values(self, http: httpx.Client) -> None:
        values = [TreeClient.grid(http, 2, 1).items("parameters") for _ in range(2)]

        assert values[0] == values[1]

    def test_a_name_that_is_markup_comes_back_as_it_was(self, http: httpx.Client) -> None:
        name = "<script>alert(1)</script>\r\n\"'&\u202e\x00"
        tree = TreeClient(http, {"kind": "linear", "root": {"children": {name: {}}}}, name)

        assert tree.get().json()["name"] == name
        assert tree.names("named_children") == [name]
        assert tree.get("get_submodule", target=name).json()["name"] == name
        assert tree.get("get_submodule", target=name).headers["x-content-type-options"] == "nosniff"

    @pytest.mark.parametrize("depth", [200, 470, 480, 490, 500, 3000])
    def test_a_spec_nested_past_pythons_recursion_opens(self, http: httpx.Client, depth: int) -> None:
        body = b'{"source":{"kind":"linear","root":' + b'{"children":{"sub1":' * depth + b"{}" + b"}}" * depth + b"}}"

        answer = http.post("/api/trees", content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 201, answer.text
        assert b'"depth":%d' % depth in answer.content
        url = answer.headers["location"]
        assert http.get(url).status_code == 200
        assert http.get("/api/trees", params={"limit": 2}).status_code == 200
        last = ".".join(["sub1"] * depth)
        assert http.get(f"{url}/get_submodule", params={"target": last}).json()["depth"] == depth
        assert http.get(f"{url}/repr").status_code == 200
        assert http.delete(url).status_code == 204

    @pytest.mark.parametrize(
        ("source", "place"),
        [
            ({"kind": "factory", "target": "torch.nn:Linear"}, ["body", "source", "kwargs", "in_features"]),
            ({"kind": "checkpoint"}, ["body", "source", "checkpoint", "path"]),
            ({"kind": "file"}, ["body", "source"]),
            ({"kind": "linear"}, ["body", "source", "linear", "root"]),
            ({"kind": "linear", "root": {"wieght": 1}}, ["body", "source", "root", "wieght"]),
            ({"kind": "linear", "root": {"weight": "1"}}, ["body", "source", "root", "weight"]),
            ({"kind": "linear", "root": {"weight": 1e300}}, ["body", "source", "root", "weight"]),
            ({"kind": "linear", "root": {"buffers": {"b": [[1], [1, 2]]}}}, ["body", "source", "root", "buffers", "b"]),
            ({"kind": "linear", "root": {}, "forward": "sideways"}, ["body", "source", "linear", "forward"]),
            ({"kind": "linear", "root": {}, "seed": 2**64}, ["body", "source", "linear", "seed"]),
            ({"kind": "grid", "branching": 0, "depth": 1}, ["body", "source", "grid", "branching"]),
            ({"kind": "grid", "branching": 1, "depth": 1.5}, ["body", "source", "grid", "depth"]),
            ({"kind": "grid", "branching": 1, "depth": 1, "more": 1}, ["body", "source", "grid", "more"]),
        ],
    )
    def test_what_does_not_fit_is_422_and_says_where(
        self, http: httpx.Client, source: dict[str, Any], place: list[str]
    ) -> None:
        answer = http.post("/api/trees", json={"source": source})

        refused(answer, 422)
        assert place in [error["loc"] for error in answer.json()["errors"]]

    def test_an_unknown_kind_is_told_the_known_ones(self, http: httpx.Client) -> None:
        detail = refused(http.post("/api/trees", json={"source": {"kind": "file"}}), 422)

        for kind in ("linear", "grid", "factory", "config", "checkpoint"):
            assert kind in detail

    @pytest.mark.parametrize("name", ["", "a.b", "weight", "training"])
    def test_a_childs_name_that_torch_refuses_is_409_with_its_message(self, http: httpx.Client, name: str) -> None:
        with pytest.raises(KeyError) as torch_error:
            LinearModel().add_module(name, LinearModel())

        source = {"kind": "linear", "root": {"children": {name: {}}}}
        assert refused(http.post("/api/trees", json={"source": source}), 409) == torch_error.value.args[0]

    @pytest.mark.parametrize(("branching", "depth"), [(10, 9), (2**62, 2), (1, 10**12), (2, 10**15), (10**9, 1)])
    def test_a_grid_over_the_limit_is_413_at_once(self, http: httpx.Client, branching: int, depth: int) -> None:
        source = {"kind": "grid", "branching": branching, "depth": depth}
        answer = http.post("/api/trees", json={"source": source}, timeout=2)

        refused(answer, 413)
        assert answer.json()["limit"] > 0


class TestListing:
    def test_newest_first_and_pages_join_to_the_whole(self, http: httpx.Client) -> None:
        opened = [TreeClient.linear(http, {}).opened.json()["id"] for _ in range(3)]

        whole = http.get("/api/trees", params={"limit": 100_000}).json()
        assert [item["id"] for item in whole["items"]][:3] == opened[::-1]
        assert whole["total"] == len(whole["items"])
        assert whole["next"] is None
        pages: list[list[dict[str, Any]]] = []
        query: dict[str, Any] = {"limit": whole["total"] // 3}
        while query:
            page = http.get("/api/trees", params=query).json()
            pages.append(page["items"])
            query = {**query, "cursor": page["next"]} if page["next"] else {}
        assert [item for page in pages for item in page] == whole["items"]
        assert len(pages) >= 3

    @pytest.mark.parametrize(
        "query", [{"limit": "0"}, {"limit": "100001"}, {"limit": "x"}, {"cursor": "!"}, {"cursor": "MS4y"}]
    )
    def test_a_limit_or_cursor_that_does_not_fit_is_422(self, http: httpx.Client, query: dict[str, str]) -> None:
        refused(http.get("/api/trees", params=query), 422)


class TestRenaming:
    def test_keeps_the_revision_and_no_cache_serves_the_old_name(self, tree: TreeClient) -> None:
        etag = tree.get().headers["etag"]
        renamed = tree.http.patch(tree.url, json={"name": "another"})

        assert renamed.json()["name"] == "another"
        assert renamed.headers["etag"] == etag
        assert tree.get(headers={"if-none-match": etag}).json()["name"] == "another"

    @pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": 1}, {"name": "x" * 201}, {"name": "x", "id": "y"}])
    def test_a_name_that_does_not_fit_is_422(self, tree: TreeClient, body: dict[str, Any]) -> None:
        refused(tree.http.patch(tree.url, json=body), 422)


class TestDeleting:
    def test_answers_204_and_then_there_is_nothing(self, tree: TreeClient) -> None:
        assert tree.http.delete(tree.url).status_code == 204

        refused(tree.get(), 404)
        refused(tree.get("named_modules"), 404)
        refused(tree.post("eval"), 404)
        refused(tree.http.delete(tree.url), 404)


class TestConditions:
    def test_a_client_that_has_the_tree_gets_304(self, tree: TreeClient) -> None:
        for tags in ('"1"', 'W/"1"', '"9", "1"', "*"):
            answer = tree.get(headers={"if-none-match": tags})
            assert answer.status_code == 304, tags
            assert answer.headers["etag"] == '"1"'
            assert answer.content == b""

    @pytest.mark.parametrize("tags", ['"2"', "1", '"1', "nonsense"])
    def test_another_tag_gets_the_tree(self, tree: TreeClient, tags: str) -> None:
        assert tree.get(headers={"if-none-match": tags}).status_code == 200

    def test_an_undo_is_not_hidden_by_a_tag_that_was_seen_before(self, tree: TreeClient) -> None:
        tree.changed("eval")
        tree.changed("undo")

        answer = tree.get(headers={"if-none-match": '"1"'})
        assert answer.status_code == 200
        assert answer.json()["can_redo"] is True

    @pytest.mark.parametrize("tags", ['"2"', 'W/"1"', "1", "", '"1', '"one"', '"2", W/"1"'])
    def test_if_match_that_does_not_name_the_revision_is_412(self, tree: TreeClient, tags: str) -> None:
        headers = {"if-match": tags}

        refused(tree.http.delete(tree.url, headers=headers), 412)
        refused(tree.http.patch(tree.url, json={"name": "x"}, headers=headers), 412)
        refused(tree.post("eval", if_match=tags), 412)
        assert tree.get().json()["revision"] == 1

    @pytest.mark.parametrize("tags", ['"1"', "*", '"7", "1"', '"1" ,'])
    def test_if_match_that_names_it_is_obeyed(self, tree: TreeClient, tags: str) -> None:
        assert tree.post("eval", if_match=tags).status_code == 200

    def test_head_answers_as_get_without_a_body(self, tree: TreeClient) -> None:
        for path in ("", "/named_modules", "/repr", "/skeleton", "/state_dict"):
            got, headed = tree.http.get(tree.url + path), tree.http.head(tree.url + path)
            assert headed.status_code == 200
            assert headed.content == b""
            assert headed.headers.get("etag") == got.headers["etag"]
            assert headed.headers["content-type"] == got.headers["content-type"]
        assert tree.http.head("/api/trees").status_code == 200
        assert tree.http.head("/api/apply_functions").status_code == 200
