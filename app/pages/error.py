"""The error page: a problem for a person who was reading pages."""

from dataclasses import dataclass
from typing import ClassVar

from app.pages.templating import Context, render
from app.problems import Problem
from app.translation import N_
from app.translation import gettext as _

# The phrases of RFC 9110 that a page may have for its title.
TITLES = (
    N_("Bad Request"), N_("Unauthorized"), N_("Forbidden"), N_("Not Found"), N_("Method Not Allowed"), N_("Conflict"),
    N_("Precondition Failed"), N_("Content Too Large"), N_("Misdirected Request"), N_("Unprocessable Content"),
    N_("Too Many Requests"), N_("Internal Server Error"), N_("Service Unavailable"),
)  # fmt: skip

# Of an error that has no words but its own: found again by this.
STALE = N_(
    "If-Match names revision %(expected)s, the tree is at revision %(present)s: fetch the tree again and repeat the "
    "change on what it is now."
)


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
    return render(Error(problem.status, _(problem.title), problem.detail, tuple(errors)))
