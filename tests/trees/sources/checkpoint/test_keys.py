from array import array
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from app.errors import TooLarge
from app.trees.description import Description, Kind
from app.trees.limits import Limits
from app.trees.sources.checkpoint.contents import Contents, Format
from app.trees.sources.checkpoint.keys import KeyTree, spelled, tree_of
from app.trees.sources.checkpoint.opening import read_checkpoint
from tests.trees.sources.checkpoint.files import torch_bytes, write


def contents_of(keys: Sequence[str], **columns: object) -> Contents:
    """Contents with one kind of tensor under each key."""
    contents = Contents(Format.SAFETENSORS, Path(), [], name=list(keys), kinds=[Kind((2, 3), "float32", "file")])
    contents.kind, contents.same = array("q", [0] * len(keys)), array("q", range(len(keys)))
    for name, column in columns.items():
        setattr(contents, name, column)
    return contents


def tree_of_keys(*keys: str) -> KeyTree:
    return tree_of(contents_of(keys), Limits())


def paths(description: Description) -> list[str]:
    """The path of every module, as an index gives it."""
    found: list[str] = []
    for parent, name in zip(description.parent, description.name, strict=True):
        above = found[parent] if parent >= 0 else ""
        found.append(f"{above}.{name}" if above else name)
    return found


def tensor_paths(tree: KeyTree) -> dict[str, int]:
    """The entry behind each tensor by its path."""
    modules = paths(tree.description)
    found = {}
    for table, entries in (
        (tree.description.parameters, tree.parameter_entries),
        (tree.description.buffers, tree.buffer_entries),
    ):
        for owner, name, entry in zip(table.owner, table.name, entries, strict=True):
            found[f"{modules[owner]}.{name}" if modules[owner] else name] = entry
    return found


def test_state_dict_spells_the_modules_it_came_from(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Sequential(nn.BatchNorm2d(2), nn.ReLU()), nn.Linear(2, 2, bias=False))
    tree = tree_of(read_checkpoint(write(tmp_path / "x.pt", torch_bytes(model.state_dict()))), Limits())
    assert paths(tree.description) == [path for path, _ in model.named_modules()]
    parameters = tree.description.parameters
    assert len(parameters.name) == len(list(model.parameters()))
    assert tree.description.buffers.name == ["running_mean", "running_var", "num_batches_tracked"]
    assert list(tensor_paths(tree)) == [name for name, _ in (*model.named_parameters(), *model.named_buffers())]
    assert set(parameters.flag) == {1}


def test_numbered_siblings_are_in_the_order_of_the_numbers() -> None:
    tree = tree_of_keys("h.10.w", "h.2.w", "h.1.w", "b.x", "a.x")
    assert tree.description.name == ["", "h", "1", "2", "10", "b", "a"]


def test_weight_comes_before_bias() -> None:
    tree = tree_of_keys("fc.bias", "fc.scale", "fc.weight")
    assert tree.description.parameters.name == ["weight", "bias", "scale"]
    assert list(tree.parameter_entries) == [2, 0, 1]


def test_key_that_others_begin_with_is_a_tensor_and_a_module() -> None:
    tree = tree_of_keys("a", "a.b", "a.b.c")
    assert paths(tree.description) == ["", "a", "a.b"]
    assert tensor_paths(tree) == {"a": 0, "a.b": 1, "a.b.c": 2}


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("", "''"),
        (".", "''.''"),
        (".a", "''.a"),
        ("a.", "a.''"),
        ("a..b", "a.''.b"),
        ("'", "'''"),
        ("''", "''''"),
        ("a'", "a'"),
        ("a.''.b", "a.''''.b"),
    ],
)
def test_empty_part_is_spelled_by_quotes(key: str, path: str) -> None:
    assert list(tensor_paths(tree_of_keys(key))) == [path]


@given(st.lists(st.text("ab.'", max_size=6), unique=True, max_size=20))
def test_every_key_has_a_path_of_its_own(keys: list[str]) -> None:
    tree = tree_of_keys(*keys)
    found = tensor_paths(tree)
    assert sorted(found.values()) == list(range(len(keys)))
    assert all(path == ".".join(spelled(part) for part in keys[entry].split(".")) for path, entry in found.items())
    rows = list(zip(tree.description.parent, tree.description.name, strict=True))
    assert len(set(rows)) == len(rows)
    assert all(parent < row for row, (parent, _) in enumerate(rows))
    assert list(tree.description.parameters.owner) == sorted(tree.description.parameters.owner)


def test_tied_tensors_stay_tied_and_flags_say_what_can_be_trained(tmp_path: Path) -> None:
    tied = torch.zeros(3, 2)
    value: dict[str, Tensor] = {
        "embed.weight": tied,
        "head.weight": tied,
        "mask": torch.ones(2, dtype=torch.bool),
        "frozen": nn.Parameter(torch.ones(2), requires_grad=False),
    }
    parameters = tree_of(read_checkpoint(write(tmp_path / "x.pt", torch_bytes(value))), Limits()).description.parameters
    by_name = dict(zip(zip(parameters.owner, parameters.name, strict=True), parameters.flag, strict=True))
    assert [flag for (_, name), flag in by_name.items() if name in {"mask", "frozen"}] == [0, 0]
    weights = [same for name, same in zip(parameters.name, parameters.same, strict=True) if name == "weight"]
    assert weights[0] == weights[1]


def test_branches_of_a_training_checkpoint_are_modules(tmp_path: Path) -> None:
    model = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), momentum=0.9)
    model.weight.grad, model.bias.grad = torch.ones(2, 2), torch.ones(2)
    optimizer.step()
    value = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 1}
    tree = tree_of(read_checkpoint(write(tmp_path / "x.pt", torch_bytes(value))), Limits())
    assert paths(tree.description) == [
        "",
        "model",
        "optimizer",
        "optimizer.state",
        "optimizer.state.0",
        "optimizer.state.1",
    ]


def test_limits_hold() -> None:
    with pytest.raises(TooLarge, match="more than 3 modules"):
        tree_of(contents_of(["a.b.c.d"]), Limits(max_modules=3))
    with pytest.raises(TooLarge, match="more than 2 levels"):
        tree_of(contents_of(["a.b.c.d"]), Limits(max_depth=2))


def test_key_of_thirty_thousand_parts_is_a_deep_tree() -> None:
    deep = tree_of(contents_of(["a." * 30_000 + "w", "a." * 29_999 + "b.w"]), Limits(max_depth=40_000))
    assert len(deep.description.parent) == 30_002


def test_hundred_thousand_keys_are_one_tree() -> None:
    keys = [f"model.layers.{i // 300}.experts.{i % 300}.proj.weight" for i in range(100_000)]
    tree = tree_of(contents_of(keys), Limits())
    assert len(tree.description.parent) == 3 + 334 * 2 + 100_000 * 2
    assert list(tree.parameter_entries) == list(range(100_000))
    assert [cls.name for cls in tree.description.classes] == ["", "Linear"]
