"""`moduletree tree`, run as a person runs it."""

import json
from pathlib import Path

import msgspec
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from app.terminal.named import named
from app.terminal.opened import open_named
from app.trees.fold import fold
from tests.commands import moduletree, refused

HOSTILE = "a\x1b[31mb\r\n[bold red]:smile:\u202e"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with models of each kind."""
    folder = tmp_path_factory.mktemp("models")
    blocks = nn.Sequential(*[nn.Sequential(nn.Linear(64, 64), nn.LayerNorm(64)) for _ in range(3)])
    save_file(
        {**blocks.state_dict(prefix="h."), f"{HOSTILE}.weight": torch.zeros(2)},
        folder / "model.safetensors",
        {"format": "pt"},
    )
    torch.save(blocks.state_dict(), folder / "blocks.pt")
    (folder / "gpt2").mkdir()
    (folder / "gpt2" / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    (folder / "mymodels.py").write_text(
        "from torch import nn\n\n\ndef make_net(depth):\n"
        "    return nn.Sequential(*[nn.Linear(4, 4) for _ in range(depth)])\n"
    )
    (folder / "broken.safetensors").write_bytes(b"\0" * 100)
    return folder


def test_a_checkpoint_is_printed_as_plain_text_into_a_pipe(folder: Path) -> None:
    done = moduletree("tree", str(folder), "--parameters", COLUMNS="20")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert all(line.isprintable() for line in lines)
    assert any(r"(a\x1b[31mb\r\n[bold red]:smile:\u202e): ?" in line for line in lines)
    assert any("(0-2): 3 x ?" in line and line.endswith("12.9 k") for line in lines)
    assert any("weight: (64, 64) float32" in line for line in lines)
    assert lines[-1].split() == ["12,866", "parameters"]


def test_json_is_the_folded_tree_of_the_api(folder: Path) -> None:
    path = str(folder / "blocks.pt")
    done = moduletree("tree", path, "--json", "--depth", "1", "--target", "1")
    index, _ = open_named(named(path))
    assert json.loads(done.stdout) == msgspec.to_builtins(fold(index, index.row("1"), max_depth=1))


def test_a_callable_of_the_present_folder_is_called(folder: Path) -> None:
    done = moduletree("tree", "mymodels:make_net", "--kwargs", '{"depth": 12}', cwd=folder)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[1].split() == [
        "└──",
        "(0-11):",
        "12",
        "x",
        "Linear(in_features=4,",
        "out_features=4,",
        "bias=True)",
        "240",
    ]


def test_a_config_gives_the_published_counts(folder: Path) -> None:
    done = moduletree("tree", str(folder / "gpt2"))
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["GPT2LMHeadModel", "124.4", "M"]
    assert any("(0-11): 12 x GPT2Block" in line for line in lines)
    assert any("weight tied to transformer.wte.weight" in line for line in lines)
    assert lines[-1].split() == ["124,439,808", "parameters"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nosuch.safetensors",), "There is no file 'nosuch.safetensors'."),
        (("a\nb\x1b[31m",), r"There is no file 'a\nb\x1b[31m'."),
        (("m:f", "--kwargs", "{"), "--kwargs is '{', expected a JSON object"),
        (("m:f", "--find", "x", "--depth", "1"), "--depth and --parameters do not go with it"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    assert said in refused("tree", *arguments, cwd=tmp_path)


def test_a_file_that_is_broken_is_told_in_one_line(folder: Path) -> None:
    assert "'broken.safetensors'" in refused("tree", str(folder / "broken.safetensors"))
