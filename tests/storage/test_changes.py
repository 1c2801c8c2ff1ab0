"""Changes to kept trees: each a revision, or nothing; undone and done again."""

from collections.abc import Callable
from functools import partial
from operator import eq
from typing import Any

import pytest
import torch

from app.errors import (
    CannotDo,
    Invalid,
    NameRefused,
    RevisionMismatch,
    TargetNotFound,
    TooLarge,
)
from app.storage.trees import OpenTree
from app.trees import edit
from app.trees.apply import apply
from app.trees.index import TreeIndex
from app.trees.limits import Limits
from app.trees.snapshot import load, pack
from tests.storage.kept_trees import KeptTrees

LIMITS = Limits(max_modules=1_000, max_depth=100)


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


def trained(kept: KeptTrees, tree_id: str) -> str:
    with kept.trees.reading(tree_id) as tree:
        copied = load(kept.trees.snapshot(tree_id).structure, pack(tree.index))
    with torch.no_grad():
        for parameter in copied.parameters():
            parameter.fill_(5)
    return kept.directory.tensors.save(pack(TreeIndex.of(copied)))


def test_the_result_of_a_run_is_the_next_revision(kept: KeptTrees) -> None:
    record = kept.open_nested()
    assert kept.trees.result_of(record.id, "r_1") is None
    assert kept.trees.put_result(record.id, 1, trained(kept, record.id), "run 1", "r_1") == 2
    assert (kept.trees.result_of(record.id, "r_1"), kept.trees.result_of(record.id, "r_2")) == (2, None)
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
