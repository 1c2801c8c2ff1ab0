"""The summary in its forms: exact, lined up, and harmless whatever the names are."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from app.errors import TooLarge
from app.trees.index import TreeIndex
from app.trees.linear import LinearModel
from app.trees.summary import SummaryFormat, summarise, write
from tests.models import ZOO, Holder, Maker, chain_of, holding, nested_linear_models, odd_names
from tests.trees.strategies import modules

COMMANDS = {r"\quad", r"\texttt", r"\textbackslash", r"\textasciitilde", r"\textasciicircum"}


def text(module: nn.Module, form: SummaryFormat = SummaryFormat.TEXT, depth: int = 3, *, folded: bool = False) -> str:
    return write(summarise(TreeIndex.of(module), depth=depth, folded=folded), form)


def blocks() -> nn.Module:
    """Three blocks in a list, and a head."""
    layers = nn.ModuleList([nn.Sequential(nn.Linear(2, 3), nn.ReLU()) for _ in range(3)])
    return holding(layers=layers, head=nn.Linear(3, 1))


def test_the_text_of_the_tutorials_tree() -> None:
    assert text(nested_linear_models()) == (
        "module      class        parameters  trainable  buffers  bytes\n"
        "--------------------------------------------------------------\n"
        "(root)      LinearModel           6          6        0     24\n"
        "  sub1      LinearModel           4          4        0     16\n"
        "    sub2_1  LinearModel           2          2        0      8\n"
    )


def test_the_markdown_of_the_tutorials_tree() -> None:
    assert text(nested_linear_models(), SummaryFormat.MARKDOWN, depth=1) == (
        "| module | class | parameters | trainable | buffers | bytes |\n"
        "| --- | --- | ---: | ---: | ---: | ---: |\n"
        "| (root) | LinearModel | 6 | 6 | 0 | 24 |\n"
        "| &emsp;sub1 (+1 below) | LinearModel | 4 | 4 | 0 | 16 |\n"
    )


def test_a_run_is_one_row_with_what_all_of_it_comes_to() -> None:
    assert text(blocks(), folded=True) == (
        "module     class           parameters  trainable  buffers  bytes\n"
        "----------------------------------------------------------------\n"
        "(root)     Holder                  31         31        0    124\n"
        "  layers   ModuleList              27         27        0    108\n"
        "    (0-2)  3 x Sequential          27         27        0    108\n"
        "      0    Linear                   9          9        0     36\n"
        "      1    ReLU                     0          0        0      0\n"
        "  head     Linear                   4          4        0     16\n"
        "----------------------------------------------------------------\n"
        "n x: the numbers are of all n together, those of the rows below it are of one.\n"
    )
    assert text(blocks(), SummaryFormat.MARKDOWN, depth=2, folded=True).endswith(
        "| &emsp;&emsp;(0-2) (+6 below) | 3 x Sequential | 27 | 27 | 0 | 108 |\n"
        "| &emsp;head | Linear | 4 | 4 | 0 | 16 |\n\n"
        "n x: the numbers are of all n together, those of the rows below it are of one.\n"
    )


def test_a_folded_row_of_json_is_of_the_first_and_has_the_totals_beside() -> None:
    rows = json.loads(text(blocks(), SummaryFormat.JSON, folded=True))["rows"]
    run = rows[2]
    assert (run["name"], run["path"], run["label"], run["count"]) == ("0", "layers.0", "0-2", 3)
    assert (run["num_parameters"], run["total_parameters"]) == (9, 27)
    assert (run["num_bytes"], run["total_bytes"]) == (36, 108)
    assert [row["count"] for row in rows] == [1, 1, 3, 1, 1, 1]


@pytest.mark.parametrize("make", ZOO.values(), ids=ZOO)
def test_a_folded_summary_loses_no_module(make: Maker) -> None:
    module = make()
    rows = json.loads(text(module, SummaryFormat.JSON, depth=100, folded=True))["rows"]
    times, found = [1], 0
    for row in rows:
        times[row["depth"] + 1 :] = [times[row["depth"]] * row["count"]]
        found += times[-1]
    assert found == len(list(module.named_modules(remove_duplicate=False)))


def test_the_latex_is_a_table_that_needs_no_package() -> None:
    assert text(blocks(), SummaryFormat.LATEX, depth=2, folded=True) == (
        "\\begin{tabular}{llrrrr}\n"
        "\\hline\n"
        "module & class & parameters & trainable & buffers & bytes \\\\\n"
        "\\hline\n"
        "(root) & \\texttt{Holder} & 31 & 31 & 0 & 124 \\\\\n"
        "\\quad \\texttt{layers} & \\texttt{ModuleList} & 27 & 27 & 0 & 108 \\\\\n"
        "\\quad \\quad (\\texttt{0-2}) (+6 below) & 3 x \\texttt{Sequential} & 27 & 27 & 0 & 108 \\\\\n"
        "\\quad \\texttt{head} & \\texttt{Linear} & 4 & 4 & 0 & 16 \\\\\n"
        "\\hline\n"
        "\\multicolumn{6}{l}{n x: the numbers are of all n together, those of the rows below it are of one.} \\\\\n"
        "\\end{tabular}\n"
    )


@settings(max_examples=40)
@given(modules(), st.integers(0, 4))
def test_the_json_counts_as_torch_does(module: nn.Module, depth: int) -> None:
    rows = json.loads(text(module, SummaryFormat.JSON, depth))["rows"]
    places = list(module.named_modules(remove_duplicate=False))
    listed = [(path, place) for path, place in places if depth_of(path) <= depth]
    assert [row["path"] for row in rows] == [path for path, _ in listed]
    for row, (path, place) in zip(rows, listed, strict=True):
        assert row["class_name"] == type(place).__name__
        assert row["depth"] == depth_of(path)
        assert row["num_parameters"] == sum(parameter.numel() for parameter in place.parameters())
        assert row["num_trainable"] == sum(p.numel() for p in place.parameters() if p.requires_grad)
        assert row["num_buffers"] == sum(buffer.numel() for buffer in place.buffers())
        below = sum(1 for other, _ in places if other.startswith(f"{path}." if path else "")) - (not path)
        assert row["num_hidden"] == (below if depth_of(path) == depth else 0)


def depth_of(path: str) -> int:
    return path.count(".") + 1 if path else 0


@pytest.mark.parametrize("make", ZOO.values(), ids=ZOO)
def test_the_zoo_has_a_line_a_place_in_every_form(make: Maker) -> None:
    module = make()
    count = len(list(module.named_modules(remove_duplicate=False)))
    assert len(text(module, depth=100).splitlines()) == count + 2
    assert len(text(module, SummaryFormat.MARKDOWN, depth=100).splitlines()) == count + 2
    assert len(json.loads(text(module, SummaryFormat.JSON, depth=100))["rows"]) == count


@settings(max_examples=100)
@given(st.text(min_size=1).filter(lambda name: "." not in name and not hasattr(Holder(), name)))
def test_a_name_cannot_break_a_line_or_reach_the_terminal(name: str) -> None:
    module = Holder()
    module.add_module(name, LinearModel())
    for form in (SummaryFormat.TEXT, SummaryFormat.MARKDOWN):
        written = text(module, form)
        assert len(written.splitlines()) == 4
        assert all(char.isprintable() or char == "\n" for char in written)
    last = text(module, SummaryFormat.MARKDOWN).splitlines()[-1]
    assert last.replace("\\|", "").count("|") == 7
    assert json.loads(text(module, SummaryFormat.JSON))["rows"][1]["name"] == name


def test_markup_in_names_is_text_in_markdown() -> None:
    written = text(odd_names(), SummaryFormat.MARKDOWN)
    assert "<" not in written
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in written
    assert "\\`code\\`" in written
    assert "&amp;amp;" in written


def test_columns_stay_lined_up() -> None:
    lines = text(odd_names()).splitlines()
    assert {len(line) for line in lines} == {len(lines[0])}


def test_a_table_that_a_long_name_would_blow_up_is_refused() -> None:
    module = chain_of(0)
    for number in range(10_000):
        module.add_module(str(number), nn.Identity())
    module.add_module("x" * 1_000_000, nn.Identity())
    with pytest.raises(TooLarge):
        text(module)
    with pytest.raises(TooLarge):
        text(chain_of(6_000), SummaryFormat.MARKDOWN, depth=6_000)


@settings(max_examples=100)
@given(st.text(min_size=1).filter(lambda name: "." not in name and not hasattr(Holder(), name)))
def test_no_name_breaks_the_table_in_latex(name: str) -> None:
    module = Holder()
    module.add_module(name, LinearModel())
    lines = text(module, SummaryFormat.LATEX).splitlines()
    assert len(lines) == 8
    assert lines[5].isascii()
    plain = re.sub(r"\\[&%$#_{}]", "", lines[5])
    assert plain.count("&") == 5
    assert not set("%$#_~^").intersection(plain)
    assert plain.count("{") == plain.count("}")
    assert set(re.findall(r"\\[a-z]+", plain)) <= COMMANDS
    assert re.sub(r"\\[a-z]+", "", plain).count("\\") == 2


def test_what_latex_takes_for_its_own_is_spelled_out() -> None:
    module = Holder()
    module.add_module(r"a_b%c&d#e~f^g\h{i}$[j]", Holder())
    module.add_module("모듈", Holder())
    lines = text(module, SummaryFormat.LATEX).splitlines()
    assert lines[5].startswith(
        r"\quad \texttt{a\_b\%c\&d\#e\textasciitilde{}f\textasciicircum{}g\textbackslash{}h\{i\}\${[}j{]}} & "
    )
    assert lines[6].startswith(r"\quad \texttt{\textbackslash{}ubaa8\textbackslash{}ub4c8} & ")
