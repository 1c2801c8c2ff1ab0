"""Configs to begin with: what decides the architecture of models that everybody knows, and nothing else."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

GPT2: Mapping[str, object] = {
    "model_type": "gpt2",
    "architectures": ["GPT2LMHeadModel"],
    "n_layer": 12,
    "n_head": 12,
    "n_embd": 768,
    "n_positions": 1024,
    "vocab_size": 50257,
}
BERT: Mapping[str, object] = {
    "model_type": "bert",
    "architectures": ["BertModel"],
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "max_position_embeddings": 512,
    "vocab_size": 30522,
}
LLAMA_405B: Mapping[str, object] = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "num_hidden_layers": 126,
    "num_attention_heads": 128,
    "num_key_value_heads": 8,
    "hidden_size": 16384,
    "intermediate_size": 53248,
    "max_position_embeddings": 131072,
    "vocab_size": 128256,
    "tie_word_embeddings": False,
    "dtype": "bfloat16",
}


@dataclass(frozen=True, slots=True)
class ConfigExample:
    """A config to begin with: the name of its tree, and its text."""

    key: str
    name: str
    num_parameters: str
    text: str


def _text(config: Mapping[str, object]) -> str:
    lines = (f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in config.items())
    return "{\n" + ",\n".join(lines) + "\n}"


EXAMPLES: Mapping[str, ConfigExample] = {
    key: ConfigExample(key, name, size, _text(config))
    for key, name, size, config in (
        ("gpt2", "gpt2", "124.4\u2009M", GPT2),
        ("bert-base", "bert-base", "109.5\u2009M", BERT),
        ("llama-405b", "Llama-3.1-405B", "405.9\u2009B", LLAMA_405B),
    )
}
