"""The folded tree as a terminal shows it."""

import pytest
from rich.console import Console
from torch import nn

from app.terminal.tree import print_tree
from app.trees.description import Description, Kind, ModuleClass, TensorTable
from app.trees.fold import fold
from app.trees.index import TreeIndex
from app.trees.origin import NOWHERE, Origin
from tests.models import ZOO, Maker, chain_of, frozen, partly_in_eval_mode, shared_siblings, tied_parameters
from tests.terminal.consoles import in_terminal, piped


def printed(module: nn.Module, *, max_depth: int | None = None, with_parameters: bool = False) -> list[str]:
    index = TreeIndex.of(module)

    def show(console: Console) -> None:
        print_tree(console, index, NOWHERE, max_depth=max_depth, with_parameters=with_parameters)

    return piped(show).splitlines()


def linear(in_features: int = 2, out_features: int = 2) -> nn.Module:
    return nn.Linear(in_features, out_features, device="meta")


def test_like_siblings_are_one_row_with_what_all_of_them_come_to() -> None:
    blocks = [nn.Sequential(linear(100, 1000), nn.ReLU()) for _ in range(12)]

    lines = printed(nn.Sequential(*blocks))

    assert lines[0].split() == ["Sequential", "1.21", "M"]
    assert lines[1].startswith("└── (0-11): 12 x Sequential ")
    assert lines[1].endswith("1.21 M")
    assert lines[2].startswith("    ├── (0): Linear(in_features=100, out_features=1000, bias=True) ")
    assert lines[2].endswith("101.0 k")
    assert lines[3].split() == ["└──", "(1):", "ReLU", "-"]
    assert lines[5] == "n x: the number is of all n together, those of the rows below it are of one."
    assert lines[-1].split() == ["1,212,000", "parameters"]


def test_levels_below_the_depth_are_left_out_and_counted() -> None:
    lines = printed(nn.Sequential(nn.Sequential(linear())), max_depth=1)
    assert lines[:2] == ["Sequential           6", "└── (0): Sequential  6"]
    assert lines[2] == ""
    assert lines[-1].split() == ["6", "parameters"]


def test_parameters_and_buffers_are_listed_with_their_shapes() -> None:
    lines = printed(nn.Sequential(nn.BatchNorm1d(3)), with_parameters=True)
    rows = [" ".join(line.split()) for line in lines[2:7]]
    assert rows == [
        "├── weight: (3,) float32 3",
        "├── bias: (3,) float32 3",
        "├── running_mean: (3,) float32 buffer 3",
        "├── running_var: (3,) float32 buffer 3",
        "└── num_batches_tracked: () int64 buffer 1",
    ]


def test_what_is_tied_says_to_what_and_is_counted_once() -> None:
    lines = printed(tied_parameters())
    assert "  weight tied to embedding.weight  15" in lines[2]
    assert lines[4].split() == ["30", "as", "listed:", "1", "name", "is", "tied"]
    assert lines[-1].split() == ["15", "parameters"]


def test_a_shared_module_says_whose_it_is() -> None:
    lines = printed(shared_siblings())
    assert "(3): ReLU  shared with 1" in lines[4]
    assert "  shared with 0  " in lines[5]


def test_frozen_and_eval_are_said_where_they_begin() -> None:
    assert ["frozen" in line for line in printed(frozen(), with_parameters=True)[:7]] == [
        False, True, True, True, False, False, True,
    ]  # fmt: skip
    assert ["eval" in line for line in printed(partly_in_eval_mode())[:5]] == [False, True, False, False, False]


@pytest.mark.parametrize("make", ZOO.values(), ids=ZOO)
def test_every_odd_model_is_printed_a_line_a_row_with_its_exact_total(make: Maker) -> None:
    module = make()
    index = TreeIndex.of(module)
    lines = printed(module, with_parameters=True)
    rows = lines[: lines.index("")]
    num_tensors = sum(
        len(index.own(columns, row.row)) for row in fold(index).rows for columns in (index.parameters, index.buffers)
    )
    assert len(rows) == len(fold(index).rows) + num_tensors
    assert all(line.isprintable() for line in lines)
    assert int(lines[-1].split()[0].replace(",", "")) == index.totals.num_parameters[0]


def test_a_terminal_is_not_wider_than_it_is() -> None:
    model = nn.Sequential(nn.Sequential(linear(1000, 1000)), nn.Linear(1, 1))
    model[1].requires_grad_(False)
    index = TreeIndex.of(model)

    lines = in_terminal(lambda console: print_tree(console, index, NOWHERE), width=40)

    rows = lines[:4]
    assert all(row.cell_len <= 40 for row in rows)
    assert rows[2].plain.startswith("│   └── (0): Linear(in_featu")
    assert "…" in rows[2].plain
    assert rows[2].plain.endswith("  1.00 M")
    assert "frozen" in rows[3].plain
    assert any(row.spans for row in rows)


def test_a_deep_chain_keeps_its_names_in_sight() -> None:
    index = TreeIndex.of(chain_of(1000))
    rows = in_terminal(lambda console: print_tree(console, index, NOWHERE), width=80)[:1001]
    assert all(row.cell_len <= 80 for row in rows)
    assert all("(sub1): Holder" in row.plain for row in rows[1:])


def test_an_encoding_without_lines_gets_others() -> None:
    index = TreeIndex.of(nn.ModuleDict({"층": linear()}))
    text = piped(lambda console: print_tree(console, index, NOWHERE), encoding="ascii")
    assert r"`-- (\uce35): Linear(" in text


def test_classes_that_are_not_read_say_so() -> None:
    index = TreeIndex.from_description(
        Description(
            parent=[-1, 0],
            name=["", "fc"],
            same=[0, 1],
            class_id=[0, 1],
            classes=[ModuleClass("", ""), ModuleClass("Linear", "torch.nn", inferred=True)],
            extra_repr={},
            training=b"\1\1",
            none_children={},
            kinds=[Kind((2, 3), "bfloat16", "file")],
            parameters=TensorTable([1], ["weight"], [0], b"\1", [0]),
            buffers=TensorTable([], [], [], b"", []),
        )
    )

    lines = piped(lambda console: print_tree(console, index, Origin(notes=["one\nnote"]))).splitlines()

    assert [line.split() for line in lines[:2]] == [["?", "6"], ["└──", "(fc):", "Linear", "inferred", "6"]]
    assert lines[3].startswith("?: not known")
    assert lines[4].startswith("inferred: ")
    assert lines[5] == r"one\nnote"
    assert [line.split() for line in lines[6:]] == [
        ["12", "bytes", "of", "bfloat16"],
        ["2", "modules"],
        ["6", "parameters"],
    ]
