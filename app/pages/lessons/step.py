"""What a chapter is made of; its words are English, marked for the catalogues and translated where they are shown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from app.pages.lessons.printing import Example

IsDone: TypeAlias = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Option:
    """One of the answers to choose from, and what is said to who chose it."""

    label: str
    said: str
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A question with answers to choose from; the key of an option stands in the address."""

    ask: str
    right: str
    options: Mapping[str, Option]


@dataclass(frozen=True, slots=True)
class Typed:
    """A question whose answer is typed; `answer` finds it in the learner's own tree.

    `why` is said of the right answer and may hold `%(answer)s`, `hint` of a wrong one; `slips` are the wrong answers
    that say what went wrong. Numbers are taken within `tolerance`.
    """

    ask: str
    answer: Callable[[Any], str | int | float]
    why: str
    hint: str
    slips: Mapping[str, str] = field(default_factory=dict)
    tolerance: float = 1e-4


Question: TypeAlias = Choice | Typed


@dataclass(frozen=True, slots=True)
class Step:
    """One idea: prose, a call, a question.

    A call with a `note` changes the tree, as a revision with that note, and `is_done` says of a tree whether it was
    made there; any other runs on a copy. `needs` is the step that must have been done before, 0 for none.
    """

    title: str
    prose: tuple[str, ...]
    example: Example
    question: Question
    note: str = ""
    is_done: IsDone | None = None
    needs: int = 0


@dataclass(frozen=True, slots=True)
class Training(Step):
    """A step whose call is a run on the server; `lr` is what its field begins with, None where nothing is asked."""

    lr: float | None = None


@dataclass(frozen=True, slots=True)
class Chapter:
    """Steps on one tree, which `root`, a LinearSpec, describes; `words` are the methods that it is about."""

    key: str
    title: str
    about: str
    words: tuple[str, ...]
    root: Mapping[str, object]
    steps: tuple[Step, ...]
