"""A folder of checkpoints, as a server may be given one."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

METADATA = {"format": "pt", "config": '{"layers": [8, 16], "name": "<b>x</b>"}', "odd\u202ekey": "two\nlines"}


def write_checkpoints(folder: Path) -> dict[str, Tensor]:
    """Write one of each kind below a folder and return the tensors that all of them hold but the broken one."""
    torch.manual_seed(0)
    state = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.BatchNorm1d(16), nn.Linear(16, 4)).state_dict()
    for name in ("gpt2", "big", "runs"):
        (folder / name).mkdir(parents=True)
    save_file(state, folder / "gpt2" / "model.safetensors", metadata=METADATA)
    optimizer = {"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 0.1}]}
    torch.save({"model": state, "optimizer": optimizer}, folder / "runs" / "last.pt")
    _write_shards(folder / "big", state)
    (folder / "broken.safetensors").write_bytes((16).to_bytes(8, "little") + b'{"a": 1}')
    (folder / "link.safetensors").symlink_to(folder / "gpt2" / "model.safetensors")
    return state


def _write_shards(folder: Path, state: dict[str, Tensor]) -> None:
    names = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    weight_map = {key: names[at % 2] for at, key in enumerate(state)}
    for name in names:
        save_file({key: state[key] for key in state if weight_map[key] == name}, folder / name)
    index = {"metadata": {}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
