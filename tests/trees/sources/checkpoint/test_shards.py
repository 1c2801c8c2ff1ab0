import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from app.errors import NotFound, TooLarge, UnreadableFile
from app.trees.sources.checkpoint.contents import Contents
from app.trees.sources.checkpoint.limits import HeaderLimits
from app.trees.sources.checkpoint.ranges import read_page
from app.trees.sources.checkpoint.shards import read_shards

LIMITS = HeaderLimits()
ONE, TWO = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint of two shards with three tensors of 24 bytes each."""
    save_file({"a.weight": torch.arange(6.0), "b.weight": torch.ones(6)}, tmp_path / ONE, {"format": "pt"})
    save_file({"c.weight": torch.full((2, 3), 7.0)}, tmp_path / TWO, {"format": "pt"})
    return tmp_path


def index(folder: Path, weight_map: object = None, **metadata: object) -> Path:
    path = folder / "model.safetensors.index.json"
    weight_map = {"a.weight": ONE, "b.weight": ONE, "c.weight": TWO} if weight_map is None else weight_map
    path.write_text(json.dumps({"metadata": {"total_size": 72} | metadata, "weight_map": weight_map}))
    return path


def refusal(path: Path) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read_shards(path, LIMITS)
    return caught.value.detail


def shard_of(contents: Contents, name: str) -> str:
    return contents.files[contents.file[contents.name.index(name)]].name


def test_shards_are_one_checkpoint(folder: Path) -> None:
    contents = read_shards(index(folder, note="two"), LIMITS)
    assert contents.name == ["a.weight", "b.weight", "c.weight"]
    assert [shard_of(contents, name) for name in contents.name] == [ONE, ONE, TWO]
    assert contents.stored_bytes == 72
    assert contents.metadata == {"format": "pt", "total_size": "72", "note": "two"}
    assert contents.notes == []
    assert read_page(folder, contents.place(2), 4, 10).values == [7.0, 7.0]


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd.safetensors", "../x.safetensors", "a/b.safetensors", "a\\b.safetensors", "model.bin", "", "..",
     "x\0.safetensors", "\n.safetensors", "a" * 256 + ".safetensors"],
)  # fmt: skip
def test_shard_that_is_not_a_plain_name_is_refused(folder: Path, name: str) -> None:
    assert "a shard is a plain name" in refusal(index(folder, {"a.weight": name}))


def test_shard_that_is_a_link_is_not_followed(folder: Path) -> None:
    (folder / TWO).rename(folder / "elsewhere")
    (folder / TWO).symlink_to("elsewhere")
    assert f"{TWO!r} is a link" in refusal(index(folder))


def test_shard_that_is_a_pipe_is_refused_at_once(folder: Path) -> None:
    (folder / TWO).unlink()
    os.mkfifo(folder / TWO)
    assert f"{TWO!r} is not a regular file" in refusal(index(folder))


def test_every_missing_shard_is_named(folder: Path) -> None:
    (folder / ONE).unlink()
    (folder / TWO).unlink()
    assert refusal(index(folder)) == f"2 of 2 shards are not beside the index: {ONE!r}, {TWO!r}."


def test_every_tensor_that_is_elsewhere_or_nowhere_is_named(folder: Path) -> None:
    path = index(folder, {"a.weight": TWO, "b.weight": ONE, "c.weight": TWO, "d.weight": ONE})
    with pytest.raises(UnreadableFile) as caught:
        read_shards(path, LIMITS)
    assert [error.msg for error in caught.value.errors] == [
        f"tensor 'a.weight' is in {ONE!r}, the index says {TWO!r}",
        f"tensor 'd.weight' is not in {ONE!r}",
    ]


def test_tensor_in_two_shards_is_refused(folder: Path) -> None:
    save_file({"c.weight": torch.ones(6), "a.weight": torch.ones(6)}, folder / TWO)
    assert f"tensor 'a.weight' is in two shards, the second is {TWO!r}" in refusal(index(folder))


def test_unlisted_tensor_in_two_shards_is_refused(folder: Path) -> None:
    assert "not in the index" in refusal(
        index(folder, {"c.weight": TWO, "a.weight": ONE}) if save_both(folder) else folder
    )


def save_both(folder: Path) -> bool:
    """Put a tensor that the index leaves out into both shards."""
    save_file({"a.weight": torch.ones(6), "x": torch.ones(1)}, folder / ONE)
    save_file({"c.weight": torch.ones(6), "x": torch.ones(1)}, folder / TWO)
    return True


def test_wrong_total_and_unlisted_tensors_are_noted(folder: Path) -> None:
    contents = read_shards(index(folder, {"a.weight": ONE, "c.weight": TWO}, total_size=48), LIMITS)
    assert contents.notes == [
        "The index says total_size '48'; the tensors have 72 bytes.",
        "1 tensors are in the shards, and not in the index: 'b.weight'.",
    ]


def test_broken_shard_is_named(folder: Path) -> None:
    (folder / TWO).write_bytes((folder / TWO).read_bytes()[:-1])
    assert refusal(index(folder)).startswith(f"{TWO!r} is not a safetensors file")


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b'{"weight_map":[]}', b'{"weight_map":{"a":1}}', b'{"weight_map":{}}', b"\xff",
             b'{"weight_map":{"a":"b"},"metadata":' + b"[" * 100_000]
)  # fmt: skip
def test_what_is_not_an_index_is_refused(folder: Path, text: bytes) -> None:
    path = folder / "model.safetensors.index.json"
    path.write_bytes(text)
    refusal(path)


def test_limits_hold(folder: Path) -> None:
    path = index(folder)
    for limits in (HeaderLimits(max_header_bytes=100), HeaderLimits(max_shards=1), HeaderLimits(max_tensors=2)):
        with pytest.raises(TooLarge):
            read_shards(path, limits)


def test_absent_index_is_not_found(folder: Path) -> None:
    with pytest.raises(NotFound):
        read_shards(folder / "absent.index.json", LIMITS)


def test_values_of_a_shard_that_has_changed_are_not_read(folder: Path) -> None:
    contents = read_shards(index(folder), LIMITS)
    save_file({"c.weight": torch.zeros(2, 3)}, folder / TWO)
    with pytest.raises(UnreadableFile, match="has changed since its header was read"):
        read_page(folder, contents.place(2), 0, 1)
