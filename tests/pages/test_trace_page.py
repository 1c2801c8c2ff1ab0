"""The page of a trace without scripts: form, folded rows, totals, where a forward stopped, and names from outside."""

import contextlib
import io
import re
from html import unescape
from typing import Any

import pytest
import torch
from torch import nn

from app.pages.trace_code import trace_code
from app.pages.trace_rows import TraceLine, TraceView, trace_view
from app.trees.index import TreeIndex
from app.trees.linear import LinearModel
from app.trees.trace import trace
from app.trees.trace_inputs import Input, parse_inputs
from tests.live import LiveServer
from tests.pages.reader import Reader
from tests.test_pages import STRANGE

TREE_ID = "t_1"


@pytest.fixture(scope="module")
def reader(server: LiveServer) -> Reader:
    """The shared server, read without scripts."""
    return Reader(server.client)


@pytest.fixture(scope="module")
def gpt2(reader: Reader) -> str:
    """The address of GPT-2 of two blocks."""
    return reader.open_tree({"kind": "config", "config": {"model_type": "gpt2", "n_layer": 2}}, "GPT-2")


def factory(reader: Reader, target: str, **kwargs: Any) -> str:
    return reader.open_tree({"kind": "factory", "target": f"torch.nn:{target}", "kwargs": kwargs})


def viewed(module: nn.Module, *inputs: str) -> TraceView:
    found = trace(module, parse_inputs(inputs), max_modules=1_000, max_depth=100)
    return trace_view(TreeIndex.of(module), TREE_ID, "model", found)


def told(view: TraceView) -> list[tuple[int, str, int, str]]:
    return [(line.depth, line.label, line.count, line.state) for line in view.lines]


def line(view: TraceView, label: str) -> TraceLine:
    return next(each for each in view.lines if each.label == label)


class Blocks(nn.Module):
    """Four blocks in a list, of which one is called twice and another not at all."""

    def __init__(self, *again: int, without: int | None = None) -> None:
        super().__init__()
        self.h = nn.ModuleList(nn.Sequential(nn.Linear(4, 4), nn.ReLU()) for _ in range(4))
        self.order = [number for number in range(4) if number != without] + list(again)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for number in self.order:
            x = self.h[number](x)
        return x


class TestRows:
    def test_blocks_with_the_same_shapes_and_flops_are_one_row_under_what_calls_them(self) -> None:
        view = viewed(Blocks(), "3,4")
        assert told(view) == [(0, "model", 1, ""), (1, "h.0–3", 4, ""), (2, "0", 1, ""), (2, "1", 1, "")]
        block, linear = line(view, "h.0–3"), line(view, "0")
        assert (block.flops, block.macs, block.times, block.total.exact) == (96, 48, 4, "384")
        assert (linear.flops, linear.times, linear.total.exact) == (96, 4, "384")
        assert (view.num_modules, view.num_called, view.num_holding, view.num_left) == (14, 13, 1, 0)

    def test_a_block_that_is_called_otherwise_stands_alone(self) -> None:
        assert [label for _, label, *_ in told(viewed(Blocks(2), "3,4")) if "h" in label] == ["h.0–1", "h.2", "h.3"]

    def test_what_is_not_called_stands_in_its_place(self) -> None:
        view = viewed(Blocks(without=1), "3,4")
        assert (1, "h.1", 1, "uncalled") in told(view)
        assert view.num_left == 3

    def test_a_shared_module_stands_at_its_first_place_with_all_its_calls(self) -> None:
        act = nn.ReLU()
        view = viewed(nn.Sequential(act, nn.Linear(4, 2), act), "3,4")
        assert [label for _, label, *_ in told(view)] == ["model", "0", "1"]
        assert (line(view, "0").calls, line(view, "0").varies) == (2, True)

    def test_where_it_stopped_and_what_is_around_it_are_marked(self) -> None:
        view = viewed(nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.Linear(4, 5), nn.Linear(4, 5))), "3,4")
        assert [state for *_, state in told(view)] == ["inside", "", "inside", "", "stopped"]

    def test_values_that_are_none_are_left_out_and_the_common_dtype_goes_without_saying(self) -> None:
        view = viewed(nn.MultiheadAttention(8, 2), "query=5,1,8", "key=5,1,8", "value=5,1,8")
        root = view.lines[0]
        assert [(tensor.name, tensor.shape, tensor.dtype) for tensor in root.inputs.tensors] == [
            ("query", "[5, 1, 8]", ""),
            ("key", "[5, 1, 8]", ""),
            ("value", "[5, 1, 8]", ""),
        ]
        assert view.dtype == "float32"


@pytest.mark.parametrize(
    ("module", "given"),
    [
        (nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 5)), "2,3"),
        (nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2), "src=1,5,8"),
        (nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 3)), "2,4:int64"),
        (nn.Conv2d(3, 4, 3, dtype=torch.float64), "1,3,9,9:float64"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_the_code_beside_it_prints_the_same_number(module: nn.Module, given: str) -> None:
    inputs = parse_inputs([given])
    total = trace(module, inputs, max_modules=100, max_depth=10).total_flops
    was_on = torch.backends.mha.get_fastpath_enabled()
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(trace_code(TreeIndex.of(module), inputs), {"torch": torch, "model": module})
    torch.backends.mha.set_fastpath_enabled(was_on)
    assert int(printed.getvalue()) == total > 0


def test_code_for_many_inputs_is_one_call() -> None:
    code = trace_code(TreeIndex.of(LinearModel()), [Input((2,)), Input((), "bool", "mask")])
    assert 'model.to("meta").eval()(torch.empty(2), mask=torch.empty((), dtype=torch.bool))' in code


class TestPage:
    def test_a_model_is_traced_on_what_is_suggested(self, reader: Reader, gpt2: str) -> None:
        page = reader.get(f"{gpt2}/trace")
        assert page.form("/trace").get("input") == "input_ids=1,16:int64"
        found = reader.client.get(f"/api{gpt2}/trace").json()
        assert f"FLOPs {found['total_flops']:,}" in page.text
        assert f"MACs {found['total_macs']:,} 1 MAC = 2 FLOPs" in page.text
        assert "31 of 34 modules" in page.text
        assert "h.0–1 2 × GPT2Block" in page.text
        assert "attn_dropout Dropout not called" in page.text
        assert f"print(counter.get_total_flops()) {found['total_flops']}" in page.text

    def test_rows_lead_to_their_modules(self, reader: Reader, gpt2: str) -> None:
        page = reader.get(f"{gpt2}/trace")
        assert page.links["h.0–1"] == f"{gpt2}/modules/transformer.h.0"
        assert page.links["JSON"] == f"/api{gpt2}/trace"
        assert reader.get(page.links["c_attn"]).status == 200

    def test_other_inputs_are_one_form_away_and_the_suggestion_stays(self, reader: Reader, gpt2: str) -> None:
        page = reader.send(reader.get(f"{gpt2}/trace").form("/trace"), input="input_ids=2,8", dtype="int64")
        assert page.form("/trace").get("input") == "input_ids=2,8"
        assert page.form("/trace").get("dtype") == "int64"
        assert "logits [2, 8, 50257]" in page.text
        assert page.links["input_ids=1,16"] == f"{gpt2}/trace"

    def test_it_is_among_the_pages_of_the_whole_tree(self, reader: Reader, gpt2: str) -> None:
        assert reader.get(f"{gpt2}/repr").links["trace"] == f"{gpt2}/trace"

    def test_what_cannot_be_read_stands_at_the_field_and_nothing_is_lost(self, reader: Reader, gpt2: str) -> None:
        page = reader.get(f"{gpt2}/trace?input=2,x;3:blue&dtype=<b>", 422)
        assert page.form("/trace").get("input") == "2,x;3:blue"
        for said in ("got '2,x'", "got 'blue'", "got '<b>'"):
            assert said in page.text

    def test_a_stopped_forward_says_where(self, reader: Reader) -> None:
        tree = factory(reader, "TransformerDecoderLayer", d_model=8, nhead=2, dim_feedforward=16)
        page = reader.get(f"{tree}/trace?input=tgt%3D3,1,8;memory%3D3,1,9")
        assert "The forward stopped in multihead_attn , MultiheadAttention." in page.text
        assert "It was given 0 [3, 1, 8] 1 [3, 1, 9]" in page.text
        assert "multihead_attn MultiheadAttention stopped here" in page.text
        assert "linear1 Linear not reached" in page.text

    def test_a_tree_that_suggests_nothing_has_the_form_alone(self, reader: Reader) -> None:
        page = reader.get(f"{factory(reader, 'ReLU')}/trace")
        assert "No input yet: nothing in this tree says what its forward takes." in page.text
        assert "[4, 2]" in reader.send(page.form("/trace"), input="4,2").text

    def test_a_very_large_one_is_cut_with_a_link_to_all_of_it(self, reader: Reader) -> None:
        tree = reader.open_tree({"kind": "grid", "branching": 1, "depth": 700, "seed": 0, "forward": "chain"})
        page = reader.get(f"{tree}/trace?input=3")
        assert "The first 600 rows." in page.text
        assert page.links["All of it as JSON"] == f"/api{tree}/trace?input=3"
        assert "level 599" in page.text

    def test_a_tree_that_nobody_can_call_says_so(self, reader: Reader) -> None:
        files = {"file": ("a.safetensors", b"\x02\0\0\0\0\0\0\0{}")}
        tree = reader.client.post("/api/trees/upload", files=files).headers["location"].removeprefix("/api")
        assert "it cannot be traced" in reader.get(f"{tree}/trace?input=1", 409).text

    def test_names_from_outside_never_become_markup(self, reader: Reader) -> None:
        root: dict[str, object] = {"children": {name: {} for name in STRANGE}}
        source: dict[str, object] = {"kind": "linear", "root": root, "forward": "chain", "seed": 0}
        page = reader.get(f"{reader.open_tree(source, '<script>alert(1)</script>')}/trace")
        assert not re.search("<b>bold|<script>alert|[\u202e\x00-\x08]", page.response.text)
        assert "<b>bold</b>" in unescape(page.text)
        typed = reader.get(f"{page.url}?input=%3Cscript%3Ealert(1)%3C/script%3E%E2%80%AE", 422)
        assert not re.search('<script>alert|\u202e[^"]', typed.response.text)
