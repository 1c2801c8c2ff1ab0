"""What a search finds, as a terminal shows it."""

import msgspec
import pytest
from torch import nn

from app.errors import Invalid
from app.terminal.found import find, print_found
from app.trees.index import TreeIndex
from app.trees.search import Searcher
from tests.terminal.consoles import in_terminal, piped


def model() -> nn.Module:
    heads = [nn.ModuleDict({"attn": nn.Linear(4, 4), "mlp": nn.Linear(4, 8)}) for _ in range(2)]
    return nn.ModuleDict({"h": nn.ModuleList(heads), "ln": nn.LayerNorm(4)})


def rows(query: str, target: str = "") -> list[list[str]]:
    index = TreeIndex.of(model())
    page = find(index, index.row(target), query)
    return [line.split() for line in piped(lambda console: print_found(console, page)).splitlines()]


def test_what_is_found_has_its_number_and_stands_under_what_leads_to_it() -> None:
    assert rows("attn class:Linear") == [
        ["ModuleDict"],
        ["└──", "(h):", "ModuleList"],
        ["├──", "(0):", "ModuleDict"],
        ["│", "└──", "(attn):", "Linear", "20"],
        ["└──", "(1):", "ModuleDict"],
        ["└──", "(attn):", "Linear", "20"],
        [],
        ["2", "modules", "found"],
    ]


def test_tensors_are_found_with_their_shapes() -> None:
    found = rows("h.0 numel>20")
    assert ["└──", "weight:", "(8,", "4)", "float32", "32"] in found
    assert found[-1] == ["1", "tensor", "found"]


def test_a_target_leaves_out_what_is_not_in_it() -> None:
    assert rows("attn", "h.1")[-1] == ["1", "module", "found"]
    assert rows("class:LayerNorm", "h") == [["nothing", "found"]]


def test_it_is_the_search_of_the_api() -> None:
    index = TreeIndex.of(model())
    expected = Searcher(index).search("class:Linear bias").page()
    assert msgspec.json.encode(find(index, 0, "class:Linear bias")) == msgspec.json.encode(expected)


def test_a_query_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(Invalid, match="character 7"):
        rows("numel>x")


def test_in_a_terminal_it_is_cut_to_its_width() -> None:
    index = TreeIndex.of(model())
    lines = in_terminal(lambda console: print_found(console, find(index, 0, "numel>1")), width=24)
    assert all(line.cell_len <= 24 for line in lines)
