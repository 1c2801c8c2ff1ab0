"""A config.json beside a checkpoint: its tree where the tensors are those of its architecture, else the keys' tree."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from app.errors import CannotDo
from app.trees.describe import describe
from app.trees.index import TreeIndex
from app.trees.limits import Limits
from app.trees.sources.building import BuildLimits
from app.trees.sources.checkpoint.contents import Contents
from app.trees.sources.checkpoint.data import CheckpointData
from app.trees.sources.checkpoint.limits import HeaderLimits
from app.trees.sources.checkpoint.opening import read_checkpoint
from app.trees.sources.checkpoint.readings import Readings
from app.trees.sources.checkpoint.sibling import BestTree, best_tree
from app.trees.sources.config import build_config
from app.trees.sources.workshop import Workshop
from tests.trees.sources.checkpoint.files import torch_bytes, write
from tests.trees.sources.checkpoint.test_keys import tensor_paths

GPT2 = {"model_type": "gpt2", "vocab_size": 11, "n_positions": 6, "n_embd": 8, "n_layer": 2, "n_head": 2}
BERT = {
    "model_type": "bert",
    "vocab_size": 11,
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 12,
    "max_position_embeddings": 6,
}
Tensors = dict[str, Tensor]


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    workshop = Workshop()
    workshop.start()
    yield workshop
    workshop.close()


def config_of(name: str, kind: Mapping[str, object], **more: object) -> dict[str, Any]:
    return {**kind, "architectures": [name], **more}


def model_of(name: str, kind: Mapping[str, object]) -> nn.Module:
    return build_config({"kind": "config", "config": config_of(name, kind)}, BuildLimits()).module


def state_of(model: nn.Module) -> Tensors:
    """A state dict of numbers that are all different, tied as the model's tensors are."""
    made: dict[int, Tensor] = {}
    state = {}
    for name, tensor in model.state_dict(keep_vars=True).items():
        first = 1_000.0 * len(made)
        state[name] = made.setdefault(id(tensor), torch.arange(first, first + tensor.numel()).reshape(tensor.shape))
    return state


def without(state: Tensors, *names: str) -> Tensors:
    return {name: tensor for name, tensor in state.items() if name not in names}


def below(prefix: str, state: Tensors) -> Tensors:
    return {prefix + name: tensor for name, tensor in state.items()}


def saved(folder: Path, state: Tensors, config: object = None) -> Path:
    path = folder / "model.safetensors"
    save_file(state, path)
    if config is not None:
        write(folder / "config.json", config if isinstance(config, bytes) else json.dumps(config).encode())
    return path


def saved_by_torch(folder: Path, state: object, config: object) -> Path:
    write(folder / "config.json", json.dumps(config).encode())
    return write(folder / "pytorch_model.bin", torch_bytes(state))


def opened(path: Path, workshop: Workshop) -> tuple[BestTree, TreeIndex, Contents]:
    contents = read_checkpoint(path)
    tree = best_tree(path, contents, Limits(), workshop)
    index = TreeIndex.from_description(tree.keys.description)
    index.data = CheckpointData(
        path,
        contents.files,
        list(tree.keys.parameter_entries),
        list(tree.keys.buffer_entries),
        HeaderLimits(),
        Readings(),
    )
    return tree, index, contents


def check_same_tree(index: TreeIndex, model: nn.Module) -> None:
    """Check every module and every count against the model itself."""
    modules = dict(model.named_modules())
    assert [index.path(row) for row in range(len(index))] == list(modules)
    assert [index.classes[number].name for number in index.class_id] == [type(one).__name__ for one in modules.values()]
    assert index.extra_repr == describe(model, max_modules=1_000, max_depth=100).extra_repr
    assert tensor_names(index) == [name for name, _ in model.named_parameters(remove_duplicate=False)]
    for row, module in enumerate(modules.values()):
        assert index.totals.num_parameters[row] == sum(parameter.numel() for parameter in module.parameters())


def tensor_names(index: TreeIndex) -> list[str]:
    named = zip(index.parameters.owner, index.parameters.name, strict=True)
    return [f"{index.path(row)}.{name}" for row, name in named]


def check_values(tree: BestTree, index: TreeIndex, contents: Contents, state: Tensors) -> None:
    """Check that each tensor of the tree has the values that were saved under the key of its entry."""
    seen = set()
    for columns, entries in (
        (index.parameters, tree.keys.parameter_entries),
        (index.buffers, tree.keys.buffer_entries),
    ):
        for number, entry in enumerate(entries):
            if entry >= 0:
                seen.add(entry)
                page = index.data.page(columns, number, 0, 10_000)
                assert page.values == state[contents.name[entry]].flatten().tolist()
    assert seen == set(range(len(state)))


def test_a_head_that_the_file_leaves_out_is_tied(workshop: Workshop, tmp_path: Path) -> None:
    model = model_of("GPT2LMHeadModel", GPT2)
    state = without(state_of(model), "lm_head.weight")
    path = saved(tmp_path, state, config_of("GPT2LMHeadModel", GPT2))
    tree, index, contents = opened(path, workshop)
    assert tree.notes == ["Classes are those of GPT2LMHeadModel, from the config.json beside it."]
    assert [str(one) for one in tree.inputs] == ["input_ids=1,16:int64"]
    check_same_tree(index, model)
    check_values(tree, index, contents, state)
    entries = tensor_paths(tree.keys)
    assert all(contents.name[entry] == name for name, entry in entries.items() if name != "lm_head.weight")
    assert entries["lm_head.weight"] == entries["transformer.wte.weight"]
    assert {kind.device for kind in index.kinds.all} == {"file"}
    assert set(tree.keys.description.training) == {1}


def test_a_file_of_the_base_model_is_the_head_s_too_with_masks_of_old(workshop: Workshop, tmp_path: Path) -> None:
    state = state_of(model_of("GPT2Model", GPT2))
    masks = {f"h.{number}.attn.bias": torch.ones(1, 1, 6, 6).tril() for number in range(2)}
    path = saved(tmp_path, {**state, **masks}, config_of("GPT2LMHeadModel", GPT2))
    tree, index, contents = opened(path, workshop)
    assert tree.notes == [
        "Classes are those of GPT2LMHeadModel, from the config.json beside it.",
        "Names in the file leave out the 'transformer.' that they begin with here.",
        "2 tensors are listed as buffers that GPT2LMHeadModel once had: 'h.0.attn.bias', 'h.1.attn.bias'.",
    ]
    check_same_tree(index, model_of("GPT2LMHeadModel", GPT2))
    check_values(tree, index, contents, {**state, **masks})
    assert [index.path(row) for row in index.buffers.owner] == ["transformer.h.0.attn", "transformer.h.1.attn"]


def test_a_file_with_a_head_is_the_base_model_s_too(workshop: Workshop, tmp_path: Path) -> None:
    state = without(state_of(model_of("GPT2LMHeadModel", GPT2)), "lm_head.weight")
    tree, index, contents = opened(saved(tmp_path, state, config_of("GPT2Model", GPT2)), workshop)
    assert tree.notes[1:] == ["All names in the file begin with 'transformer.', which is left out here."]
    check_same_tree(index, model_of("GPT2Model", GPT2))
    check_values(tree, index, contents, state)


@pytest.mark.parametrize("architecture", ["GPT2Model", "GPT2ForSequenceClassification", "NotOfTransformers"])
def test_the_head_in_the_file_tells_the_class(workshop: Workshop, tmp_path: Path, architecture: str) -> None:
    model = model_of("GPT2LMHeadModel", GPT2)
    state = state_of(model)
    tree, index, _ = opened(saved_by_torch(tmp_path, state, config_of(architecture, GPT2)), workshop)
    assert tree.notes == ["Classes are those of GPT2LMHeadModel, from the config.json beside it."]
    check_same_tree(index, model)


def test_a_file_without_the_config_s_head_is_the_base_model(workshop: Workshop, tmp_path: Path) -> None:
    model = model_of("BertModel", BERT)
    state = state_of(model)
    path = saved(tmp_path, state, config_of("BertForSequenceClassification", BERT))
    tree, index, contents = opened(path, workshop)
    assert tree.notes == ["Classes are those of BertModel, from the config.json beside it."]
    check_same_tree(index, model)
    check_values(tree, index, contents, state)


def test_names_of_old_berts_are_understood(workshop: Workshop, tmp_path: Path) -> None:
    model = model_of("BertForPreTraining", BERT)
    tied = ("cls.predictions.decoder.weight", "cls.predictions.decoder.bias")
    state = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
        for name, tensor in without(state_of(model), *tied).items()
    }
    path = saved(tmp_path, state, config_of("BertForMaskedLM", BERT))
    tree, index, contents = opened(path, workshop)
    assert tree.notes == [
        "Classes are those of BertForPreTraining, from the config.json beside it.",
        "LayerNorm.gamma and LayerNorm.beta of the file are LayerNorm.weight and LayerNorm.bias here.",
    ]
    check_same_tree(index, model)
    check_values(tree, index, contents, state)


def test_what_is_not_in_the_file_says_so(workshop: Workshop, tmp_path: Path) -> None:
    model = model_of("BertModel", BERT)
    path = saved(tmp_path, without(state_of(model), "pooler.dense.bias"), config_of("BertModel", BERT))
    tree, index, _ = opened(path, workshop)
    assert tree.notes[1:] == ["1 tensor is not in the file: 'pooler.dense.bias'."]
    check_same_tree(index, model)
    lacking = [name for name, entry in tensor_paths(tree.keys).items() if entry < 0]
    assert lacking == ["pooler.dense.bias", "embeddings.position_ids", "embeddings.token_type_ids"]
    assert list(index.buffers.flag) == [0, 0]
    for columns, entry in ((index.parameters, len(index.parameters) - 1), (index.buffers, 0)):
        kind = index.kinds.all[columns.kind[entry]]
        assert columns.device(entry, kind) == "meta"
        assert index.data.values(columns, [entry]) == [None]
        assert index.data.stats(columns, entry) is None
        with pytest.raises(CannotDo, match=rf"^'{columns.name[entry]}' is not in the file: "):
            index.data.page(columns, entry, 0, 10)
    assert index.data.values(index.parameters, [0, 1, 3]) != [None] * 3


def test_tensors_that_the_file_has_apart_are_not_tied(workshop: Workshop, tmp_path: Path) -> None:
    state = {name: tensor.clone() for name, tensor in state_of(model_of("GPT2LMHeadModel", GPT2)).items()}
    tree, index, contents = opened(saved(tmp_path, state, config_of("GPT2LMHeadModel", GPT2)), workshop)
    (note,) = tree.notes[1:]
    assert note.startswith("1 tensor is tied to another in GPT2LMHeadModel but not in the file, ")
    assert note.endswith(": 'lm_head.weight'.")
    assert index.totals.num_parameters[0] == sum(tensor.numel() for tensor in state.values())
    check_values(tree, index, contents, state)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod."])
def test_a_part_that_all_names_begin_with_is_left_out(workshop: Workshop, tmp_path: Path, prefix: str) -> None:
    model = model_of("GPT2Model", GPT2)
    path = saved(tmp_path, below(prefix, state_of(model)), config_of("GPT2LMHeadModel", GPT2))
    tree, index, _ = opened(path, workshop)
    assert tree.notes[1] == f"All names in the file begin with '{prefix}', which is left out here."
    check_same_tree(index, model_of("GPT2LMHeadModel", GPT2))


def test_the_dtype_is_the_file_s_and_integers_require_no_gradient(workshop: Workshop, tmp_path: Path) -> None:
    state = {name: (tensor / 64).bfloat16() for name, tensor in state_of(model_of("GPT2Model", GPT2)).items()}
    state["wte.weight"] = torch.ones(11, 8, dtype=torch.int8)
    tree, index, contents = opened(saved(tmp_path, state, config_of("GPT2Model", GPT2)), workshop)
    names = [index.kinds.all[kind].dtype_name for kind in index.parameters.kind]
    assert names == ["int8"] + ["bfloat16"] * (len(names) - 1)
    assert list(index.parameters.flag) == [0] + [1] * (len(names) - 1)
    check_values(tree, index, contents, state)


def test_a_parameter_that_is_frozen_in_the_file_is_frozen(workshop: Workshop, tmp_path: Path) -> None:
    state = state_of(model_of("GPT2Model", GPT2))
    state["wpe.weight"] = nn.Parameter(state["wpe.weight"], requires_grad=False)
    _, index, _ = opened(saved_by_torch(tmp_path, state, config_of("GPT2Model", GPT2)), workshop)
    assert [name for name, flag in zip(tensor_names(index), index.parameters.flag, strict=True) if not flag] == [
        "wpe.weight"
    ]


def test_shards_have_a_config_too(workshop: Workshop, tmp_path: Path) -> None:
    model = model_of("GPT2LMHeadModel", GPT2)
    state = without(state_of(model), "lm_head.weight")
    shards = [dict(list(state.items())[at::2]) for at in range(2)]
    weight_map = {}
    for number, shard in enumerate(shards):
        name = f"model-{number + 1:05}-of-00002.safetensors"
        save_file(shard, tmp_path / name)
        weight_map.update(dict.fromkeys(shard, name))
    path = write(tmp_path / "model.safetensors.index.json", json.dumps({"weight_map": weight_map}).encode())
    write(tmp_path / "config.json", json.dumps(config_of("GPT2LMHeadModel", GPT2)).encode())
    tree, index, contents = opened(path, workshop)
    check_same_tree(index, model)
    check_values(tree, index, contents, state)
    alone = opened(tmp_path / "model-00001-of-00002.safetensors", workshop)[0]
    assert alone.notes[0].startswith(
        "config.json beside it was not used: 14 parameters are in GPT2LMHeadModel and not in the file: "
        "'transformer.wpe.weight', "
    )


def is_the_keys_tree(tree: BestTree) -> bool:
    return all(cls.inferred or not cls.name for cls in tree.keys.description.classes) and not tree.inputs


@pytest.mark.parametrize(
    ("config", "why"),
    [
        (config_of("GPT2Model", GPT2, n_embd=16), "'h.0.attn.c_attn.bias' is (24,) in the file, (48,) in GPT2Model."),
        (config_of("GPT2Model", GPT2, n_layer=1), "12 tensors are not in GPT2Model: 'h.1.attn.c_attn.bias', "),
        (
            config_of("GPT2Model", GPT2, n_layer=3),
            "12 parameters are in GPT2Model and not in the file: 'h.2.ln_1.weight', ",
        ),
        (config_of("GPT2Model", GPT2, n_layer=10**9), "n_layer: expected at most 250,000, got 1000000000."),
        (config_of("GPT2Model", GPT2, n_head=3), "GPT2Model raised ValueError: "),
        (config_of("GPT2Model", GPT2, _name_or_path=10**30, n_head=3), "GPT2Model raised ValueError: "),
        (config_of("BertModel", BERT), "28 tensors are not in BertModel: "),
        ({"model_type": "gpt3"}, "model_type: expected a type that the installed transformers knows, got 'gpt3'"),
        ({"_class_name": "UNet2DModel"}, "it names no model_type, as the configs of transformers do."),
        (b'{"model_type": "gpt2", ', "it is not a JSON object: "),
        (b'{"model_type": "gpt2", "x": "\\ud800"}', "it is not a JSON object: "),
        (b"\xff\xfe", "it is not a JSON object: "),
        (b'["gpt2"]', "it is not a JSON object: "),
        (b"[" * 500_000, "it is not a JSON object: "),
        (b'{"model_type": "gpt2", "x": ' + b"[" * 50 + b"]" * 50 + b"}", "nested deeper than 16 levels."),
        (b" " * (1024 * 1024 + 1), "it has 1,048,577 bytes, the limit is 1,048,576."),
    ],
)
def test_a_config_that_does_not_fit_leaves_the_tree_of_the_keys(
    workshop: Workshop, tmp_path: Path, config: object, why: str
) -> None:
    tree, _, _ = opened(saved(tmp_path, state_of(model_of("GPT2Model", GPT2)), config), workshop)
    assert is_the_keys_tree(tree)
    assert len(tree.notes) == 1
    assert tree.notes[0].startswith(f"config.json beside it was not used: {why}")


def test_a_link_is_no_config(workshop: Workshop, tmp_path: Path) -> None:
    path = saved(tmp_path, state_of(model_of("GPT2Model", GPT2)))
    (tmp_path / "config.json").symlink_to(write(tmp_path / "real.json", json.dumps(GPT2).encode()))
    tree, _, _ = opened(path, workshop)
    assert is_the_keys_tree(tree)
    assert "is a link, and links are not followed" in tree.notes[0]


def test_branches_of_a_training_checkpoint_are_the_keys_tree(workshop: Workshop, tmp_path: Path) -> None:
    state = state_of(model_of("GPT2Model", GPT2))
    value = {"model": state, "optimizer": {"state": {0: {"exp_avg": torch.zeros(3)}}}}
    tree, _, _ = opened(saved_by_torch(tmp_path, value, config_of("GPT2Model", GPT2)), workshop)
    assert is_the_keys_tree(tree)
    (note,) = tree.notes
    assert note.startswith("config.json beside it was not used: 29 tensors are not in GPT2Model: 'model.wte.weight', ")


def test_without_a_config_nothing_is_noted(workshop: Workshop, tmp_path: Path) -> None:
    tree, _, _ = opened(saved(tmp_path, state_of(model_of("GPT2Model", GPT2))), workshop)
    assert is_the_keys_tree(tree)
    assert tree.notes == []


def test_a_tree_over_the_limit_is_not_used(workshop: Workshop, tmp_path: Path) -> None:
    state = {"wte.weight": torch.ones(11, 8)}
    path = saved(tmp_path, state, config_of("GPT2Model", GPT2))
    tree = best_tree(path, read_checkpoint(path), Limits(max_modules=10), workshop)
    assert tree.notes == ["config.json beside it was not used: GPT2Model has 32 modules, the limit here is 10."]
