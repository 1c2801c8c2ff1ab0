"""What can go wrong, in the words of the domain; `problems.py` alone knows the HTTP statuses.

ModuletreeError
├── NotFound            no such tree, run, revision
│   └── TargetNotFound  get_* target missing or of another kind (torch's AttributeError)
├── NameRefused         a name torch refuses (torch's KeyError)
├── CannotDo            an operation that this tree or run cannot do
├── RevisionMismatch    If-Match does not name the present revision
├── TooLarge            over a limit of the server
├── Invalid             input that does not fit, with every misfit at once
│   └── UnreadableFile  a broken or unsafe file
├── NotAllowed          not to be imported, not under an allowed root, cross-site
├── Unauthorized        no token, or a wrong one
├── TooManyRuns         the queue is full
└── CannotStore         the disk is full, or the database is not to be written now
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Misfit:
    """One thing wrong with an input: where it stands in the document, and what is wrong."""

    loc: tuple[str | int, ...]
    msg: str


class ModuletreeError(Exception):
    """The root of every error that Moduletree raises on purpose; `detail` tells a person what to do."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class NotFound(ModuletreeError):
    """There is no such tree, run or revision."""


class TargetNotFound(NotFound):
    """The target of a `get_*` is missing or of another kind; `detail` is torch's message."""

    def __init__(self, detail: str, target: str) -> None:
        super().__init__(detail)
        self.target = target


class NameRefused(ModuletreeError):
    """torch refuses the name: empty, holding ".", or already taken; `detail` is torch's message."""

    def __init__(self, detail: str, target: str) -> None:
        super().__init__(detail)
        self.target = target


class CannotDo(ModuletreeError):
    """This tree or run cannot do what was asked of it."""


class RevisionMismatch(ModuletreeError):
    """`If-Match` does not name the present revision."""

    def __init__(self, expected: str, present: int) -> None:
        super().__init__(
            f"If-Match names revision {expected}, the tree is at revision {present}: "
            "fetch the tree again and repeat the change on what it is now."
        )
        self.present = present


class TooLarge(ModuletreeError):
    """The input, or what it would build, is over a limit of the server."""

    def __init__(self, detail: str, limit: int) -> None:
        super().__init__(detail)
        self.limit = limit


class Invalid(ModuletreeError):
    """The input does not fit; `errors` holds every misfit that was found."""

    def __init__(self, detail: str, errors: tuple[Misfit, ...] = ()) -> None:
        super().__init__(detail)
        self.errors = errors


class UnreadableFile(Invalid):
    """The file is broken or unsafe."""


class NotAllowed(ModuletreeError):
    """The server was not given this right."""


class Unauthorized(ModuletreeError):
    """A token is needed, and none or a wrong one came."""


class TooManyRuns(ModuletreeError):
    """The queue of runs is full; trying again makes sense after `retry_after_s` seconds."""

    def __init__(self, detail: str, retry_after_s: int) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class CannotStore(ModuletreeError):
    """What was to be kept cannot be written now: the disk is full, or another process holds the database."""
