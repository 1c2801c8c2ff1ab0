"""Trees under many threads: changes take turns and none is lost; readers see whole states only."""

import threading
from collections.abc import Callable

import torch

from app.errors import NotFound, RevisionMismatch
from app.storage.trees import OpenTree
from tests.storage.kept_trees import KeptTrees, buffers_of

THREADS, CHANGES = 6, 8


def at_once(*works: Callable[[], object]) -> None:
    """Run the works in a thread each, from the same moment; what one of them raises is raised here."""
    start, errors = threading.Barrier(len(works)), list[BaseException]()

    def run(work: Callable[[], object]) -> None:
        start.wait()
        try:
            work()
        except BaseException as error:  # noqa: BLE001 (it is raised below)
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_changes_from_many_threads_are_all_there(kept: KeptTrees) -> None:
    tree_id = kept.open_nested().id

    def change_often(thread: int) -> None:
        for number in range(CHANGES):
            kept.register(tree_id, f"b{thread}_{number}", number)

    at_once(*[lambda thread=thread: change_often(thread) for thread in range(THREADS)])
    expected = {f"b{thread}_{number}": number for thread in range(THREADS) for number in range(CHANGES)}
    for _ in range(2):
        with kept.trees.reading(tree_id) as tree:
            assert buffers_of(tree.module) == expected
        history = kept.trees.history(tree_id)
        assert [(entry.revision, entry.parent) for entry in history] == [
            (number, number - 1 or None) for number in range(1 + THREADS * CHANGES, 0, -1)
        ]
        kept.restart()


def test_of_changes_to_the_same_revision_one_is_made(kept: KeptTrees) -> None:
    tree_id = kept.open_nested().id
    made: list[int] = []

    def try_to_change(thread: int) -> None:
        for revision in range(1, 1 + CHANGES):
            while kept.trees.get(tree_id).revision < revision:
                pass
            try:
                kept.register(tree_id, "winner", thread, if_match=revision)
                made.append(revision)
            except RevisionMismatch:
                continue

    at_once(*[lambda thread=thread: try_to_change(thread) for thread in range(THREADS)])
    assert sorted(made) == list(range(1, 1 + CHANGES))
    assert kept.trees.get(tree_id).revision == 1 + CHANGES


def test_readers_see_whole_states_while_a_writer_writes(kept: KeptTrees) -> None:
    tree_id = kept.open_nested().id
    ended = threading.Event()
    seen: list[float] = []

    def set_both(tree: OpenTree, value: float) -> None:
        with torch.no_grad():
            tree.module.get_parameter("weight").fill_(value)
            tree.module.get_parameter("sub1.sub2_1.weight").fill_(value)

    def write() -> None:
        try:
            for number in range(20):
                kept.trees.edit(tree_id, lambda tree: set_both(tree, float(number)), note="")  # noqa: B023
        finally:
            ended.set()

    def read() -> None:
        while not ended.is_set():
            with kept.trees.reading(tree_id) as tree:
                top = tree.module.get_parameter("weight").item()
                bottom = tree.module.get_parameter("sub1.sub2_1.weight").item()
                assert tree.record.revision == 1 or top == bottom == tree.record.revision - 2
                seen.append(top)
            assert kept.trees.newest(1)[0][0].id == tree_id
            assert kept.trees.history(tree_id)

    at_once(write, read, read, read)
    assert seen


def test_trees_are_opened_changed_and_deleted_side_by_side(kept: KeptTrees) -> None:
    def live() -> None:
        for _ in range(CHANGES):
            tree_id = kept.open_nested().id
            kept.register(tree_id, "a", 1)
            kept.trees.undo(tree_id)
            assert len(kept.told(tree_id)) == 3
            kept.trees.delete(tree_id)

    at_once(*[live for _ in range(THREADS)])
    assert (kept.trees.newest(10), kept.files()) == (([], None), set())


def test_whoever_comes_after_a_delete_finds_nothing(kept: KeptTrees) -> None:
    tree_id = kept.open_nested().id
    outcomes: list[str] = []

    def delete() -> None:
        try:
            kept.trees.delete(tree_id)
            outcomes.append("deleted")
        except NotFound:
            outcomes.append("gone")

    def change() -> None:
        try:
            while True:
                kept.register(tree_id, "a", 1)
        except NotFound:
            outcomes.append("gone")

    at_once(delete, delete, change, change)
    assert sorted(outcomes) == ["deleted", "gone", "gone", "gone"]
    assert kept.files() == set()


def test_undo_and_redo_from_many_threads_end_at_a_revision_that_was_made(kept: KeptTrees) -> None:
    tree_id = kept.open_nested().id
    for number in range(10):
        kept.register(tree_id, "a", number)

    def go(step: Callable[[str], object]) -> None:
        for _ in range(5):
            step(tree_id)

    at_once(lambda: go(kept.trees.undo), lambda: go(kept.trees.undo), lambda: kept.register(tree_id, "b", 1))
    record = kept.trees.get(tree_id)
    with kept.trees.reading(tree_id) as tree:
        state = buffers_of(tree.module)
    kept.restart()
    with kept.trees.reading(tree_id) as tree:
        assert buffers_of(tree.module) == state
    assert kept.trees.get(tree_id) == record
