"""A tree as a whole: state dict, text, code, summary, skeleton."""

import json
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
import torch
from safetensors.torch import load, save

from app.trees.limits import Limits
from app.trees.sources import open_source
from tests.api.client import TUTORIAL, TreeClient, refused


class TestStateDict:
    def test_is_a_safetensors_file_of_the_same_values(self, tree: TreeClient) -> None:
        tree.changed("register_buffer", name="buf", value=[4])
        tree.changed("register_buffer", name="scratch", value=[5], persistent=False)
        module = open_source({"kind": "linear", "root": TUTORIAL, "seed": 0}, Limits())
        module.register_buffer("buf", torch.tensor([4]))

        answer = tree.get("state_dict")
        assert answer.headers["content-type"] == "application/octet-stream"
        loaded, expected = load(answer.content), module.state_dict()
        assert set(loaded) == set(expected)
        assert all(torch.equal(loaded[name], expected[name]) for name in expected)

    def test_of_a_submodule_is_named_relative_to_it(self, tree: TreeClient) -> None:
        assert set(load(tree.get("state_dict", target="sub1").content)) == {
            "weight", "bias", "sub2_1.weight", "sub2_1.bias",
        }  # fmt: skip

    @pytest.mark.parametrize("accept", ["application/json", "application/json, */*;q=0.1"])
    def test_as_json_has_names_shapes_and_dtypes_in_order(self, tree: TreeClient, accept: str) -> None:
        answer = tree.get("state_dict", headers={"accept": accept}).json()

        assert answer["items"][0] == {"name": "weight", "shape": [1], "dtype": "float32"}
        assert [item["name"] for item in answer["items"]][-1] == "sub1.sub2_1.bias"
        assert answer["total"] == 6

    @pytest.mark.parametrize(
        ("name", "plain"),
        [
            ("model", "model.safetensors"),
            ("../../etc/passwd", "_.._etc_passwd.safetensors"),
            ('a"; filename="b', "a___filename__b.safetensors"),
            ("한글\r\nx: y", "____x__y.safetensors"),
            ("...", "tree.safetensors"),
        ],
    )
    def test_is_downloaded_under_a_safe_name(self, http: httpx.Client, name: str, plain: str) -> None:
        tree = TreeClient(http, {"kind": "linear", "root": {}}, name)

        disposition = tree.get("state_dict").headers["content-disposition"]
        kind, filename, extended = disposition.split("; ")
        assert (kind, filename) == ("attachment", f'filename="{plain}"')
        assert unquote(extended.removeprefix("filename*=UTF-8''")) == f"{name}.safetensors"


class TestTexts:
    def test_code_rebuilds_the_tree(self, tree: TreeClient) -> None:
        answer = tree.get("code")
        assert answer.headers["content-type"] == "text/x-python; charset=utf-8"
        built: dict[str, Any] = {}
        exec(answer.text, built)

        values = {name: parameter.tolist() for name, parameter in built["model"].named_parameters()}
        assert values == {item["name"]: item["values"] for item in tree.items("named_parameters")}

    def test_summary_comes_as_text_markdown_and_json(self, tree: TreeClient) -> None:
        text = tree.get("summary")
        assert text.headers["content-type"] == "text/plain; charset=utf-8"
        assert "sub2_1" in text.text
        markdown = tree.get("summary", format="markdown")
        assert markdown.headers["content-type"] == "text/markdown; charset=utf-8"
        assert markdown.text.startswith("| module |")
        rows = tree.get("summary", format="json").json()["rows"]
        assert [row["path"] for row in rows] == ["", "sub1", "sub1.sub2_1"]
        refused(tree.get("summary", format="html"), 422)

    def test_summary_stops_at_its_depth(self, tree: TreeClient) -> None:
        rows = tree.get("summary", format="json", depth=1).json()["rows"]

        assert [(row["path"], row["num_hidden"]) for row in rows] == [("", 0), ("sub1", 1)]

    def test_repr_of_a_chain_past_torchs_recursion(self, http: httpx.Client) -> None:
        lines = TreeClient.grid(http, 1, 3_000).get("repr").text.splitlines()

        assert len(lines) == 2 * 3_000 + 1
        assert lines[3_000] == "  " * 3_000 + "(sub1): LinearModel()"

    def test_texts_and_names_of_a_chain_too_deep_for_them_are_413(self, http: httpx.Client) -> None:
        chain = TreeClient.grid(http, 1, 20_000)

        refused(chain.get("repr"), 413)
        refused(chain.get("state_dict"), 413)
        refused(chain.get("state_dict", headers={"accept": "application/json"}), 413)
        refused(chain.load(save({})), 413)
        assert chain.get("skeleton").json()["count"] == 20_001


class TestSkeleton:
    def test_says_by_column_what_named_modules_says_by_row(self, tree: TreeClient) -> None:
        tree.changed("add_module", name="sub2", root={"buffers": {"b": [1, 2, 3]}})
        rows, columns = tree.items("named_modules"), tree.get("skeleton").json()

        assert (columns["revision"], columns["count"]) == (2, len(rows))
        for name in ("num_parameters", "num_trainable", "num_buffers", "num_bytes"):
            assert columns[name] == [row[name] for row in rows]
        assert columns["name"] == [row["path"].rpartition(".")[2] for row in rows]
        paths = [row["path"] for row in rows]
        assert columns["parent"] == [-1, *[paths.index(path.rpartition(".")[0]) for path in paths[1:]]]
        assert [columns["classes"][number] for number in columns["class"]] == [row["class_name"] for row in rows]
        numbers: dict[str, int] = {}
        assert columns["shape"] == [numbers.setdefault(row["shape_id"], len(numbers)) for row in rows]

    def test_plain_arrays_are_what_it_has_in_any_case(self, tree: TreeClient) -> None:
        assert json.loads(tree.get("skeleton", encoding="plain").content) == tree.get("skeleton").json()
        refused(tree.get("skeleton", encoding="zip"), 422)
