"""Traces over HTTP: FLOPs as torch counts them on the same model, rows as the tree has them, forwards that stop."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import msgspec
import pytest
import torch
from safetensors.torch import save
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from app.trees.sources.building import BuildLimits
from app.trees.sources.config import build_config
from tests.api.client import TUTORIAL, TreeClient, refused
from tests.live import LiveServer

GPT2 = {"kind": "config", "config": {"model_type": "gpt2", "n_layer": 2}}
BERT = {"kind": "config", "config": {"model_type": "bert", "num_hidden_layers": 1}}
VIT = {"kind": "config", "config": {"model_type": "vit", "num_hidden_layers": 1, "image_size": 32}}


def factory(target: str, device: str = "meta", **kwargs: Any) -> dict[str, Any]:
    return {"kind": "factory", "target": f"torch.nn:{target}", "kwargs": kwargs, "device": device}


@pytest.fixture(scope="module")
def gpt2(server: LiveServer) -> TreeClient:
    """GPT-2 of two blocks."""
    return TreeClient(server.client, GPT2)


def traced(tree: TreeClient, *inputs: str, dtype: str = "float32") -> dict[str, Any]:
    answer = tree.get("trace", input=list(inputs), dtype=dtype)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def by_path(found: dict[str, Any], column: str) -> dict[str, Any]:
    return dict(zip(found["path"], found[column], strict=True))


def shapes(values: list[dict[str, Any]]) -> list[list[int]]:
    return [value["shape"] for value in values if "shape" in value]


def flops_of(module: nn.Module, **inputs: torch.Tensor) -> int:
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        module.eval()(**inputs)
    return int(counter.get_total_flops())


def meta(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.empty(*shape, dtype=dtype, device="meta")


class TestModels:
    @pytest.mark.parametrize(
        ("source", "given", "tensors"),
        [
            (GPT2, "input_ids=2,8:int64", {"input_ids": meta(2, 8, dtype=torch.int64)}),
            (BERT, "input_ids=2,8:int64", {"input_ids": meta(2, 8, dtype=torch.int64)}),
            (VIT, "pixel_values=1,3,32,32", {"pixel_values": meta(1, 3, 32, 32)}),
        ],
        ids=["gpt2", "bert", "vit"],
    )
    def test_flops_are_those_that_torch_counts_in_one_process(
        self, http: httpx.Client, source: dict[str, Any], given: str, tensors: dict[str, torch.Tensor]
    ) -> None:
        found = traced(TreeClient(http, source), given)
        assert found["stopped"] is None
        assert found["total_flops"] == flops_of(build_config(source, BuildLimits()).module, **tensors)
        assert found["total_macs"] * found["flops_per_mac"] == found["total_flops"]
        assert found["macs"] == [flops // 2 for flops in found["flops"]]
        assert sum(found["own_flops"]) == found["flops"][0] == found["total_flops"]

    def test_rows_are_those_of_the_tree(self, gpt2: TreeClient) -> None:
        found = traced(gpt2)
        places = gpt2.names("named_modules", remove_duplicate="false")
        assert found["path"] == [places[row] for row in found["row"]]
        assert places[found["uncalled"][0]] == "transformer.h"
        assert len(found["row"]) + found["num_uncalled"] == gpt2.get().json()["num_modules"]

    def test_without_input_the_suggested_one_is_taken(self, gpt2: TreeClient) -> None:
        assert traced(gpt2)["given"] == [{"shape": [1, 16], "dtype": "int64", "name": "input_ids"}]
        assert gpt2.get("origin").json()["inputs"] == ["input_ids=1,16:int64"]

    def test_two_inputs_by_keyword_and_a_fused_encoder(self, http: httpx.Client) -> None:
        tree = TreeClient(http, factory("Transformer", num_encoder_layers=2, num_decoder_layers=1))
        found = traced(tree, "src=10,32,512; tgt=20,32,512")
        assert shapes(found["outputs"][0]) == [[20, 32, 512]]
        assert shapes(by_path(found, "inputs")["encoder.layers.1.linear2"]) == [[10, 32, 2048]]
        assert by_path(found, "flops")["encoder.layers.1.linear2"] == 2 * 10 * 32 * 2048 * 512
        assert traced(tree, "src=10,32,512", "tgt=20,32,512") == found

    def test_a_factory_on_the_cpu_with_outputs_in_a_tuple(self, http: httpx.Client) -> None:
        found = traced(TreeClient(http, factory("LSTM", "cpu", input_size=3, hidden_size=4)), "5,2,3")
        assert [(value["name"], value["shape"]) for value in found["outputs"][0]] == [
            ("0", [5, 2, 4]),
            ("1.0", [1, 2, 4]),
            ("1.1", [1, 2, 4]),
        ]
        assert found["total_macs"] == 5 * 2 * 4 * 4 * (3 + 4)

    @pytest.mark.parametrize(("forward", "paths"), [("own", [""]), ("chain", ["", "sub1", "sub1.sub2_1"])])
    def test_linear_models(self, http: httpx.Client, forward: str, paths: list[str]) -> None:
        found = traced(TreeClient.linear(http, TUTORIAL, forward=forward))
        assert found["path"] == paths
        assert shapes(found["given"]) == shapes(found["outputs"][-1]) == [[10, 1]]
        assert found["num_uncalled"] == 3 - len(paths)

    def test_a_change_is_seen_at_once(self, tree: TreeClient) -> None:
        before = tree.get("trace")
        tree.changed("delete", target="weight")
        after = tree.get("trace")
        assert before.headers["etag"] != after.headers["etag"]
        assert "has no attribute 'weight'" in after.json()["stopped"]["error"]


class TestStopped:
    def test_a_wrong_size_is_an_answer_that_says_where(self, http: httpx.Client) -> None:
        found = traced(TreeClient(http, factory("Linear", in_features=3, out_features=4)), "2,5")
        stopped = found["stopped"]
        assert (stopped["row"], stopped["path"], stopped["class_name"]) == (0, "", "Linear")
        assert shapes(stopped["inputs"]) == [[2, 5]]
        assert "[2, 5] X [3, 4]" in stopped["error"]
        assert found["is_done"] == [False]

    def test_how_far_it_came_is_told(self, http: httpx.Client) -> None:
        layer = factory("TransformerDecoderLayer", d_model=8, nhead=2, dim_feedforward=16)
        found = traced(TreeClient(http, layer), "tgt=3,1,8", "memory=3,1,9")
        assert found["stopped"]["path"] == "multihead_attn"
        assert by_path(found, "is_done")["self_attn"]
        assert "linear1" not in found["path"]
        assert found["total_flops"] > 0


class TestRefused:
    @pytest.mark.parametrize(
        ("query", "places"),
        [
            ({"input": ["2,x", "3:blue"]}, [["query", "input", 0], ["query", "input", 1]]),
            ({"input": "2", "dtype": "blue"}, [["query", "dtype"]]),
            ({"input": "a=1;a=2"}, [["query", "input", 1]]),
            ({"input": "99999999,99999999"}, [["query", "input", 0]]),
        ],
    )
    def test_inputs_that_cannot_be_read_are_all_named(
        self, tree: TreeClient, query: dict[str, Any], places: list[Any]
    ) -> None:
        answer = tree.get("trace", **query)
        refused(answer, 422)
        assert [error["loc"] for error in answer.json()["errors"]] == places

    def test_a_tree_that_suggests_nothing_asks_for_an_input(self, http: httpx.Client) -> None:
        tree = TreeClient(http, factory("ReLU"))
        assert "expected the sizes of at least one input, such as 2,3,224,224" in refused(tree.get("trace"), 422)
        assert shapes(traced(tree, "4,2", dtype="bf16")["outputs"][0]) == [[4, 2]]

    def test_a_checkpoint_does_not_say_how_its_modules_call_each_other(self, http: httpx.Client) -> None:
        files = {"file": ("model.safetensors", save({"fc.weight": torch.zeros(2, 3)}))}
        tree = http.post("/api/trees/upload", files=files).headers["location"]
        detail = refused(http.get(f"{tree}/trace", params={"input": "1,3"}), 409)
        assert detail.startswith("'model.safetensors' was opened from a checkpoint, which does not say how its modules")

    def test_a_checkpoint_with_its_config_beside_it_is_traced(self, http: httpx.Client) -> None:
        config = {"model_type": "gpt2", "n_layer": 1, "n_embd": 8, "n_head": 2, "vocab_size": 11, "n_positions": 16}
        model = build_config({"kind": "config", "config": config}, BuildLimits()).module
        tensors = {name: torch.zeros(tensor.shape) for name, tensor in model.state_dict().items()}
        del tensors["lm_head.weight"]
        files = [
            ("file", ("model.safetensors", save(tensors))),
            ("file", ("config.json", msgspec.json.encode(config))),
        ]
        tree = http.post("/api/trees/upload", files=files).headers["location"]
        found = http.get(f"{tree}/trace", params={"input": "input_ids=2,4:int64"}).json()
        assert shapes(found["outputs"][0]) == [[2, 4, 11]]
        assert found["total_flops"] == flops_of(model, input_ids=meta(2, 4, dtype=torch.int64))

    def test_a_config_too_large_to_be_kept_cannot_be_built_again(self, http: httpx.Client) -> None:
        notes = {f"note{number}": "x" * 99_000 for number in range(11)}
        tree = TreeClient(http, {"kind": "config", "config": {"model_type": "gpt2", "n_layer": 1, **notes}})
        detail = refused(tree.get("trace"), 409)
        assert detail.endswith("its config had more than 1,048,576 bytes, which are not kept.")

    def test_more_flops_than_64_bits_count_are_too_large(self, http: httpx.Client) -> None:
        layer = factory("TransformerEncoderLayer", d_model=1024, nhead=1, dim_feedforward=2**40)
        answer = TreeClient(http, layer).get("trace", input="1048576,1,1024")
        assert "FLOPs: more than 9,223,372,036,854,775,807 are not counted" in refused(answer, 413)
        assert answer.json()["limit"] == 2**63 - 1


class TestKept:
    def test_what_was_traced_is_not_sent_to_who_has_it(self, gpt2: TreeClient) -> None:
        first = gpt2.get("trace")
        assert gpt2.get("trace", headers={"if-none-match": first.headers["etag"]}).status_code == 304
        again = gpt2.get("trace", headers={"accept-encoding": "gzip"})
        assert (again.headers["content-encoding"], again.content) == ("gzip", first.content)

    def test_many_at_once_are_given_the_same(self, gpt2: TreeClient) -> None:
        def ask(_: int) -> bytes:
            return gpt2.get("trace", input="input_ids=3,5:int64").content

        with ThreadPoolExecutor(8) as threads:
            assert len(set(threads.map(ask, range(8)))) == 1
