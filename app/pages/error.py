"""The error page: a problem for a person who was reading pages."""

from dataclasses import dataclass
from typing import ClassVar

from app.pages.templating import Context, render
from app.problems import Problem


@dataclass(frozen=True, slots=True)
class Error(Context):
    """What went wrong; each of `errors` is a place in what was sent and what is wrong there."""

    status: int
    title: str
    detail: str
    errors: tuple[tuple[str, str], ...]
    template: ClassVar[str] = "error.html"


def error_page(problem: Problem) -> str:
    """Return the page of a problem."""
    errors = ((".".join(map(str, each["loc"])), each["msg"]) for each in problem.extra.get("errors", ()))
    return render(Error(problem.status, problem.title, problem.detail, tuple(errors)))
