"""Configs: published counts, what is tied, what is stripped, and what is out of bounds."""

import sys
from typing import Any

import pytest
import torch
from torch import nn

from app.errors import CannotDo, Invalid
from app.trees.describe import describe
from app.trees.index import TreeIndex
from app.trees.sources.building import BuildLimits
from app.trees.sources.config import build_config, check_config, strip
from tests.trees.sources.configs import LLAMA_405B

LIMITS = BuildLimits()


def build(config: object, **more: object) -> nn.Module:
    return build_config({"kind": "config", "config": config, **more}, LIMITS).module


def num_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("config", "name", "count"),
    [
        ({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}, "GPT2LMHeadModel", 124_439_808),
        ({"model_type": "gpt2"}, "GPT2LMHeadModel", 124_439_808),
        ({"model_type": "bert"}, "BertModel", 109_482_240),
        ({"model_type": "bert", "architectures": ["BertModel"]}, "BertModel", 109_482_240),
        ({"model_type": "bert", "architectures": ["BertForMaskedLM"]}, "BertForMaskedLM", 109_514_298),
        (LLAMA_405B, "LlamaForCausalLM", 405_853_388_800),
        ({"model_type": "vit"}, "ViTModel", 86_389_248),
        ({"model_type": "t5"}, "T5ForConditionalGeneration", 60_506_624),
        ({"model_type": "mixtral"}, "MixtralForCausalLM", 46_702_792_704),
    ],
)
def test_published_counts_come_out(config: dict[str, Any], name: str, count: int) -> None:
    module = build(config)
    assert type(module).__name__ == name
    assert num_parameters(module) == count
    assert all(tensor.is_meta for tensor in [*module.parameters(), *module.buffers()])


@pytest.mark.parametrize(("kind", "name"), [("siglip_text_model", "SiglipTextModel"), ("qwen3_5", "Qwen3_5Model")])
def test_the_class_is_one_that_takes_the_whole_config(kind: str, name: str) -> None:
    assert type(build({"model_type": kind})).__name__ == name


@pytest.mark.parametrize("kind", ["gpt2", "bert", "vit", "whisper", "t5", "mixtral"])
def test_every_submodule_counts_as_torch_does(kind: str) -> None:
    index = TreeIndex.of(build({"model_type": kind}))
    for row, module in enumerate(index.modules):
        assert index.totals.num_parameters[row] == num_parameters(module)
        trainable = sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)
        assert index.totals.num_trainable[row] == trainable


def test_the_head_of_gpt2_is_tied_and_counted_once() -> None:
    module = build({"model_type": "gpt2"})
    assert module.get_parameter("lm_head.weight") is module.get_parameter("transformer.wte.weight")
    found = describe(module, max_modules=1_000, max_depth=100)
    same = [
        found.parameters.same[at]
        for at, owner in enumerate(found.parameters.owner)
        if (found.name[owner], found.parameters.name[at]) in {("lm_head", "weight"), ("wte", "weight")}
    ]
    assert same[0] == same[1]


def test_a_head_is_not_tied_where_the_config_says_so() -> None:
    module = build({"model_type": "gpt2", "tie_word_embeddings": False})
    assert module.get_parameter("lm_head.weight") is not module.get_parameter("transformer.wte.weight")


def test_the_dtype_is_that_of_the_config() -> None:
    assert next(build(LLAMA_405B).parameters()).dtype is torch.bfloat16
    assert next(build({"model_type": "gpt2", "dtype": "float16"}).parameters()).dtype is torch.float16


def test_another_class_of_the_same_type_can_be_asked_for() -> None:
    config = {"model_type": "bert", "architectures": ["BertForMaskedLM"]}
    assert num_parameters(build(config, architecture="BertModel")) == 109_482_240
    with pytest.raises(Invalid, match=r"source.architecture: expected one of BertForMaskedLM, .*, got 'GPT2Model'"):
        build(config, architecture="GPT2Model")


@pytest.mark.parametrize("name", ["MyOwnModel", "GPT2Model", "os.system", "", 3, None, ["BertModel"]])
def test_an_architecture_that_the_type_has_not_is_passed_over(name: object) -> None:
    assert type(build({"model_type": "bert", "architectures": [name]})).__name__ == "BertModel"


def test_code_files_and_backends_are_stripped_at_every_depth() -> None:
    dirty = {
        "auto_map": {"AutoModel": "evil.Model"},
        "trust_remote_code": True,
        "_name_or_path": "/etc/passwd",
        "quantization_config": {"quant_method": "bitsandbytes"},
        "attn_implementation": "kernels-community/evil",
        "_attn_implementation": "evil",
        "_experts_implementation_internal": "evil",
        "hidden_size": 8,
    }
    assert strip(dirty) == {"hidden_size": 8}
    assert strip({"text_config": dirty, "list": [{"deep": dirty}]}) == {
        "text_config": {"hidden_size": 8},
        "list": [{"deep": {"hidden_size": 8}}],
    }
    assert num_parameters(build({"model_type": "gpt2", **dirty, "hidden_size": 768})) == 124_439_808


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ({"num_labels": 10**9}, ["num_labels"]),
        ({"n_layer": 10**9}, ["n_layer"]),
        ({"num_hidden_layers": 10**9}, ["num_hidden_layers"]),
        ({"num_local_experts": 10**9}, ["num_local_experts"]),
        ({"encoder_layers": 10**9}, ["encoder_layers"]),
        ({"depths": [2, 10**9]}, ["depths", 1]),
        ({"text_config": {"num_hidden_layers": 10**9}}, ["text_config", "num_hidden_layers"]),
        ({"vocab_size": 10**19}, ["vocab_size"]),
        ({"dtype": "load"}, ["dtype"]),
        ({"torch_dtype": ["float32"]}, ["torch_dtype"]),
        ({"label2id": {str(at): at for at in range(200_000)}}, []),
        ({"x": "y" * 200_000}, ["x"]),
    ],
)
def test_numbers_that_python_objects_are_made_of_are_bounded_first(config: dict[str, Any], place: list[Any]) -> None:
    with pytest.raises(Invalid) as error:
        check_config({"config": {"model_type": "gpt2", **config}}, LIMITS)
    assert [misfit.loc for misfit in error.value.errors] == [("source", "config", *place)]


def test_large_vocabularies_and_contexts_are_no_trouble() -> None:
    module = build({"model_type": "gpt2", "vocab_size": 10**9, "n_positions": 10**7})
    assert num_parameters(module) > 768 * 10**9


def test_a_config_that_nests_without_end_is_refused() -> None:
    deep: Any = {}
    for _ in range(100):
        deep = {"a": deep}
    with pytest.raises(Invalid, match="nested deeper than 16 levels"):
        check_config({"config": deep}, LIMITS)


@pytest.mark.parametrize("config", [None, [], "gpt2", 3])
def test_a_config_that_is_no_object_is_refused(config: object) -> None:
    with pytest.raises(Invalid, match=r"source.config: expected the object of a config.json"):
        check_config({"config": config}, LIMITS)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({}, "source.config.model_type: expected a type that the installed transformers knows, got null"),
        ({"model_type": "gpt3"}, "did you mean 'gptj' or 'gpt2'"),
        ({"model_type": ["gpt2"]}, "got a list of 1"),
        ({"model_type": "gpt2", "n_layer": "x"}, "transformers refuses this config: "),
        ({"model_type": "gpt2", "n_head": 7}, "GPT2LMHeadModel raised ValueError: "),
        ({"model_type": "timm_backbone"}, "timm"),
    ],
)
def test_a_config_that_cannot_be_built_says_why(config: dict[str, Any], says: str) -> None:
    with pytest.raises(Invalid) as error:
        build(config)
    assert says in error.value.detail


def test_without_transformers_there_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers.modeling_utils", None)
    with pytest.raises(CannotDo, match=r"^Trees of configs need the package transformers: pip install "):
        build({"model_type": "gpt2"})
