"""What can go wrong between a client and a server; every member tells a person what to do.

ClientError
├── Unreachable            no answer: refused, broken off, or too late
│   └── StreamLost         a stream could not be picked up again
├── NotModuletree          an answer that this kind of server does not give
└── Problem                the server's own words (RFC 9457), by status
    ├── Unauthorized       401  no token, or a wrong one
    ├── NotAllowed         403
    ├── NotFound           404
    ├── Conflict           409  not what this tree or run can do, or a name that is taken
    ├── RevisionMismatch   412  the tree was changed meanwhile
    ├── TooLarge           413  over `limit`
    ├── Invalid            422  `errors` lists every misfit
    ├── TooManyRuns        429  `retry_after_s` says when to ask again
    └── ServerFailed       5xx
"""

from collections.abc import Mapping
from typing import Any

import msgspec


class Misfit(msgspec.Struct, frozen=True):
    """One thing wrong with a request: where it stands in it, and what is wrong."""

    loc: tuple[str | int, ...]
    msg: str


class ProblemDocument(msgspec.Struct, frozen=True):
    """A problem+json document."""

    status: int
    detail: str
    title: str = ""
    errors: tuple[Misfit, ...] = ()
    target: str | None = None
    limit: int | None = None
    revision: int | None = None


class ClientError(Exception):
    """The root of what a client raises on purpose."""


class Unreachable(ClientError):
    """The server did not answer, or not to the end."""


class StreamLost(Unreachable):
    """A stream broke off, and the server was not back in time.

    `last_event_id` is that of the last event that came: pass it as `after` to go on from there.
    """

    def __init__(self, line: str, last_event_id: str) -> None:
        super().__init__(line)
        self.last_event_id = last_event_id


class NotModuletree(ClientError):
    """What answered is no Moduletree server, or one that this client does not understand."""


class Problem(ClientError):
    """The server refused; its words are `str(error)`. `document` holds all members that it sent."""

    def __init__(self, known: ProblemDocument, document: Mapping[str, Any], retry_after_s: float | None = None) -> None:
        super().__init__(known.detail or known.title or f"The server answered {known.status}.")
        self.status = known.status
        self.title = known.title
        self.detail = known.detail
        self.errors = known.errors
        self.target = known.target
        self.limit = known.limit
        self.revision = known.revision
        self.retry_after_s = retry_after_s
        self.document = dict(document)


class Unauthorized(Problem):
    """The server asks for its token."""


class NotAllowed(Problem):
    """The server was not given this right at its start."""


class NotFound(Problem):
    """No such tree, run or path; a `get_*` without its target carries torch's message."""


class Conflict(Problem):
    """Nothing that this tree or run can do as it is now, or a name that torch refuses."""


class RevisionMismatch(Problem):
    """The tree is not at the revision that was named; `revision` is where it is."""


class TooLarge(Problem):
    """Over a limit of the server, `limit`."""


class Invalid(Problem):
    """The request does not fit; `errors` has every misfit."""


class TooManyRuns(Problem):
    """The queue is full; asking again makes sense after `retry_after_s`."""


class ServerFailed(Problem):
    """The server, or what stands before it, failed at the request."""


BY_STATUS: Mapping[int, type[Problem]] = {
    401: Unauthorized,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    412: RevisionMismatch,
    413: TooLarge,
    422: Invalid,
    429: TooManyRuns,
}


def problem_of(status: int, headers: Mapping[str, str], body: bytes) -> Problem:
    """Return the exception for an answer of 400 or more, whoever gave it."""
    kind = BY_STATUS.get(status, ServerFailed if status >= 500 else Problem)
    after = headers.get("retry-after", "")
    retry_after_s = float(after[:6]) if after.isascii() and after.isdigit() else None
    try:
        known = msgspec.json.decode(body, type=ProblemDocument)
        document = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        # A proxy's page, which says nothing that a program could use.
        known, document = ProblemDocument(status, f"The server answered {status}, without a reason."), {}
    return kind(known, document, retry_after_s)
