"""Trees of any kind of source over HTTP: what may be opened, what comes out, and what a refusal says."""

from typing import Any

import httpx
import msgspec
import pytest
import torch
from safetensors.torch import save
from torch import nn

from app.storage.uploads import MAX_FILES
from tests.api.client import TreeClient, refused
from tests.api.uploads import Uploading
from tests.api.uploads import refusal as upload_refusal
from tests.live import LiveServer
from tests.trees.sources.configs import LLAMA_405B

ODD = "tests.trees.sources.odd_models"
LINEAR = {"target": "torch.nn:Linear", "kwargs": {"in_features": 2, "out_features": 3}}
GPT2 = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}


@pytest.fixture
def http(generous: LiveServer) -> httpx.Client:
    """The server that may import and open what the others may not."""
    return generous.client


def factory(target: str, device: str = "meta", **kwargs: Any) -> dict[str, Any]:
    name = target if ":" in target else f"torch.nn:{target}"
    return {"kind": "factory", "target": name, "kwargs": kwargs, "device": device}


def config(**values: Any) -> dict[str, Any]:
    return {"kind": "config", "config": values}


def checkpoint(path: str) -> dict[str, Any]:
    return {"kind": "checkpoint", "path": path}


def refusal(http: httpx.Client, source: dict[str, Any], status: int) -> str:
    return refused(http.post("/api/trees", json={"source": source}), status)


def misfits(http: httpx.Client, source: dict[str, Any]) -> dict[str, str]:
    """What is wrong, by its place below the source."""
    answer = http.post("/api/trees", json={"source": source})
    refused(answer, 422)
    return {".".join(map(str, each["loc"][2:])): each["msg"] for each in answer.json()["errors"]}


class TestFactories:
    def test_the_list_has_each_with_its_signature_and_arguments(self, http: httpx.Client) -> None:
        found = {item["id"]: item for item in http.get("/api/factories").json()["items"]}
        linear = found["torch.nn:Linear"]
        assert linear["signature"].startswith("Linear(in_features, out_features, bias=True")
        assert linear["unfit"] is None
        required = [each["name"] for each in linear["arguments"] if each["required"]]
        assert required == ["in_features", "out_features"]
        bias = next(each for each in linear["arguments"] if each["name"] == "bias")
        assert (bias["annotation"], bias["default"], bias["types"]) == ("true or false", True, ["boolean"])
        kind = next(each for each in found[f"{ODD}:Net"]["arguments"] if each["name"] == "kind")
        assert kind["choices"] == ["thin", "wide"]

    def test_names_that_begin_with_what_is_searched_come_first(self, http: httpx.Client) -> None:
        found = http.get("/api/factories", params={"q": "transformer"}).json()
        names = [item["name"] for item in found["items"]]
        assert names[0] == "Transformer"
        assert "TransformerEncoderLayer" in names
        assert found["total"] == len(names)

    def test_pages_hold_each_factory_once(self, http: httpx.Client) -> None:
        whole = [item["id"] for item in http.get("/api/factories").json()["items"]]
        ids: list[str] = []
        cursor: str | None = None
        while not ids or cursor:
            query = {"limit": "70", **({"cursor": cursor} if cursor else {})}
            found = http.get("/api/factories", params=query).json()
            ids += [item["id"] for item in found["items"]]
            cursor = found["next"]
        assert ids == whole
        refused(http.get("/api/factories", params={"cursor": "x"}), 422)

    def test_a_tree_has_the_counts_of_the_module_itself(self, http: httpx.Client) -> None:
        sizes: dict[str, Any] = {"d_model": 32, "nhead": 2, "dim_feedforward": 16, "batch_first": True}
        sizes |= {"num_encoder_layers": 2, "num_decoder_layers": 1}
        tree = TreeClient(http, factory("Transformer", **sizes)).opened.json()
        module = nn.Transformer(**sizes)
        assert tree["num_parameters"] == sum(p.numel() for p in module.parameters())
        assert tree["num_modules"] == len(list(module.modules()))
        assert (tree["class_name"], tree["name"]) == ("Transformer", "Transformer")

    def test_modules_are_arguments_of_modules(self, http: httpx.Client) -> None:
        inner = {"target": "torch.nn:Sequential", "kwargs": {"args": [LINEAR, {"target": "torch.nn:ReLU"}]}}
        tree = TreeClient(http, factory("Sequential", args=[inner, inner]))
        assert tree.get("repr").text == repr(
            nn.Sequential(*[nn.Sequential(nn.Linear(2, 3), nn.ReLU()) for _ in range(2)])
        )

    def test_every_misfit_is_told_at_its_place(self, http: httpx.Client) -> None:
        inner = {"target": "torch.nn:Linear", "kwargs": {"in_features": 1.5}}
        assert misfits(http, factory("Linear", in_features="two", out_feature=3)) == {
            "kwargs.in_features": "expected an integer, got 'two'",
            "kwargs.out_feature": "there is no such argument; did you mean 'out_features'?",
            "kwargs.out_features": "expected an integer: it has no default",
        }
        assert set(misfits(http, factory("Sequential", args=[inner]))) == {
            "kwargs.args.0.kwargs.in_features",
            "kwargs.args.0.kwargs.out_features",
        }

    @pytest.mark.parametrize("target", ["os:system", "builtins:eval", f"{ODD}:_private", "torch:load"])
    def test_what_is_not_in_the_table_is_not_allowed_and_the_option_is_named(
        self, http: httpx.Client, target: str
    ) -> None:
        detail = refusal(http, factory(target), 403)
        assert "--allow-import" in detail
        assert f"torch.nn, {ODD}" in detail
        inner = {"target": target, "kwargs": {}}
        assert refusal(http, factory("Sequential", args=[inner]), 403) == detail

    def test_what_needs_values_is_offered_the_cpu(self, http: httpx.Client) -> None:
        source = factory(f"{ODD}:asks_for_values")
        assert '"device": "cpu"' in misfits(http, source)["device"]
        tree = TreeClient(http, {**source, "device": "cpu"})
        assert tree.items("named_parameters")[0]["device"] == "cpu"

    def test_what_the_constructor_raises_is_told(self, http: httpx.Client) -> None:
        assert "KeyError: 'no such thing'" in refusal(http, factory(f"{ODD}:raises"), 422)
        assert refusal(http, factory(f"{ODD}:crashes"), 409)
        assert "500,000,000" in refusal(http, factory(f"{ODD}:large", "cpu", size=30_000), 413)

    def test_large_arguments_build_a_tree_whose_source_is_kept_without_them(self, http: httpx.Client) -> None:
        more = {f"{number:0130d}": number for number in range(9_000)}
        tree = TreeClient(http, factory(f"{ODD}:Net", depth=1, more=more))
        kept = tree.get().json()
        assert kept["source"] == {**factory(f"{ODD}:Net"), "kwargs": None}
        assert kept["num_modules"] == 3

    def test_warnings_are_noted(self, http: httpx.Client) -> None:
        assert TreeClient(http, factory(f"{ODD}:talks")).get("origin").json()["notes"] == ["mind the step"]


class TestConfigs:
    def test_gpt2_has_the_published_count_and_its_head_is_tied(self, http: httpx.Client) -> None:
        tree = TreeClient(http, config(**GPT2))
        assert tree.opened.json()["num_parameters"] == 124_439_808
        head = tree.get("get_parameter", target="lm_head.weight").json()
        assert (head["shared_with"], head["device"]) == ("transformer.wte.weight", "meta")
        assert tree.get("origin").json()["inputs"] == ["input_ids=1,16:int64"]

    def test_bert_has_the_published_count(self, http: httpx.Client) -> None:
        tree = TreeClient(http, config(model_type="bert", architectures=["BertModel"])).opened.json()
        assert tree["num_parameters"] == 109_482_240

    def test_llama_405b_has_the_published_count_and_is_as_quick_as_a_small_one(self, http: httpx.Client) -> None:
        tree = TreeClient(http, config(**LLAMA_405B))
        assert tree.opened.json()["num_parameters"] == 405_853_388_800
        assert tree.opened.elapsed.total_seconds() < 10
        page = http.get(tree.url.removeprefix("/api"), headers={"accept": "text/html"})
        assert page.elapsed.total_seconds() < 2
        assert len(page.content) < 60_000
        assert "126 ×" in page.text

    def test_what_is_out_of_bounds_is_told_at_its_place(self, http: httpx.Client) -> None:
        assert misfits(http, config(model_type="gpt2", n_layer=10**7, n_head=10**9)) == {
            "config.n_layer": "expected at most 250,000, got 10000000",
            "config.n_head": "expected at most 250,000, got 1000000000",
        }
        assert "did you mean 'gpt2'" in misfits(http, config(model_type="gptt2"))["config.model_type"]
        wrong = {**config(model_type="gpt2"), "architecture": "BertModel"}
        assert "GPT2LMHeadModel" in misfits(http, wrong)["architecture"]


class TestCheckpoints:
    def test_the_list_has_an_index_for_its_shards_and_no_links(self, http: httpx.Client) -> None:
        found = http.get("/api/checkpoints").json()
        listed = [(item["path"], item["kind"]) for item in found["items"]]
        assert listed == [
            ("big/model.safetensors.index.json", "shards"),
            ("broken.safetensors", "safetensors"),
            ("gpt2/model.safetensors", "safetensors"),
            ("runs/last.pt", "torch"),
        ]
        assert (found["total"], found["is_whole"]) == (4, True)
        page = http.get("/api/checkpoints", params={"limit": 1, "q": "model"}).json()
        assert (page["total"], len(page["items"])) == (2, 1)

    def test_there_is_nothing_to_list_without_a_root(self, server: LiveServer) -> None:
        assert server.client.get("/api/checkpoints").json()["items"] == []

    @pytest.mark.parametrize("path", ["gpt2/model.safetensors", "big/model.safetensors.index.json"])
    def test_a_file_is_the_tree_that_its_keys_spell(self, http: httpx.Client, path: str) -> None:
        tree = TreeClient(http, checkpoint(path))
        parameters = {item["name"]: item["shape"] for item in tree.items("named_parameters")}
        assert parameters["0.weight"] == [16, 8]
        assert tree.names("named_buffers") == ["2.num_batches_tracked", "2.running_mean", "2.running_var"]
        assert [item["class_name"] for item in tree.items("children")] == ["Linear", "BatchNorm", "Linear"]
        assert {item["class_status"] for item in tree.items("children")} == {"inferred"}

    def test_the_branches_of_a_nested_file_are_there(self, http: httpx.Client) -> None:
        tree = TreeClient(http, checkpoint("runs/last.pt"))
        assert tree.names("named_children") == ["model", "optimizer"]
        assert "model.0.weight" in tree.names("named_parameters")

    def test_the_origin_has_files_and_metadata(self, http: httpx.Client) -> None:
        origin = TreeClient(http, checkpoint("gpt2/model.safetensors")).get("origin").json()
        assert (origin["format"], [each["name"] for each in origin["files"]]) == ("safetensors", ["model.safetensors"])
        assert origin["metadata"]["format"] == "pt"

    def test_a_link_to_a_file_is_opened_as_that_file(self, http: httpx.Client) -> None:
        origin = TreeClient(http, checkpoint("link.safetensors")).get("origin").json()
        assert [each["name"] for each in origin["files"]] == ["model.safetensors"]

    def test_a_thousand_files_are_an_upload_and_of_more_the_limit_is_told(self, generous: LiveServer) -> None:
        uploading = Uploading(generous)
        shards = [(f"{n}.safetensors", save({f"{n}": torch.zeros(1)})) for n in range(MAX_FILES)]
        index = {"weight_map": {f"{n}": f"{n}.safetensors" for n in range(MAX_FILES - 1)}}
        files = [("model.safetensors.index.json", msgspec.json.encode(index)), *shards]
        opened = uploading.send(files[:-1])
        assert (opened.status_code, opened.json()["num_parameters"]) == (201, MAX_FILES - 1)
        uploading.delete(opened.headers["location"])
        told = f"The body cannot be read: Too many files. Maximum number of files is {MAX_FILES}."
        assert upload_refusal(uploading.send(files)) == told

    def test_a_broken_file_says_what_is_broken(self, http: httpx.Client) -> None:
        assert "header is said to have 16 bytes" in refusal(http, checkpoint("broken.safetensors"), 422)
        assert refusal(http, checkpoint("nothing.safetensors"), 404)

    @pytest.mark.parametrize("path", ["/etc/passwd", "../outside.pt", "gpt2/../../x.pt"])
    def test_what_is_not_under_a_root_is_not_allowed_and_the_option_is_named(
        self, http: httpx.Client, path: str
    ) -> None:
        assert "--root" in refusal(http, checkpoint(path), 403)
