"""Kept trees: opened, changed, undone, found again after a stop and a start."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import torch
from sqlalchemy import insert
from torch import nn

from app.errors import (
    Invalid,
    NameRefused,
    NotFound,
    TooLarge,
)
from app.storage import open_trees
from app.storage.records import TreeRecord
from app.storage.tables import runs
from app.trees import edit
from app.trees.index import TreeIndex
from app.trees.limits import Limits
from app.trees.snapshot import load, pack
from tests.storage.kept_trees import NESTED, KeptTrees
from tests.trees.comparing import told


def facts_of(record: TreeRecord) -> dict[str, object]:
    return {name: getattr(record.facts, name) for name in record.facts.__struct_fields__}


def test_an_opened_tree_is_told_in_full(kept: KeptTrees) -> None:
    before = datetime.now(UTC)
    record = kept.open_nested()
    assert record.id.startswith("t_")
    assert len(record.id) == 12
    assert (record.name, record.revision, record.note, record.source) == ("LinearModel", 1, "opened", NESTED)
    assert (record.can_undo, record.can_redo, record.is_revision_fresh) == (False, False, True)
    assert before <= record.created_at == record.updated_at == record.revision_at <= datetime.now(UTC)
    facts = facts_of(record)
    assert facts.pop("fingerprint") == TreeIndex.of(edit_free(kept, record)).shapes.ids[0]
    can = facts.pop("can")
    assert (can.train, can.edit, can.forward) == (True, True, True)  # type: ignore[attr-defined]
    assert facts == {
        "class_name": "LinearModel",
        "num_modules": 3,
        "num_parameters": 6,
        "num_trainable": 6,
        "num_buffers": 0,
        "num_bytes": 24,
        "depth": 2,
    }


def edit_free(kept: KeptTrees, record: TreeRecord) -> nn.Module:
    with kept.trees.reading(record.id) as tree:
        assert tree.record == record
        assert tree.index.modules[0] is tree.module
        return tree.module


def test_a_tree_has_the_name_that_it_is_given_or_one_from_its_source(kept: KeptTrees) -> None:
    assert kept.trees.open(NESTED, "my <b>tree</b>\n").name == "my <b>tree</b>\n"
    assert kept.trees.open({"kind": "grid", "branching": 2, "depth": 3}).name == "grid 2 × 3"


def test_a_large_spec_is_kept_as_the_tree_only(kept: KeptTrees) -> None:
    children: dict[str, Any] = {f"a child with quite a long name {number}": {} for number in range(900)}
    record = kept.trees.open({"kind": "linear", "root": {"children": children}, "forward": "own"})
    assert len(kept.told(record.id)) == 901
    large = {"children": {name * 3: spec for name, spec in children.items()}}
    record = kept.trees.open({"kind": "linear", "root": large, "forward": "own"})
    assert record.source == {"kind": "linear", "root": None, "forward": "own"}
    kept.restart()
    assert len(kept.told(record.id)) == 901


def test_what_cannot_be_opened_leaves_nothing(kept: KeptTrees) -> None:
    for source, error in (
        ({"kind": "linear", "root": 1}, Invalid),
        ({"kind": "linear", "root": {"children": {"a.b": {}}}}, NameRefused),
        ({"kind": "grid", "branching": 1_000, "depth": 1}, TooLarge),
    ):
        with pytest.raises(error):
            kept.trees.open(source)
    assert (kept.trees.newest(10), kept.files()) == (([], None), set())


def test_trees_are_listed_newest_first_in_pages(kept: KeptTrees) -> None:
    ids = [kept.open_nested().id for _ in range(5)]
    assert kept.trees.count() == 5
    for limit in (1, 2, 3, 5, 6):
        listed: list[str] = []
        before: int | None = None
        while True:
            page, before = kept.trees.newest(limit, before)
            assert len(page) <= limit
            listed.extend(record.id for record in page)
            if before is None:
                break
        assert listed == ids[::-1]


def test_everything_is_there_after_a_stop_and_a_start(kept: KeptTrees) -> None:
    tree_id = kept.open_nested().id
    kept.register(tree_id, "a", [1])
    kept.trees.edit(tree_id, lambda tree: edit.train(tree.module, "sub1", False), note="eval")
    kept.trees.rename(tree_id, "mine")
    kept.trees.undo(tree_id)
    record, tree, history = kept.trees.get(tree_id), kept.told(tree_id), kept.trees.history(tree_id)
    kept.restart()
    assert kept.trees.get(tree_id) == record
    assert kept.told(tree_id) == tree
    assert kept.trees.history(tree_id) == history
    assert [(entry.revision, entry.parent, entry.note) for entry in history] == [
        (3, 2, "eval"),
        (2, 1, "register_buffer('a')"),
        (1, None, "opened"),
    ]
    assert kept.trees.redo(tree_id).revision == 3


MISSING: list[Callable[[KeptTrees], object]] = [
    lambda kept: kept.trees.get("t_missing"),
    lambda kept: kept.told("t_missing"),
    lambda kept: kept.register("t_missing", "a", 1),
    lambda kept: kept.trees.undo("t_missing"),
    lambda kept: kept.trees.redo("t_missing"),
    lambda kept: kept.trees.rename("t_missing", "x"),
    lambda kept: kept.trees.delete("t_missing"),
    lambda kept: kept.trees.history("t_missing"),
    lambda kept: kept.trees.snapshot("t_missing"),
]


@pytest.mark.parametrize("ask", MISSING)
def test_a_tree_that_is_not_there_is_named(kept: KeptTrees, ask: Callable[[KeptTrees], object]) -> None:
    with pytest.raises(NotFound, match="There is no tree 't_missing'"):
        ask(kept)


def test_a_deleted_tree_is_gone_with_its_files_and_the_others_stay(kept: KeptTrees) -> None:
    tree_id, other = kept.open_nested().id, kept.open_nested().id
    kept.register(tree_id, "a", 1)
    assert len(kept.files()) == 3
    kept.trees.delete(tree_id)
    assert len(kept.files()) == 1
    for _ in range(2):
        with pytest.raises(NotFound):
            kept.trees.get(tree_id)
        assert [record.id for record in kept.trees.newest(10)[0]] == [other]
        assert len(kept.told(other)) == 3
        kept.restart()


def test_what_a_run_still_needs_is_not_deleted_with_its_tree(kept: KeptTrees) -> None:
    tree_id = kept.open_nested().id
    start = kept.trees.snapshot(tree_id)
    at = datetime.now(UTC)
    row: dict[str, Any] = dict.fromkeys(("tree_name", "status", "config"), "x")
    row |= {"id": "r_1", "tree": tree_id, "number": 1, "tree_revision": 1, "epochs": 1, "epochs_done": 0}
    row |= {"structure": start.structure, "start_tensors": start.tensors, "last_event": 0, "created_at": at}
    with kept.database.write() as connection:
        connection.execute(insert(runs).values(**row))
    kept.trees.delete(tree_id)
    kept.restart()
    assert kept.files() == {start.tensors}


def test_files_that_nothing_refers_to_are_swept_at_the_start(kept: KeptTrees) -> None:
    tree_id = kept.open_nested().id
    before = kept.files()
    kept.directory.tensors.save({"left": torch.zeros(1)})
    (kept.directory.tensors.directory / "cut.safetensors.partial").write_bytes(b"x")
    kept.restart()
    assert kept.files() == before
    assert len(kept.told(tree_id)) == 3


def test_a_snapshot_is_the_present_revision_as_it_is_kept(kept: KeptTrees) -> None:
    tree_id = kept.open_nested().id
    kept.register(tree_id, "a", [[1, 2]])
    kept.register(tree_id, "b", 1)
    kept.trees.undo(tree_id)
    snapshot = kept.trees.snapshot(tree_id)
    assert snapshot.revision == 2
    assert told(load(snapshot.structure, kept.directory.tensors.load(snapshot.tensors))) == kept.told(tree_id)


def test_trees_that_leave_the_memory_come_back_from_the_disk(kept: KeptTrees, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_trees, "MAX_OPEN_MODULES", 6)
    ids = [kept.open_nested().id for _ in range(5)]
    for number, tree_id in enumerate(ids):
        kept.register(tree_id, "number", number)
    for number, tree_id in enumerate(ids):
        with kept.trees.reading(tree_id) as tree:
            assert tree.module.get_buffer("number").item() == number
    assert [kept.trees._open.get(tree_id) is not None for tree_id in ids] == [False] * 3 + [True] * 2


def test_a_chain_of_20000_is_kept_and_found_again(tmp_path: Path) -> None:
    kept = KeptTrees(tmp_path, Limits())
    source = {"kind": "grid", "branching": 1, "depth": 20_000, "seed": 1, "forward": "chain"}
    record = kept.trees.open(source)
    with kept.trees.reading(record.id) as tree:
        values, y = pack(tree.index), edit.forward(tree.module, [1.0])
    kept.restart()
    assert kept.trees.get(record.id).facts.depth == 20_000
    with kept.trees.reading(record.id) as tree:
        assert torch.equal(pack(tree.index)["float32"], values["float32"])
        assert torch.equal(edit.forward(tree.module, [1.0]), y)
    kept.close()


def test_a_tree_larger_than_the_memory_for_all_is_read_all_the_same(
    kept: KeptTrees, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_trees, "MAX_OPEN_MODULES", 2)
    tree_id = kept.open_nested().id
    assert len(kept.told(tree_id)) == 3
    kept.register(tree_id, "a", 1)
    assert len(kept.told(tree_id)) == 3
