"""What the pages of the lesson show: a step with its tree, its output and its question; and the contents."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from app.pages.lessons.answers import Verdict, verdict
from app.pages.lessons.chapters import CHAPTERS
from app.pages.lessons.learner import LessonTree, Seen, is_done
from app.pages.lessons.printing import Printed, code_of, run
from app.pages.lessons.progress import Place
from app.pages.lessons.runs import LessonRun
from app.pages.lessons.step import Chapter, Choice, Question, Step, Training
from app.pages.links import with_query
from app.pages.templating import Context
from app.translation import gettext as _


@dataclass(frozen=True, slots=True)
class Link:
    """A step or a chapter somewhere else."""

    number: int
    title: str
    url: str
    is_current: bool = False
    is_answered: bool = False


@dataclass(frozen=True, slots=True)
class ChapterCard:
    """A chapter in the contents."""

    number: int
    title: str
    about: str
    words: tuple[str, ...]
    url: str
    num_steps: int
    num_answered: int
    is_begun: bool


@dataclass(frozen=True, slots=True)
class LearnPage(Context):
    """The contents: all chapters, and how far somebody has come in each."""

    template: ClassVar[str] = "learn.html"

    chapters: tuple[ChapterCard, ...]
    first: ChapterCard


@dataclass(frozen=True, slots=True)
class OptionView:
    """An answer to choose from."""

    key: str
    label: str
    is_code: bool
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class QuestionView:
    """A question: options to choose from, or a field where there are none; and what is said of the answer."""

    ask: str
    options: tuple[OptionView, ...]
    given: str
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class StepPage(Context):
    """A step; without a tree it offers to open one, and shows neither output nor question.

    `lr` is what the field of a run holds, "" where the step asks for none. `waits_for` is a step that has to be done
    before, and `is_done` says whether what the step itself does was done; then its question is asked.
    """

    template: ClassVar[str] = "learn_step.html"

    chapters: tuple[Link, ...]
    chapter: Link
    key: str
    steps: tuple[Link, ...]
    number: int
    title: str
    prose: tuple[str, ...]
    source: str
    action: str
    changes: bool
    lr: str
    tree: LessonTree | None
    is_gone: bool
    printed: Printed | None
    run: LessonRun | None
    waits_for: Link | None
    question: QuestionView | None
    before: Link | None
    after: Link | None
    here: str


@dataclass(frozen=True, slots=True)
class State:
    """Where somebody is, as the address says it."""

    chapter: Chapter
    number: int = 1
    tree: str = ""
    ran: bool = False
    run: str = ""
    answer: str = ""

    @property
    def step(self) -> Step:
        """The step that is looked at."""
        return self.chapter.steps[self.number - 1]

    def url(self, number: int | None = None, **more: str) -> str:
        """Return the address of a step on the same tree; what was run and answered stays behind unless it is given."""
        return step_url(self.chapter.key, self.tree, self.number if number is None else number, **more)


def step_url(key: str, tree: str, number: int, **more: str) -> str:
    """Return the address of a step."""
    return with_query(f"/learn/{key}", tree=tree, step=str(number) if tree or number > 1 else "", **more)


def learn_page(places: Mapping[str, Place]) -> LearnPage:
    """Return the contents."""
    cards = tuple(_card(number, chapter, places.get(chapter.key)) for number, chapter in _numbered())
    going_on = (card for card in cards if card.num_answered < card.num_steps)
    return LearnPage(cards, next(going_on, cards[0]))


def _card(number: int, chapter: Chapter, place: Place | None) -> ChapterCard:
    at = place or Place()
    return ChapterCard(
        number=number,
        title=_(chapter.title),
        about=_(chapter.about),
        words=chapter.words,
        url=step_url(chapter.key, at.tree, at.step),
        num_steps=len(chapter.steps),
        num_answered=len(at.answered),
        is_begun=place is not None,
    )


def _numbered() -> Iterator[tuple[int, Chapter]]:
    return enumerate(CHAPTERS.values(), 1)


def judged(state: State, seen: Seen | None) -> Verdict | None:
    """Return what is said of the answer in the address; None where there is none, or the question is not asked yet."""
    if seen is None or not state.answer or not _is_asked(state, seen):
        return None
    return verdict(state.step.question, state.answer, seen.model)


def step_page(
    state: State, seen: Seen | None, said: Verdict | None, lesson_run: LessonRun | None, places: Mapping[str, Place]
) -> StepPage:
    """Return a step on the tree as it was `seen`, None for no tree, with what is `said` of the answer."""
    step, is_training = state.step, isinstance(state.step, Training)
    chapters = tuple(_chapter_link(number, chapter, state, places) for number, chapter in _numbered())
    lr = step.lr if isinstance(step, Training) else None
    return StepPage(
        chapters=chapters,
        chapter=next(link for link in chapters if link.is_current),
        key=state.chapter.key,
        steps=tuple(_step_link(state, number, places) for number in range(1, len(state.chapter.steps) + 1)),
        number=state.number,
        title=_(step.title),
        prose=tuple(map(_, step.prose)),
        source=code_of(step.example),
        action="train" if is_training else "run",
        changes=bool(step.note),
        lr="" if lr is None else f"{lr:g}",
        tree=seen.tree if seen else None,
        is_gone=bool(state.tree) and seen is None,
        printed=_printed(step, seen) if seen and state.ran and not is_training else None,
        run=lesson_run if is_training else None,
        waits_for=_waits_for(state, seen) if seen else None,
        question=_question(step.question, state, said) if seen and _is_asked(state, seen) else None,
        before=_step_link(state, state.number - 1, places) if state.number > 1 else None,
        after=_after(state, chapters, places),
        here=state.url(run=state.run),
    )


def _printed(step: Step, seen: Seen) -> Printed | None:
    # What was not done on the tree was not printed either, whatever the address says.
    return run(step.example, copy.deepcopy(seen.model)) if is_done(step, seen.model) else None


def _is_asked(state: State, seen: Seen) -> bool:
    return is_done(state.step, seen.model) and _waits_for(state, seen) is None


def _waits_for(state: State, seen: Seen) -> Link | None:
    needed = state.step.needs
    if not needed or is_done(state.chapter.steps[needed - 1], seen.model):
        return None
    return Link(needed, _(state.chapter.steps[needed - 1].title), state.url(needed))


def _question(question: Question, state: State, said: Verdict | None) -> QuestionView:
    options: tuple[OptionView, ...] = ()
    if isinstance(question, Choice):
        options = tuple(
            OptionView(key, option.label if option.is_code else _(option.label), option.is_code, key == state.answer)
            for key, option in question.options.items()
        )
    return QuestionView(_(question.ask), options, state.answer, said)


def _chapter_link(number: int, chapter: Chapter, state: State, places: Mapping[str, Place]) -> Link:
    place = places.get(chapter.key, Place())
    return Link(
        number=number,
        title=_(chapter.title),
        url=step_url(chapter.key, place.tree, place.step),
        is_current=chapter is state.chapter,
        is_answered=len(place.answered) == len(chapter.steps),
    )


def _step_link(state: State, number: int, places: Mapping[str, Place]) -> Link:
    answered = places.get(state.chapter.key, Place()).answered
    title = _(state.chapter.steps[number - 1].title)
    return Link(number, title, state.url(number), number == state.number, number in answered)


def _after(state: State, chapters: tuple[Link, ...], places: Mapping[str, Place]) -> Link | None:
    if state.number < len(state.chapter.steps):
        return _step_link(state, state.number + 1, places)
    return next((link for link, current in zip(chapters[1:], chapters, strict=False) if current.is_current), None)
