"""Kept trees: opened, changed, undone, found again after a stop and a start."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from operator import eq
from pathlib import Path
from typing import Any

import pytest
import torch
from sqlalchemy import insert
from torch import nn

from app.errors import (
    CannotDo,
    Invalid,
    ModuletreeError,
    NameRefused,
    NotFound,
    RevisionMismatch,
    TargetNotFound,
    TooLarge,
)
from app.storage import trees as trees_module
from app.storage.records import TreeRecord
from app.storage.tables import runs
from app.storage.trees import OpenTree
from app.trees import edit
from app.trees.apply import apply
from app.trees.index import TreeIndex
from app.trees.limits import Limits
from app.trees.snapshot import load, pack
from tests.storage.kept_trees import NESTED, KeptTrees
from tests.trees.comparing import told

LIMITS = Limits(max_modules=1_000, max_depth=100)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[KeptTrees]:
    kept = KeptTrees(tmp_path)
    yield kept
    kept.close()


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


def test_an_edit_is_the_next_revision(kept: KeptTrees) -> None:
    opened = kept.open_nested()
    record, outcome = kept.trees.edit(opened.id, lambda tree: apply(tree.module, "", "make_new_weight", {}), note="!")
    assert outcome == 3
    assert (record.revision, record.parent, record.note, record.facts.num_parameters) == (2, 1, "!", 9)
    assert record.facts.fingerprint != opened.facts.fingerprint
    assert record.created_at == opened.created_at < record.updated_at == record.revision_at
    assert kept.trees.get(opened.id) == record
    assert kept.trees.newest(1)[0] == [record]


def test_what_a_change_leaves_is_described_anew(kept: KeptTrees) -> None:
    tree_id = kept.open_nested().id
    kept.register(tree_id, "a", [1])
    with kept.trees.reading(tree_id) as tree:
        assert tree.index.buffers.name == ["a"]


def raising(error: Exception) -> Callable[[OpenTree], None]:
    def change(tree: OpenTree) -> None:
        with torch.no_grad():
            tree.module.get_parameter("sub1.weight").zero_()
        tree.module.get_submodule("sub1").register_buffer("half_done", torch.ones(1))
        raise error

    return change


def add_too_many(tree: OpenTree) -> None:
    for name in ("x", "y"):
        spec: dict[str, Any] = {"children": {str(number): {} for number in range(600)}}
        edit.add_module(tree.module, "", name, spec, LIMITS)


def share(tree: OpenTree) -> None:
    tree.module.add_module("again", tree.module.get_submodule("sub1"))


def contain_itself(tree: OpenTree) -> None:
    tree.module.get_submodule("sub1").add_module("root", tree.module)


FAILING: dict[str, tuple[Callable[[OpenTree], object], type[Exception]]] = {
    "an error of ours half-way": (raising(CannotDo("no")), CannotDo),
    "any error half-way": (raising(ZeroDivisionError()), ZeroDivisionError),
    "a missing target": (lambda tree: edit.delete(tree.module, "missing"), TargetNotFound),
    "a name refused": (lambda tree: edit.register_buffer(tree.module, "", "weight", 1), NameRefused),
    "a value refused": (lambda tree: edit.register_buffer(tree.module, "", "a", "x"), Invalid),
    "a name that only the root refuses": (
        lambda tree: apply(tree.module, "", "make_new_weight", {"name": "sub1"}),
        NameRefused,
    ),
    "an initialiser that fails at the second parameter": (
        lambda tree: apply(tree.module, "", "uniform_", {}),
        CannotDo,
    ),
    "more modules than allowed": (add_too_many, TooLarge),
    "a shared module": (share, CannotDo),
    "a module that contains itself": (contain_itself, CannotDo),
    "a dtype that is not kept": (lambda tree: tree.module.register_buffer("c", torch.tensor([1j])), CannotDo),
}


@pytest.mark.parametrize("name", FAILING)
def test_a_change_that_fails_leaves_everything_as_it_was(kept: KeptTrees, name: str) -> None:
    tree_id = kept.open_nested().id
    kept.trees.edit(
        tree_id,
        lambda tree: edit.register_parameter(tree.module, "", "count", 1, dtype="int64", requires_grad=False),
        note="whole numbers, which uniform_ cannot fill",
    )
    change, error = FAILING[name]
    before = (kept.told(tree_id), kept.trees.get(tree_id), kept.trees.history(tree_id), kept.files())
    with pytest.raises(error):
        kept.trees.edit(tree_id, change, note="fails")
    assert (kept.told(tree_id), kept.trees.get(tree_id), kept.trees.history(tree_id), kept.files()) == before
    assert kept.register(tree_id, "after", 1).revision == 3


def test_undo_and_redo_move_between_the_revisions(kept: KeptTrees) -> None:
    tree_id = kept.open_nested().id
    states = [kept.told(tree_id)]
    for name in ("a", "b", "c"):
        kept.register(tree_id, name, 1)
        states.append(kept.told(tree_id))
    for revision in (3, 2, 1):
        assert kept.trees.undo(tree_id).revision == revision
        assert kept.told(tree_id) == states[revision - 1]
    for revision in (2, 3, 4):
        assert kept.trees.redo(tree_id).revision == revision
        assert kept.told(tree_id) == states[revision - 1]


def test_a_change_after_an_undo_takes_a_new_number_and_ends_the_redo(kept: KeptTrees) -> None:
    tree_id = kept.open_nested().id
    kept.register(tree_id, "a", 1)
    assert kept.trees.undo(tree_id).can_redo
    record = kept.register(tree_id, "b", 1)
    assert (record.revision, record.parent, record.can_redo) == (3, 1, False)
    with pytest.raises(CannotDo, match="nothing to redo"):
        kept.trees.redo(tree_id)
    assert kept.trees.undo(tree_id).revision == 1
    assert kept.trees.redo(tree_id).revision == 3


def test_there_is_nothing_before_the_first_revision(kept: KeptTrees) -> None:
    tree_id = kept.open_nested().id
    with pytest.raises(CannotDo, match="nothing to undo"):
        kept.trees.undo(tree_id)
    with pytest.raises(CannotDo, match="nothing to redo"):
        kept.trees.redo(tree_id)


def test_only_the_making_of_a_revision_leaves_it_fresh(kept: KeptTrees) -> None:
    tree_id = kept.open_nested().id
    assert kept.register(tree_id, "a", 1).is_revision_fresh
    assert not kept.trees.rename(tree_id, "x").is_revision_fresh
    assert not kept.trees.undo(tree_id).is_revision_fresh
    assert not kept.trees.redo(tree_id).is_revision_fresh


MATCHED: dict[str, Callable[[KeptTrees, str, Any], object]] = {
    "edit": lambda kept, tree_id, if_match: kept.register(tree_id, "a", 1, if_match=if_match),
    "undo": lambda kept, tree_id, if_match: kept.trees.undo(tree_id, if_match),
    "redo": lambda kept, tree_id, if_match: kept.trees.redo(tree_id, if_match),
    "rename": lambda kept, tree_id, if_match: kept.trees.rename(tree_id, "x", if_match),
    "delete": lambda kept, tree_id, if_match: kept.trees.delete(tree_id, if_match),
}


@pytest.mark.parametrize("name", MATCHED)
def test_if_match_must_name_the_present_revision(kept: KeptTrees, name: str) -> None:
    tree_id = kept.open_nested().id
    for buffer in ("b1", "b2"):
        kept.register(tree_id, buffer, 1)
    record = kept.trees.undo(tree_id)
    before = kept.told(tree_id)
    for refused in (1, 3, lambda revision: False):
        with pytest.raises(RevisionMismatch, match="the tree is at revision 2") as mismatch:
            MATCHED[name](kept, tree_id, refused)
        assert mismatch.value.present == 2
    assert (kept.trees.get(tree_id), kept.told(tree_id)) == (record, before)
    MATCHED[name](kept, tree_id, 2)


def test_a_condition_is_asked_with_the_present_revision(kept: KeptTrees) -> None:
    tree_id = kept.open_nested().id
    for present in (1, 2):
        kept.register(tree_id, "a", 1, if_match=partial(eq, present))


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


def trained(kept: KeptTrees, tree_id: str) -> str:
    with kept.trees.reading(tree_id) as tree:
        copied = load(kept.trees.snapshot(tree_id).structure, pack(tree.index))
    with torch.no_grad():
        for parameter in copied.parameters():
            parameter.fill_(5)
    return kept.directory.tensors.save(pack(TreeIndex.of(copied)))


def test_the_result_of_a_run_is_the_next_revision(kept: KeptTrees) -> None:
    record = kept.open_nested()
    assert kept.trees.put_result(record.id, 1, trained(kept, record.id), "run 1") == 2
    after = kept.trees.get(record.id)
    assert (after.revision, after.parent, after.note, after.facts) == (2, 1, "run 1", record.facts)
    with kept.trees.reading(record.id) as tree:
        assert {parameter.item() for parameter in tree.module.parameters()} == {5.0}
    kept.trees.undo(record.id)
    with kept.trees.reading(record.id) as tree:
        assert 5.0 not in {parameter.item() for parameter in tree.module.parameters()}


def test_a_result_for_a_tree_that_has_moved_on_or_is_gone_changes_nothing(kept: KeptTrees) -> None:
    tree_id = kept.open_nested().id
    file = trained(kept, tree_id)
    kept.register(tree_id, "a", 1)
    before = kept.told(tree_id)
    assert kept.trees.put_result(tree_id, 1, file, "run") is None
    assert (kept.told(tree_id), kept.trees.get(tree_id).revision) == (before, 2)
    kept.trees.delete(tree_id)
    assert kept.trees.put_result(tree_id, 2, file, "run") is None


def test_trees_that_leave_the_memory_come_back_from_the_disk(kept: KeptTrees, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees_module, "MAX_OPEN_MODULES", 6)
    ids = [kept.open_nested().id for _ in range(5)]
    for number, tree_id in enumerate(ids):
        kept.register(tree_id, "number", number)
    for number, tree_id in enumerate(ids):
        with kept.trees.reading(tree_id) as tree:
            assert tree.module.get_buffer("number").item() == number
    assert len(kept.trees._open) == 2


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
    monkeypatch.setattr(trees_module, "MAX_OPEN_MODULES", 2)
    tree_id = kept.open_nested().id
    assert len(kept.told(tree_id)) == 3
    kept.register(tree_id, "a", 1)
    assert len(kept.told(tree_id)) == 3


def test_errors_are_ones_that_people_are_meant_to_read(kept: KeptTrees) -> None:
    with pytest.raises(ModuletreeError) as missing:
        kept.trees.get("t_x")
    assert missing.value.detail == "There is no tree 't_x'."
