"""Trees that are known by their structure: kept as they were opened, and told apart from those that are live."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from app.errors import CannotDo, NotAllowed, NotFound, UnreadableFile
from app.storage.records import TreeRecord
from app.storage.trees import OpenTree
from app.trees.edit import register_buffer
from app.trees.limits import Limits
from app.trees.origin import Origin
from app.trees.skeleton import skeleton
from app.trees.sources.checkpoint.readings import Readings
from app.trees.sources.opening import Sources
from app.trees.sources.workshop import Workshop
from app.trees.texts import repr_of
from app.trees.views import named_buffers, named_modules, named_parameters
from tests.storage.kept_trees import NESTED, KeptTrees

TRANSFORMER = {"kind": "factory", "target": "torch.nn:Transformer", "kwargs": {"d_model": 8, "nhead": 2}}


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    workshop = Workshop()
    workshop.start()
    yield workshop
    workshop.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of checkpoints: a `.safetensors` file, an index with shards, and a `.pt` file."""
    root = tmp_path / "root"
    root.mkdir()
    state = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).state_dict()
    save_file(state, root / "model.safetensors", {"format": "pt", "by": "a test"})
    torch.save({"model": state, "tied": [state["0.weight"]], "epoch": 3}, root / "model.pt")
    save_file({"a": torch.zeros(2)}, root / "1.safetensors")
    save_file({"b": torch.ones(2)}, root / "2.safetensors")
    index = {"weight_map": {"a": "1.safetensors", "b": "2.safetensors"}}
    (root / "model.safetensors.index.json").write_text(json.dumps(index))
    return root


@pytest.fixture
def kept(tmp_path: Path, root: Path, workshop: Workshop) -> Iterator[KeptTrees]:
    kept = KeptTrees(tmp_path / "data", roots=[root])
    kept.sources = Sources(Limits(max_modules=1_000, max_depth=100), workshop, Readings(), roots=[root])
    kept.restart()
    yield kept
    kept.close()


def checkpoint(path: str) -> dict[str, Any]:
    return {"kind": "checkpoint", "path": path}


SOURCES = {
    "factory": TRANSFORMER,
    "safetensors": checkpoint("model.safetensors"),
    "shards": checkpoint("model.safetensors.index.json"),
    "torch": checkpoint("model.pt"),
}
every_source = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)


def told(kept: KeptTrees, tree_id: str) -> tuple[Origin, list[bytes], str]:
    """All that is told of a tree, by every list and text."""
    with kept.trees.reading(tree_id) as tree:
        lists = [
            msgspec.json.encode([named_modules(tree.index, remove_duplicate=False).items]),
            msgspec.json.encode([named_parameters(tree.index, remove_duplicate=False).items]),
            msgspec.json.encode([named_buffers(tree.index, remove_duplicate=False).items]),
            skeleton(tree.index, 1),
        ]
        return tree.origin, lists, repr_of(tree.index)


@every_source
def test_a_described_tree_is_told_the_same_after_a_restart(kept: KeptTrees, source: dict[str, Any]) -> None:
    record = kept.trees.open(source)
    before = told(kept, record.id)
    kept.restart()
    assert kept.trees.get(record.id) == record
    assert told(kept, record.id) == before


@every_source
def test_what_needs_the_live_modules_cannot_be_done(kept: KeptTrees, source: dict[str, Any]) -> None:
    record = kept.trees.open(source, "mine")
    for _ in range(2):
        assert (record.facts.can.train, record.facts.can.edit, record.facts.can.forward) == (False, False, False)
        with pytest.raises(
            CannotDo, match=f"'mine' was opened from a {source['kind']}, so only its structure is known"
        ):
            kept.register(record.id, "x", 1)
        with pytest.raises(CannotDo, match="only its structure"), kept.trees.reading(record.id) as tree:
            register_buffer(tree.module, "", "x", 1)
        for step in (kept.trees.undo, kept.trees.redo):
            with pytest.raises(CannotDo, match="There is nothing to"):
                step(record.id)
        assert kept.trees.get(record.id) == record
        assert [entry.revision for entry in kept.trees.history(record.id)] == [1]
        kept.restart()


@every_source
def test_a_described_tree_is_renamed_and_deleted_as_any_other(kept: KeptTrees, source: dict[str, Any]) -> None:
    live, record = kept.open_nested(), kept.trees.open(source)
    before, files = told(kept, record.id), kept.files()
    assert kept.trees.rename(record.id, "another").name == "another"
    for _ in range(2):
        assert (kept.trees.get(record.id).name, told(kept, record.id)) == ("another", before)
        kept.restart()
    kept.trees.delete(record.id)
    for _ in range(2):
        with pytest.raises(NotFound):
            kept.trees.get(record.id)
        assert ([each.id for each in kept.trees.newest(10)[0]], kept.files()) == ([live.id], files)
        assert len(kept.told(live.id)) == 3
        kept.restart()


def test_a_checkpoint_under_a_root_is_left_where_it_is(kept: KeptTrees, root: Path) -> None:
    before = {path.name: path.read_bytes() for path in root.iterdir()}
    for name in ("model.safetensors", "model.pt", "model.safetensors.index.json"):
        record = kept.trees.open(checkpoint(name))
        assert record.source == checkpoint(name)
        assert list(kept.directory.uploads.directory.iterdir()) == []
        kept.trees.delete(record.id)
    assert {path.name: path.read_bytes() for path in root.iterdir()} == before


def values(tree: OpenTree, path: str) -> object:
    return tree.index.data.page(tree.index.parameters, tree.index.parameter(path), 0, 10).values


def test_values_are_read_after_a_restart_and_not_from_a_file_that_has_changed(kept: KeptTrees, root: Path) -> None:
    record = kept.trees.open(checkpoint("2.safetensors"))
    kept.restart()
    with kept.trees.reading(record.id) as tree:
        assert values(tree, "b") == [1, 1]
    before = told(kept, record.id)[0]
    save_file({"b": torch.zeros(2)}, root / "2.safetensors")
    kept.restart()
    with kept.trees.reading(record.id) as tree, pytest.raises(UnreadableFile, match="has changed since"):
        values(tree, "b")
    (root / "2.safetensors").unlink()
    kept.restart()
    with kept.trees.reading(record.id) as tree, pytest.raises(UnreadableFile, match="put it back to see values"):
        values(tree, "b")
    assert told(kept, record.id)[0] == before


def test_a_tree_outlives_its_root(kept: KeptTrees, root: Path) -> None:
    record = kept.trees.open(checkpoint("model.safetensors"))
    shutil.rmtree(root)
    kept.restart()
    with kept.trees.reading(record.id) as tree:
        assert tree.index.totals.num_parameters[0] == record.facts.num_parameters
    assert tree.origin.metadata == {"format": "pt", "by": "a test"}


def test_what_cannot_be_opened_leaves_nothing(kept: KeptTrees, root: Path) -> None:
    (root / "cut.safetensors").write_bytes((root / "model.safetensors").read_bytes()[:-1])
    for path, error in (("cut.safetensors", UnreadableFile), ("none.pt", NotFound), ("/etc/passwd", NotAllowed)):
        with pytest.raises(error):
            kept.trees.open(checkpoint(path))
    assert (kept.trees.newest(10), kept.files()) == (([], None), set())


def test_live_and_described_trees_stay_apart_after_a_restart(kept: KeptTrees) -> None:
    records: list[TreeRecord] = [kept.trees.open(source) for source in (NESTED, checkpoint("model.pt"), NESTED)]
    kept.register(records[2].id, "x", 1)
    kept.restart()
    are_live = []
    for record in records:
        with kept.trees.reading(record.id) as tree:
            are_live.append(tree.index.is_live)
    assert are_live == [True, False, True]
    kept.trees.undo(records[2].id)
