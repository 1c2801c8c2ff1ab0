from pathlib import Path

import pytest
import torch
from torch import nn

from app.trees.description import Kind
from app.trees.limits import Limits
from app.trees.sources.checkpoint.classes import Evidence, infer, is_conv1d
from app.trees.sources.checkpoint.keys import tree_of
from app.trees.sources.checkpoint.opening import read_checkpoint
from tests.trees.sources.checkpoint.files import torch_bytes, write

MODULES: dict[str, tuple[nn.Module, str]] = {
    "fc": (nn.Linear(3, 4), "Linear"),
    "lm_head": (nn.Linear(3, 4, bias=False), "Linear"),
    "embed_tokens": (nn.Embedding(5, 3), "Embedding"),
    "wte": (nn.Embedding(5, 3), "Embedding"),
    "q_proj": (nn.Linear(3, 3), "Linear"),
    "patch_embed_proj": (nn.Linear(3, 3, bias=False), "Linear"),
    "conv1": (nn.Conv2d(3, 4, 5), "Conv2d"),
    "conv": (nn.Conv1d(3, 4, 5), "Conv1d"),
    "stem": (nn.Conv3d(3, 4, 5, bias=False), "Conv3d"),
    "up_conv": (nn.ConvTranspose2d(3, 4, 5), "ConvTranspose2d"),
    "final": (nn.ConvTranspose2d(3, 4, 5), "ConvTranspose2d"),
    "layer_norm": (nn.LayerNorm(3), "LayerNorm"),
    "ln_1": (nn.LayerNorm(3), "LayerNorm"),
    "group_norm": (nn.GroupNorm(2, 4), "GroupNorm"),
    "rms_norm": (nn.RMSNorm(3), "RMSNorm"),
    "bn": (nn.BatchNorm2d(3), "BatchNorm"),
    "norm_without_affine": (nn.BatchNorm1d(3, affine=False), "BatchNorm"),
    "lstm": (nn.LSTM(3, 4, num_layers=2, bidirectional=True), "LSTM"),
    "projected": (nn.LSTM(3, 4, proj_size=2), "LSTM"),
    "gru": (nn.GRU(3, 4, bias=False), "GRU"),
    "rnn": (nn.RNN(3, 4), "RNN"),
    "cell": (nn.LSTMCell(3, 4), "LSTMCell"),
    "gru_cell": (nn.GRUCell(3, 4), "GRUCell"),
    "self_attn": (nn.MultiheadAttention(4, 2), "MultiheadAttention"),
    # What cannot be told is left unknown.
    "norm": (nn.GroupNorm(2, 4), ""),
    "norm1": (nn.LayerNorm(4), ""),
    "input_norm": (nn.RMSNorm(4), ""),
    "act": (nn.PReLU(3), ""),
    "relative_attention_bias": (nn.Embedding(5, 3), ""),
    "embed_out": (nn.Linear(3, 4, bias=False), ""),
    "mix": (nn.Bilinear(2, 3, 4), ""),
    "experts": (nn.Conv1d(3, 4, 5, bias=False), ""),
}


@pytest.mark.parametrize("name", MODULES)
def test_class_is_inferred_where_it_is_sound_and_marked(tmp_path: Path, name: str) -> None:
    module, expected = MODULES[name]
    state = nn.ModuleDict({name: module}).state_dict()
    description = tree_of(read_checkpoint(write(tmp_path / "x.pt", torch_bytes(state))), Limits()).description
    row = description.name.index(name)
    cls = description.classes[description.class_id[row]]
    assert cls.name == expected
    assert cls.inferred is bool(expected)
    if expected and hasattr(nn, expected):
        assert getattr(nn, expected).__module__ == cls.module


@pytest.mark.parametrize("name", ["fc", "lm_head", "wte", "lstm", "projected", "gru", "cell"])
def test_extra_repr_of_what_is_inferred_is_that_of_the_module(tmp_path: Path, name: str) -> None:
    module, _ = MODULES[name]
    state = nn.ModuleDict({name: module}).state_dict()
    description = tree_of(read_checkpoint(write(tmp_path / "x.pt", torch_bytes(state))), Limits()).description
    due = {part.strip() for part in str(module.extra_repr()).split(",")} - {"bias=False"}
    found = {part.strip() for part in description.extra_repr[description.name.index(name)].split(",")} - {"bias=False"}
    assert found == due


def kinds(dtype: str = "float32", **shapes: tuple[int, ...]) -> dict[str, Kind]:
    return {name: Kind(shape, dtype, "file") for name, shape in shapes.items()}


def evidence(name: str, *, has_children: bool = False, has_conv1d: bool = False) -> Evidence:
    return Evidence(name, has_children, has_conv1d)


def test_square_matrix_is_unknown_where_there_is_conv1d() -> None:
    square = kinds(weight=(4, 4), bias=(4,))
    assert is_conv1d(kinds(weight=(4, 12), bias=(12,)))
    assert not is_conv1d(square)
    assert infer(square, evidence("c_proj", has_conv1d=True)) is None
    found = infer(square, evidence("c_proj"))
    assert found is not None
    assert found.cls.name == "Linear"
    turned = infer(kinds(weight=(4, 12), bias=(12,)), evidence("c_attn", has_conv1d=True))
    assert turned is not None
    assert (turned.cls.name, turned.extra_repr) == ("Conv1D", "nf=12, nx=4")


@pytest.mark.parametrize(
    "tensors",
    [
        kinds(weight=(4, 3), bias=(5,)),
        kinds(weight=(4, 3), scale=(4,)),
        kinds("int8", weight=(4, 3)),
        kinds(weight=()),
        kinds(weight=(1, 2, 3, 4, 5, 6)),
        kinds(running_mean=(3,), running_var=(4,)),
        kinds(running_mean=(3,)),
        kinds(weight_ih_l0=(7, 3), weight_hh_l0=(7, 2)),
        kinds(weight_ih_l0=(8,), weight_hh_l0=(8, 2)),
        kinds(weight_hh_l0=(8, 2)),
        kinds(in_proj_weight=(5, 2)),
        {"weight": Kind(None, "float32")},
    ],
)
def test_tensors_that_fit_no_class_infer_none(tensors: dict[str, Kind]) -> None:
    assert infer(tensors, evidence("x")) is None


def test_module_with_children_is_no_leaf_of_torch() -> None:
    assert infer(kinds(weight=(4, 3)), evidence("x", has_children=True)) is None


def test_same_class_is_listed_once(tmp_path: Path) -> None:
    state = {f"{i}.weight": torch.zeros(2, i + 1) for i in range(5)}
    description = tree_of(read_checkpoint(write(tmp_path / "x.pt", torch_bytes(state))), Limits()).description
    assert [cls.name for cls in description.classes] == ["", "Linear"]
    assert len(set(description.extra_repr.values())) == 5
