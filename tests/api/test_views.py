"""Every view at every target, against what torch answers; pages, streams, and who has it already."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import torch
import zstandard
from safetensors.torch import save
from torch import nn

from app.trees.limits import Limits
from app.trees.sources import open_source
from tests.api.client import TreeClient, refused

ODD = {
    "weight": 1.5,
    "buffers": {"mean": [0.25, 0.5], "count": 3, "is done": [[True, False]]},
    "children": {
        "<b>bold</b>": {"bias": -2.0, "children": {"inner": {}, "éè 한글": {"buffers": {"b": [[1, 2], [3, 4]]}}}},
        "sub/2": {"weight": 1e-8},
        "3": {"children": {"0": {"children": {"0": {}}}}},
        "x\ny": {},
    },
}
LISTS = (
    "modules", "named_modules", "children", "named_children", "parameters", "named_parameters", "buffers",
    "named_buffers",
)  # fmt: skip


@pytest.fixture(scope="module")
def source() -> dict[str, Any]:
    """An odd tree: markup, slashes, digits and line breaks as names, buffers of three dtypes."""
    return {"kind": "linear", "root": ODD, "seed": 7}


@pytest.fixture(scope="module")
def module(source: dict[str, Any]) -> nn.Module:
    """The same tree as torch has it."""
    return open_source(source, Limits())


@pytest.fixture
def odd(http: httpx.Client, source: dict[str, Any]) -> TreeClient:
    """The same tree over HTTP."""
    return TreeClient(http, source)


def targets(module: nn.Module) -> list[str]:
    return [name for name, _ in module.named_modules()]


def value(tensor: torch.Tensor) -> Any:
    return tensor.tolist()


class TestAgainstTorch:
    def test_named_modules_and_children(self, odd: TreeClient, module: nn.Module) -> None:
        for target in targets(module):
            sub = module.get_submodule(target)
            assert odd.names("named_modules", target=target) == [name for name, _ in sub.named_modules()]
            assert odd.names("named_children", target=target) == [name for name, _ in sub.named_children()]

    @pytest.mark.parametrize("recurse", [True, False])
    @pytest.mark.parametrize("kind", ["parameters", "buffers"])
    def test_named_parameters_and_buffers(self, odd: TreeClient, module: nn.Module, kind: str, recurse: bool) -> None:
        for target in targets(module):
            walk = getattr(module.get_submodule(target), f"named_{kind}")
            expected = [(name, value(tensor)) for name, tensor in walk(recurse=recurse)]
            items = odd.items(f"named_{kind}", target=target, recurse=recurse)
            assert [(item["name"], item["values"]) for item in items] == expected

    def test_get_parameter_and_get_buffer(self, odd: TreeClient, module: nn.Module) -> None:
        for kind in ("parameter", "buffer"):
            for name, tensor in getattr(module, f"named_{kind}s")():
                row = odd.get(f"get_{kind}", target=name).json()
                assert (row["path"], row["values"]) == (name, value(tensor))
                assert row["dtype"] == str(tensor.dtype).removeprefix("torch.")
                assert (row["shape"], row["numel"]) == (list(tensor.shape), tensor.numel())

    def test_counts_are_those_of_every_subtree(self, odd: TreeClient, module: nn.Module) -> None:
        for row in odd.items("modules"):
            sub = module.get_submodule(row["path"])
            assert row["num_parameters"] == sum(parameter.numel() for parameter in sub.parameters())
            assert row["num_buffers"] == sum(buffer.numel() for buffer in sub.buffers())
            assert row["num_modules"] == len(list(sub.modules()))
            assert row["num_children"] == len(list(sub.children()))

    @pytest.mark.parametrize(
        ("getter", "target"),
        [
            ("get_submodule", "nothing"),
            ("get_submodule", "3.0.nothing"),
            ("get_submodule", "weight"),
            ("get_submodule", "3..0"),
            ("get_submodule", "training"),
            ("get_parameter", "nothing"),
            ("get_parameter", "mean"),
            ("get_parameter", "3"),
            ("get_parameter", ""),
            ("get_parameter", "nothing.weight"),
            ("get_buffer", "weight"),
            ("get_buffer", "nothing"),
            ("get_buffer", "3.0.buf"),
            ("get_buffer", ""),
        ],
    )
    def test_a_missing_target_is_404_with_torchs_message(
        self, odd: TreeClient, module: nn.Module, getter: str, target: str
    ) -> None:
        with pytest.raises(AttributeError) as torch_error:
            getattr(module, getter)(target)

        answer = odd.get(getter, target=target)
        assert refused(answer, 404) == str(torch_error.value)
        assert answer.json()["target"] == target

    @pytest.mark.parametrize("view", LISTS)
    def test_lists_of_a_missing_target_are_404(self, odd: TreeClient, view: str) -> None:
        refused(odd.get(view, target="nothing"), 404)
        refused(odd.get(view, target="nothing", headers={"accept": "application/x-ndjson"}), 404)
        refused(odd.get(view, target="nothing", headers={"if-none-match": '"1"'}), 404)


class TestLists:
    @pytest.mark.parametrize("view", ["modules", "children", "parameters", "buffers"])
    def test_without_names_the_rows_are_the_same(self, odd: TreeClient, view: str) -> None:
        named = odd.items(f"named_{view}")

        assert odd.items(view) == [{key: row[key] for key in row if key != "name"} for row in named]

    @pytest.mark.parametrize("view", LISTS)
    @pytest.mark.parametrize("limit", [1, 3])
    def test_pages_join_to_the_whole(self, odd: TreeClient, view: str, limit: int) -> None:
        whole = odd.get(view).json()
        pages: list[dict[str, Any]] = []
        query: dict[str, Any] = {"limit": limit}
        while query:
            page = odd.get(view, **query).json()
            pages.append(page)
            query = {"limit": limit, "cursor": page["next"]} if page["next"] else {}

        assert [item for page in pages for item in page["items"]] == whole["items"]
        assert all(len(page["items"]) <= limit for page in pages)
        assert {page["total"] for page in pages} == {whole["total"], len(whole["items"])}

    @pytest.mark.parametrize("coding", ["identity", "gzip", "zstd"])
    @pytest.mark.parametrize("view", LISTS)
    def test_ndjson_is_the_whole_list_one_a_line(self, odd: TreeClient, view: str, coding: str) -> None:
        headers = {"accept": "application/x-ndjson", "accept-encoding": coding}
        answer = odd.get(view, headers=headers)

        assert answer.headers["content-type"] == "application/x-ndjson"
        assert [json.loads(line) for line in answer.text.splitlines()] == odd.items(view)

    def test_ndjson_of_more_than_a_chunk_has_every_row(self, http: httpx.Client) -> None:
        grid = TreeClient.grid(http, 10, 4)
        answer = grid.get("named_parameters", headers={"accept": "application/x-ndjson"})

        names = [json.loads(line)["name"] for line in answer.text.splitlines()]
        assert names == grid.names("named_parameters", limit=100_000)
        assert len(set(names)) == 2 * 11_111

    def test_stats_are_those_of_torch(self, odd: TreeClient, module: nn.Module) -> None:
        for row in odd.items("named_buffers", stats=True):
            tensor = module.get_buffer(row["name"]).double()
            assert row["stats"]["mean"] == pytest.approx(tensor.mean().item())
            assert row["stats"]["l2"] == pytest.approx(tensor.norm().item())
            assert sum(row["stats"]["histogram"]["counts"]) == tensor.numel()
        assert odd.get("get_buffer", target="mean", stats=True).json()["stats"]["max"] == 0.5

    def test_a_cursor_of_another_revision_is_422(self, odd: TreeClient) -> None:
        cursor = odd.get("modules", limit=1).json()["next"]
        odd.changed("eval")

        assert "revision 1" in refused(odd.get("modules", cursor=cursor), 422)

    @pytest.mark.parametrize(
        "query",
        [{"limit": 0}, {"limit": 100_001}, {"limit": "many"}, {"cursor": "x"}, {"cursor": "MQ"}, {"recurse": "maybe"}],
    )
    def test_a_query_that_does_not_fit_is_422(self, odd: TreeClient, query: dict[str, Any]) -> None:
        answer = odd.get("named_parameters", **query)

        refused(answer, 422)
        assert answer.json()["errors"][0]["loc"] == ["query", *query]

    def test_values_that_are_not_finite_are_null_with_their_kind(self, http: httpx.Client) -> None:
        tree = TreeClient.linear(http, {"weight": 3e38})
        tree.changed("register_parameter", name="p", value=[3e38, 1.0])
        state = {name: torch.tensor(given) for name, given in _not_finite().items()}
        assert tree.load(save(state), strict="false").status_code == 200

        row = tree.get("get_parameter", target="p", stats=True).json()
        assert row["values"] == [None, None]
        assert row["nonfinite"] == ["nan", "-inf"]
        assert (row["stats"]["nans"], row["stats"]["infs"], row["stats"]["mean"]) == (1, 1, None)
        assert tree.get("get_parameter", target="weight").json()["nonfinite"] == ["inf"]
        assert tree.post("forward", x=[1.0]).json() == {"y": [None], "nonfinite": ["inf"]}


class TestKeptAnswers:
    @pytest.mark.parametrize("view", [*LISTS, "repr", "skeleton", "code", "summary", "state_dict"])
    def test_every_view_has_the_revision_as_etag_and_answers_304(self, odd: TreeClient, view: str) -> None:
        for _ in range(2):
            answer = odd.get(view)
            assert answer.headers["etag"] == '"1"'
            cached = odd.get(view, headers={"if-none-match": answer.headers["etag"]})
            assert (cached.status_code, cached.content) == (304, b"")
            assert cached.headers["etag"] == '"1"'
            assert cached.headers["vary"] == answer.headers["vary"]

    @pytest.mark.parametrize("view", ["named_modules", "skeleton", "repr"])
    def test_every_coding_holds_the_same_bytes(self, http: httpx.Client, view: str) -> None:
        grid = TreeClient.grid(http, 10, 2)
        bodies = {}
        for coding in ("identity", "gzip", "zstd") * 2:
            with http.stream("GET", f"{grid.url}/{view}", headers={"accept-encoding": coding}) as answer:
                assert answer.headers.get("content-encoding", "identity") == coding
                assert "Accept-Encoding" in answer.headers["vary"]
                bodies[coding] = b"".join(answer.iter_raw())

        assert gzip.decompress(bodies["gzip"]) == bodies["identity"]
        assert zstandard.ZstdDecompressor().decompressobj().decompress(bodies["zstd"]) == bodies["identity"]

    def test_a_change_is_seen_at_once(self, odd: TreeClient) -> None:
        before = odd.items("named_parameters")
        odd.changed("apply", fn="zero_")
        after = odd.get("named_parameters", headers={"if-none-match": '"1"'})
        odd.changed("undo")

        assert after.headers["etag"] == '"2"'
        assert {json.dumps(item["values"]) for item in after.json()["items"]} == {"[0.0]"}
        assert odd.items("named_parameters") == before

    def test_a_deep_chain_answers_in_pages(self, http: httpx.Client) -> None:
        chain = TreeClient.grid(http, 1, 3_000)

        first = chain.get("named_modules", limit=100_000).json()
        assert first["total"] == 3_001
        assert len(first["items"]) < 3_001
        assert len(list(_all(chain, "named_modules"))) == 3_001


def _all(tree: TreeClient, view: str) -> Iterator[dict[str, Any]]:
    cursor: str | None = ""
    while cursor is not None:
        query: dict[str, Any] = {"cursor": cursor} if cursor else {}
        page = tree.get(view, limit=100_000, **query).json()
        yield from page["items"]
        cursor = page["next"]


def _not_finite() -> dict[str, list[float]]:
    return {"p": [float("nan"), float("-inf")], "weight": [float("inf")]}
