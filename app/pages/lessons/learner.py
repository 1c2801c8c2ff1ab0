"""The learner's tree as a step needs it: opened, looked at, changed."""

import copy
from dataclasses import dataclass, replace

from torch import nn

from app.errors import NotFound
from app.pages.lessons.printing import Printed, run
from app.pages.lessons.step import Chapter, Step
from app.pages.tree_rows import ModuleLine, tree_view
from app.storage.records import TreeRecord
from app.storage.trees import OpenTree, Trees
from app.trees.linear import LinearModel

# A lesson's tree has nine modules at most; whatever else an address names is not printed whole.
MOST_MODULES = 64
MOST_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class LessonTree:
    """The tree beside the text; `undo` is the note of the change that undo takes back, "" where there is none."""

    id: str
    name: str
    revision: int
    undo: str
    root: ModuleLine
    with_values: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """The tree as it is shown, and a copy of its modules, which nobody else changes."""

    tree: LessonTree
    model: nn.Module


def open_lesson(trees: Trees, chapter: Chapter) -> TreeRecord:
    """Open a fresh tree for a chapter."""
    return trees.open({"kind": "linear", "root": dict(chapter.root), "forward": "own"}, f"lesson: {chapter.key}")


def see(trees: Trees, tree_id: str) -> Seen | None:
    """Return the tree; None where it is gone, or is not one that a lesson could have opened."""
    try:
        with trees.reading(tree_id) as opened:
            if not _is_a_lessons(opened):
                return None
            return Seen(_shown(opened), copy.deepcopy(opened.module))
    except NotFound:
        return None


def _is_a_lessons(opened: OpenTree) -> bool:
    is_small = len(opened.index) <= MOST_MODULES and opened.record.facts.num_bytes <= MOST_BYTES
    return is_small and opened.index.is_live and isinstance(opened.module, LinearModel)


def _shown(opened: OpenTree) -> LessonTree:
    record = opened.record
    view = tree_view(opened.index, record.id, record.name, 0)
    return LessonTree(
        id=record.id,
        name=record.name,
        revision=record.revision,
        undo=record.note if record.can_undo else "",
        # Nothing is selected here: every row leads to the tree's own page.
        root=replace(view.root, is_selected=False),
        with_values=view.with_values,
    )


def change(trees: Trees, tree_id: str, step: Step) -> Printed:
    """Make the call of a step on the tree itself, as a revision with the step's note."""
    return trees.edit(tree_id, lambda opened: run(step.example, opened.module), note=step.note)[1]


def is_done(step: Step, model: nn.Module) -> bool:
    """Whether the tree has what the step's call changes; always so of a step that changes nothing."""
    try:
        return step.is_done is None or step.is_done(model)
    except (AttributeError, RuntimeError):
        # Somebody took apart what the chapter stands on.
        return False
