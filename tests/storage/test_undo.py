"""Undo and redo, against a list with a place in it, however changes, stops and starts follow each other."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from app.errors import CannotDo, NameRefused, NotFound, RevisionMismatch
from tests.storage.kept_trees import KeptTrees, buffers_of

NAMES = st.sampled_from(["a", "b", "c"])


@dataclass
class Reference:
    """What a tree should be: a line of states with the present one's place, and all revisions there ever were."""

    line: list[tuple[int, dict[str, object]]]
    at: int = 0
    name: str = "LinearModel"
    history: list[tuple[int, int | None]] = field(default_factory=lambda: [(1, None)])

    @property
    def revision(self) -> int:
        return self.line[self.at][0]

    @property
    def state(self) -> dict[str, object]:
        return self.line[self.at][1]

    def change(self, state: dict[str, object]) -> None:
        number = len(self.history) + 1
        self.history.append((number, self.revision))
        del self.line[self.at + 1 :]
        self.line.append((number, state))
        self.at += 1


class UndoMachine(RuleBasedStateMachine):
    """Trees and their references, side by side."""

    trees = Bundle("trees")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.kept = KeptTrees(Path(self.folder.name))
        self.references: dict[str, Reference] = {}
        self.deleted: list[str] = []
        self.counter = 0

    def teardown(self) -> None:
        self.kept.close()
        self.folder.cleanup()

    @rule(target=trees)
    def open(self) -> str:
        tree_id = self.kept.trees.open({"kind": "linear", "root": {}}).id
        self.references[tree_id] = Reference([(1, {})])
        return tree_id

    @rule(tree=trees, name=NAMES)
    def register(self, tree: str, name: str) -> None:
        self.counter += 1
        self.references[tree].change({**self.references[tree].state, name: self.counter})
        self.kept.register(tree, name, self.counter)

    @rule(tree=trees, name=NAMES)
    def register_on_a_stale_revision(self, tree: str, name: str) -> None:
        with pytest.raises(RevisionMismatch):
            self.kept.register(tree, name, -1, if_match=self.references[tree].revision + 1)

    @rule(tree=trees)
    def register_a_refused_name(self, tree: str) -> None:
        with pytest.raises(NameRefused):
            self.kept.register(tree, "weight", -1)

    @rule(tree=trees)
    def undo(self, tree: str) -> None:
        reference = self.references[tree]
        if reference.at == 0:
            with pytest.raises(CannotDo):
                self.kept.trees.undo(tree)
        else:
            reference.at -= 1
            self.kept.trees.undo(tree)

    @rule(tree=trees)
    def redo(self, tree: str) -> None:
        reference = self.references[tree]
        if reference.at == len(reference.line) - 1:
            with pytest.raises(CannotDo):
                self.kept.trees.redo(tree)
        else:
            reference.at += 1
            self.kept.trees.redo(tree)

    @rule(tree=trees, is_late=st.booleans())
    def put_result(self, tree: str, is_late: bool) -> None:
        reference = self.references[tree]
        file = self.kept.directory.tensors.save(
            self.kept.directory.tensors.load(self.kept.trees.snapshot(tree).tensors)
        )
        revision = self.kept.trees.put_result(tree, reference.revision - is_late, file, "run")
        if is_late:
            assert revision is None
        else:
            reference.change(reference.state)
            assert revision == reference.revision

    @rule(tree=trees, name=st.text(max_size=3))
    def rename(self, tree: str, name: str) -> None:
        self.references[tree].name = name
        self.kept.trees.rename(tree, name)

    @rule(tree=consumes(trees))
    def delete(self, tree: str) -> None:
        self.kept.trees.delete(tree)
        del self.references[tree]
        self.deleted.append(tree)

    @precondition(lambda self: self.references or self.deleted)
    @rule()
    def stop_and_start(self) -> None:
        self.kept.restart()

    @invariant()
    def trees_are_as_their_references(self) -> None:
        for tree_id, reference in self.references.items():
            record = self.kept.trees.get(tree_id)
            with self.kept.trees.reading(tree_id) as tree:
                assert tree.record == record
                assert buffers_of(tree.module) == reference.state
                assert tree.index.buffers.name == list(reference.state)
            assert (record.revision, record.name) == (reference.revision, reference.name)
            assert record.can_undo == (reference.at > 0)
            assert record.can_redo == (reference.at < len(reference.line) - 1)
            history = [(entry.revision, entry.parent) for entry in self.kept.trees.history(tree_id)]
            assert history == reference.history[::-1]

    @invariant()
    def the_list_has_what_there_is(self) -> None:
        records, more = self.kept.trees.newest(100)
        assert more is None
        assert [record.id for record in records] == list(self.references)[::-1]
        assert all(record == self.kept.trees.get(record.id) for record in records)

    @invariant()
    def what_was_deleted_is_gone(self) -> None:
        for tree_id in self.deleted:
            with pytest.raises(NotFound):
                self.kept.trees.get(tree_id)


TestUndo = UndoMachine.TestCase
TestUndo.settings = settings(max_examples=15, stateful_step_count=20)
