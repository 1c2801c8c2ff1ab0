"""What repeats and what it costs: the folded tree, its shapes, and receipts, over HTTP."""

from typing import Any

import httpx
import pytest

from app.trees.limits import Limits
from app.trees.sources import open_source
from tests.api.client import TreeClient, refused
from tests.live import LiveServer

BLOCK: dict[str, Any] = {"children": {"a": {}, "b": {}}}
BLOCKS: dict[str, Any] = {"children": {"head": {}, **{f"h{at}": BLOCK for at in range(6)}}}
VIEWS = ("folded", "shapes", "receipt")


@pytest.fixture(scope="module")
def grid(server: LiveServer) -> TreeClient:
    """111,111 LinearModels."""
    return TreeClient.grid(server.client, 10, 5)


@pytest.fixture(scope="module")
def blocks(server: LiveServer) -> TreeClient:
    """A head and six blocks of two, nobody of whom changes it."""
    return TreeClient.linear(server.client, BLOCKS)


class TestFolded:
    def test_a_grid_of_111_111_is_six_lines_of_text(self, grid: TreeClient) -> None:
        text = grid.get("folded", format="text")
        assert text.headers["content-type"] == "text/plain; charset=utf-8"
        lines = text.text.splitlines()
        assert lines[:2] == ["LinearModel(", "  (sub1-sub10): 10 x LinearModel("]
        assert lines[5] == f"{'  ' * 5}(sub1-sub10): 10 x LinearModel()"

    def test_rows_say_what_one_and_what_all_of_a_run_come_to(self, grid: TreeClient) -> None:
        found = grid.get("folded", target="sub3", depth=1).json()
        top, run = found["rows"]
        assert found["num_places"] == 11_111
        assert (top["label"], top["count"], top["num_parameters"], top["total_parameters"]) == (
            "sub3",
            1,
            22_222,
            22_222,
        )
        assert (run["label"], run["count"], run["num_parameters"], run["total_parameters"]) == (
            "sub1-sub10", 10, 2_222, 22_220,
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("accept", "query", "media_type"),
        [
            ("*/*", {}, "application/json"),
            ("text/plain", {}, "text/plain; charset=utf-8"),
            ("text/plain", {"format": "json"}, "application/json"),
            ("application/json", {"format": "text"}, "text/plain; charset=utf-8"),
        ],
    )
    def test_the_format_is_asked_for_by_query_or_header(
        self, blocks: TreeClient, accept: str, query: dict[str, str], media_type: str
    ) -> None:
        assert blocks.get("folded", headers={"accept": accept}, **query).headers["content-type"] == media_type

    def test_a_depth_ends_the_text(self, blocks: TreeClient) -> None:
        assert blocks.get("folded", format="text", depth=1).text == (
            "LinearModel(\n  (head): LinearModel()\n  (h0-h5): 6 x LinearModel(...)\n)"
        )

    def test_what_is_changed_in_one_is_no_longer_folded(self, http: httpx.Client) -> None:
        tree = TreeClient.linear(http, BLOCKS)
        tree.changed("requires_grad_", target="h2.b", requires_grad=False)
        labels = [row["label"] for row in tree.get("folded", depth=1).json()["rows"]]
        assert labels == ["", "head", "h0-h1", "h2", "h3-h5"]


class TestShapes:
    def test_a_grid_of_111_111_is_six_shapes_and_less_than_a_kilobyte(self, grid: TreeClient) -> None:
        answer = grid.get("shapes")
        assert len(answer.content) < 1_000
        graph = answer.json()
        assert [shape["children"] for shape in graph["shapes"]] == [[["sub1..sub10", at]] for at in range(1, 6)] + [[]]
        assert (graph["root"], graph["shared"]) == (0, [])

    def test_of_a_part_count_from_the_part(self, blocks: TreeClient) -> None:
        graph = blocks.get("shapes", target="h3").json()
        assert [shape["children"] for shape in graph["shapes"]] == [[["a", 1], ["b", 1]], []]

    def test_frozen_parameters_and_modes_are_ranges(self, http: httpx.Client) -> None:
        tree = TreeClient.linear(http, BLOCKS)
        tree.changed("requires_grad_", target="h0", requires_grad=False)
        tree.changed("eval", target="h1")
        graph = tree.get("shapes").json()
        assert (graph["frozen"], graph["eval"]) == ([[4, 6]], [[5, 3]])


class TestReceipt:
    def test_numbers_are_those_of_torch(self, http: httpx.Client) -> None:
        tree = TreeClient.linear(http, BLOCKS)
        module = open_source({"kind": "linear", "root": BLOCKS, "seed": 0}, Limits())
        tree.changed("requires_grad_", target="h2", requires_grad=False)
        tree.changed("register_buffer", target="h1", name="kept", value=[1, 2, 3])
        tree.changed("register_buffer", target="h1", name="fleeting", value=[1.5], dtype="float16", persistent=False)
        module.get_submodule("h2").requires_grad_(False)

        found = tree.get("receipt").json()
        parameters = list(module.parameters())
        assert found["parameters"]["value"] == found["listed"]["value"] == sum(p.numel() for p in parameters)
        assert found["trainable"]["value"] == sum(p.numel() for p in parameters if p.requires_grad)
        assert found["frozen"]["value"] == 6
        assert (found["persistent"]["value"], found["other_buffers"]["value"]) == (3, 1)
        assert (found["num_tied"]["value"], found["no_shape"]["value"], found["stored"]) == (0, 0, None)
        by_dtype = {one["dtype"]: one["num_bytes"] for one in found["by_dtype"]}
        assert by_dtype == {"float32": 4 * len(parameters), "int64": 24, "float16": 2}
        assert found["num_bytes"]["value"] == sum(by_dtype.values())

    def test_every_number_says_how_it_was_counted(self, blocks: TreeClient) -> None:
        found = blocks.get("receipt", target="h1").json()
        counted = [value for value in found.values() if isinstance(value, dict)]
        assert len(counted) == 9
        assert all(len(one["how"]) > 10 for one in counted)
        assert found["parameters"] == {
            "value": 6,
            "how": "every distinct parameter once: sum(p.numel() for p in module.parameters())",
        }


class TestSummary:
    def test_folds_in_every_form_but_json(self, blocks: TreeClient) -> None:
        for form in ("text", "markdown", "latex"):
            assert "6 x " in blocks.get("summary", format=form).text
            assert "6 x " not in blocks.get("summary", format=form, fold=False).text
        assert len(blocks.get("summary", format="json").json()["rows"]) == 20
        rows = blocks.get("summary", format="json", fold=True).json()["rows"]
        assert [(row["label"], row["count"]) for row in rows] == [
            ("", 1), ("head", 1), ("h0-h5", 6), ("a", 1), ("b", 1),
        ]  # fmt: skip

    def test_comes_as_a_table_in_latex(self, blocks: TreeClient) -> None:
        answer = blocks.get("summary", format="latex", depth=1)
        assert answer.headers["content-type"] == "text/x-tex; charset=utf-8"
        assert r"\quad (\texttt{h0-h5}) (+12 below) & 6 x \texttt{LinearModel} & 36 & 36 & 0 & 144 \\" in answer.text


@pytest.mark.parametrize("view", VIEWS)
def test_an_answer_is_not_sent_to_who_has_it(blocks: TreeClient, view: str) -> None:
    etag = blocks.get(view).headers["etag"]
    assert blocks.get(view, headers={"if-none-match": etag}).status_code == 304


@pytest.mark.parametrize("view", VIEWS)
def test_a_target_that_is_not_there_is_torchs_message(blocks: TreeClient, view: str) -> None:
    assert refused(blocks.get(view, target="h9"), 404) == "LinearModel has no attribute `h9`"
