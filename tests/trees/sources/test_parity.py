"""Totals and names at every submodule, of trees that are known by their description, against torch's own walks."""

import warnings
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
import torch
import transformers
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from app.trees import views
from app.trees.describe import describe
from app.trees.description import Description
from app.trees.index import TreeIndex
from app.trees.sources.workshop import Workshop
from app.trees.state_dict import state_dict
from tests.api.client import TreeClient
from tests.live import LiveServer
from tests.models import ZOO, Maker

KINDS = {
    "gpt2": "GPT2LMHeadModel",
    "bert": "BertModel",
    "vit": "ViTModel",
    "whisper": "WhisperForConditionalGeneration",
    "t5": "T5ForConditionalGeneration",
    "mixtral": "MixtralForCausalLM",
}
TOTALS = ("num_modules", "num_parameters", "num_trainable", "num_buffers", "num_bytes")


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    workshop = Workshop()
    workshop.start()
    yield workshop
    workshop.close()


def config_of(kind: str) -> dict[str, Any]:
    return {"kind": "config", "config": {"model_type": kind}}


def reference(kind: str) -> nn.Module:
    """The model of a type with the sizes that transformers gives it, as transformers itself makes it."""
    with torch.device("meta"):
        module: nn.Module = getattr(transformers, KINDS[kind])(transformers.CONFIG_MAPPING[kind]())
    return module


def totals_of(module: nn.Module) -> dict[str, int]:
    """What torch's walks add up to."""
    parameters, buffers = list(module.parameters()), list(module.buffers())
    tensors = {id(tensor): tensor for tensor in [*parameters, *buffers]}
    return {
        "num_modules": sum(1 for _ in module.modules()),
        "num_parameters": sum(map(numel, parameters)),
        "num_trainable": sum(numel(parameter) for parameter in parameters if parameter.requires_grad),
        "num_buffers": sum(map(numel, buffers)),
        "num_bytes": sum(numel(tensor) * tensor.dtype.itemsize for tensor in tensors.values()),
    }


def numel(tensor: Tensor) -> int:
    return 0 if is_lazy(tensor) else tensor.numel()


def check(found: Description, module: nn.Module) -> None:
    """The index of a description that has travelled, at every place that torch names."""
    travelled = msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=Description)
    index = TreeIndex.from_description(travelled)
    submodules = dict(module.named_modules(remove_duplicate=False))
    assert list(index.paths(range(len(index)))) == list(submodules)
    for row, (path, submodule) in enumerate(submodules.items()):
        assert {name: getattr(index.totals, name)[row] for name in TOTALS} == totals_of(submodule), path
        assert [entry.name for entry in state_dict(index, row)] == list(submodule.state_dict(keep_vars=True)), path
    for target in ("", *list(submodules)[-1:]):
        page = views.named_parameters(index, target, remove_duplicate=False)
        parameters = dict(submodules[target].named_parameters(remove_duplicate=False))
        assert {item.name: item.shape for item in page.items} == {
            name: None if is_lazy(parameter) else list(parameter.shape) for name, parameter in parameters.items()
        }


def described(module: nn.Module) -> Description:
    return describe(module, max_modules=10_000, max_depth=1_000)


@pytest.mark.parametrize("make", ZOO.values(), ids=ZOO)
def test_an_odd_model_counts_as_torch_does_at_every_submodule(make: Maker) -> None:
    module = make()
    check(described(module), module)


def test_a_model_of_which_a_part_is_a_script_counts_as_torch_does() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        script: nn.Module = torch.jit.script(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)))
    module = nn.Sequential(script, nn.Linear(3, 1), script)
    check(described(module), module)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_of_a_config_counts_as_the_one_that_transformers_makes(workshop: Workshop, kind: str) -> None:
    check(workshop.build(config_of(kind)).description, reference(kind))


def test_a_model_of_a_config_counts_right_over_http(server: LiveServer) -> None:
    tree, module = TreeClient(server.client, config_of("gpt2")), reference("gpt2")
    opened = tree.opened.json()
    assert {name: opened[name] for name in TOTALS} == totals_of(module)
    assert opened["num_parameters"] == 124_439_808
    items = tree.items("named_modules", limit=10_000)
    assert [item["path"] for item in items] == [path for path, _ in module.named_modules()]
    for item in items:
        assert {name: item[name] for name in TOTALS} == totals_of(module.get_submodule(item["path"])), item["path"]
    answer = tree.get("state_dict", headers={"accept": "application/json"})
    assert {name: (entry["shape"], entry["dtype"]) for name, entry in entries_of(answer)} == {
        name: (list(tensor.shape), str(tensor.dtype).removeprefix("torch."))
        for name, tensor in module.state_dict().items()
    }


def entries_of(answer: httpx.Response) -> list[tuple[str, dict[str, Any]]]:
    assert answer.status_code == 200, answer.text
    return [(entry["name"], entry) for entry in answer.json()["items"]]
