"""A source that is opened at every start of a server: its tree is there once, as long as it is the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from app.errors import UnreadableFile
from tests.storage.kept_trees import NESTED, KeptTrees


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[KeptTrees]:
    kept = KeptTrees(tmp_path / "data", roots=[tmp_path])
    yield kept
    kept.close()


@pytest.fixture
def source(tmp_path: Path) -> dict[str, object]:
    save_file({"fc.weight": torch.zeros(2)}, tmp_path / "model.safetensors")
    return {"kind": "checkpoint", "path": "model.safetensors"}


def test_the_same_source_is_the_same_tree_also_after_a_restart(kept: KeptTrees, source: dict[str, object]) -> None:
    first = kept.trees.open_again(source)
    kept.trees.rename(first.id, "mine")
    assert kept.trees.open_again(source).id == first.id
    kept.restart()
    again = kept.trees.open_again(source)
    assert (again.id, again.name, kept.trees.count()) == (first.id, "mine", 1)


def test_of_several_it_is_the_newest(kept: KeptTrees, source: dict[str, object]) -> None:
    kept.trees.open(source)
    newest = kept.trees.open(source)
    kept.trees.open({**source, "path": str(kept.folder.parent / "model.safetensors")})
    assert kept.trees.open_again(source).id == newest.id


def test_a_file_that_has_changed_is_another_tree(kept: KeptTrees, source: dict[str, object], tmp_path: Path) -> None:
    first = kept.trees.open_again(source)
    save_file({"fc.weight": torch.ones(2)}, tmp_path / "model.safetensors")
    second = kept.trees.open_again(source)
    assert second.id != first.id
    assert kept.trees.open_again(source).id == second.id


def test_a_file_that_cannot_be_read_any_more_is_told(
    kept: KeptTrees, source: dict[str, object], tmp_path: Path
) -> None:
    kept.trees.open_again(source)
    (tmp_path / "model.safetensors").write_bytes(b"\0" * 20)
    with pytest.raises(UnreadableFile):
        kept.trees.open_again(source)
    assert kept.trees.count() == 1


def test_what_can_be_changed_is_opened_anew(kept: KeptTrees) -> None:
    assert kept.trees.open_again(NESTED).id != kept.trees.open_again(NESTED).id
