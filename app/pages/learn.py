"""The lesson: chapters through `nn.Module`, each step with a live tree; all of its state stands in the address."""

import math
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from starlette.responses import RedirectResponse

from app.api.dependencies import RunsDep, TreesDep
from app.errors import NotFound
from app.pages.forms import invalid
from app.pages.learn_view import State, judged, learn_page, step_page
from app.pages.lessons.chapters import CHAPTERS
from app.pages.lessons.learner import change, open_lesson, see
from app.pages.lessons.progress import COOKIE, PATH, YEAR_S, Place, read_places, written
from app.pages.lessons.runs import config_at, lesson_run
from app.pages.lessons.step import Training
from app.pages.templating import READING, page
from app.storage.trees import Trees
from app.translation import said

router = APIRouter(include_in_schema=False)

Number = Annotated[int, Query(ge=1, le=9)]
Text = Annotated[str, Query(max_length=200)]


def _state(
    chapter: str, tree: Text = "", step: Number = 1, ran: bool = False, run: Text = "", answer: Text = ""
) -> State:
    return _checked(chapter, step, tree=tree, ran=ran, run=run, answer=answer)


def _sent(
    chapter: str,
    tree: Annotated[str, Form(max_length=200)] = "",
    step: Annotated[int, Form(ge=1, le=9)] = 1,
) -> State:
    return _checked(chapter, step, tree=tree)


def _checked(key: str, number: int, *, tree: str, ran: bool = False, run: str = "", answer: str = "") -> State:
    chapter = CHAPTERS.get(key)
    if chapter is None:
        raise NotFound(said("The lesson has no chapter %(key)s.", key=repr(key[:40])))
    if number > len(chapter.steps):
        raise NotFound(said("This chapter of the lesson has no step %(number)s.", number=number))
    return State(chapter, number, tree, ran, run, answer.strip())


StateDep = Annotated[State, Depends(_state)]
SentDep = Annotated[State, Depends(_sent)]


@router.api_route("/learn", methods=READING)
def show_contents(request: Request) -> Response:
    """All chapters, and how far somebody has come."""
    return page(learn_page(_places(request)))


@router.api_route("/learn/{chapter}", methods=READING)
def show_step(request: Request, trees: TreesDep, runs: RunsDep, state: StateDep) -> Response:
    """A step of a chapter on the tree that the address names."""
    seen = see(trees, state.tree) if state.tree else None
    run = lesson_run(runs, state.run, state.tree) if seen and state.run else None
    verdict = judged(state, seen)
    places = dict(_places(request))
    if seen:
        before = places.get(state.chapter.key, Place())
        is_answered = verdict is not None and verdict.is_right
        places[state.chapter.key] = before.at(state.tree, state.number, is_answered=is_answered)
    response = page(step_page(state, seen, verdict, run, places))
    if seen:
        response.set_cookie(COOKIE, written(places), max_age=YEAR_S, path=PATH, httponly=True, samesite="lax")
    return response


@router.post("/learn/{chapter}/start")
def start(trees: TreesDep, state: SentDep) -> Response:
    """A fresh tree for the chapter, at the same step."""
    return RedirectResponse(_on(trees, state, is_fresh=True).url(), 303)


@router.post("/learn/{chapter}/run")
def run_example(trees: TreesDep, state: SentDep) -> Response:
    """The step's call, made on the tree if it changes it; the step then shows what is printed."""
    here = _on(trees, state)
    if here.step.note:
        change(trees, here.tree, here.step)
    return RedirectResponse(here.url(ran="1"), 303)


@router.post("/learn/{chapter}/train")
def train(trees: TreesDep, runs: RunsDep, state: SentDep, lr: Annotated[str, Form(max_length=40)] = "0.01") -> Response:
    """A run on the tree, and the step that shows its losses."""
    if not isinstance(state.step, Training):
        raise NotFound(said("This step of the lesson trains nothing."))
    here = _on(trees, state)
    return RedirectResponse(here.url(run=runs.start(here.tree, config_at(_number(lr))).id), 303)


@router.post("/learn/{chapter}/undo")
def undo(trees: TreesDep, state: SentDep) -> Response:
    """The step on the tree as it was before its last change."""
    trees.undo(state.tree)
    return RedirectResponse(state.url(), 303)


@router.api_route("/learn/{chapter}/{action}", methods=READING)
def form_page(chapter: str, action: str) -> Response:
    """On to the chapter: for who asks again for the address that a form was sent to."""
    return RedirectResponse(f"/learn/{_checked(chapter, 1, tree='').chapter.key}", 303)


def _on(trees: Trees, state: State, *, is_fresh: bool = False) -> State:
    """The same state on a tree that is there: a fresh one where there was none, or it is gone."""
    if not is_fresh and see(trees, state.tree) is not None:
        return state
    return State(state.chapter, state.number, open_lesson(trees, state.chapter).id)


def _number(text: str) -> float:
    try:
        number = float(text.replace(",", ".").replace("\u2212", "-"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise invalid([("lr", said("expected a number, got %(text)s", text=repr(text)))])
    return number


def _places(request: Request) -> Mapping[str, Place]:
    return read_places(request.cookies.get(COOKIE, ""))
