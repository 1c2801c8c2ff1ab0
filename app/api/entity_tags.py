"""Entity tags: a revision as an ETag, and what `If-Match` and `If-None-Match` say of it (RFC 9110, 8.8.3 and 13.1)."""

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request

_TAG = r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"'
_ONE = re.compile(_TAG)
_LIST = re.compile(rf"[ \t,]*{_TAG}[ \t]*(?:,[ \t]*(?:{_TAG}[ \t]*)?)*")


def etag_of(revision: int) -> str:
    """Return the entity tag of a revision.

    Every encoding and media type of an answer carries the same one, so that whichever a client holds can go into
    `If-Match`; `Vary` keeps caches from mixing them, and no answer can be asked for in ranges.
    """
    return f'"{revision}"'


def is_cached(if_none_match: str | None, etag: str) -> bool:
    """Whether `If-None-Match` names the tag, weak or strong; a malformed header names nothing."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or any(f'"{opaque}"' == etag for _, opaque in _tags(if_none_match))


@dataclass(frozen=True, slots=True)
class Precondition:
    """What `If-Match` asks for: called with a revision, says whether that is one it names.

    A weak tag never matches, nor does anything in a malformed header: then nothing is changed.
    """

    header: str

    def __call__(self, revision: int) -> bool:
        if self.header.strip() == "*":
            return True
        return any(not weak and f'"{opaque}"' == etag_of(revision) for weak, opaque in _tags(self.header))

    def __str__(self) -> str:
        return self.header


def _tags(header: str) -> list[tuple[str, str]]:
    return _ONE.findall(header) if _LIST.fullmatch(header) else []


async def _if_match(
    request: Request,
    if_match: Annotated[
        str | None,
        Header(
            description='The change is made only if this names the present revision: `"3"`, a list of tags, or `*`.',
            examples=['"1"'],
        ),
    ] = None,
) -> Precondition | None:
    # A list may come as several lines, of which FastAPI gives one.
    return None if if_match is None else Precondition(", ".join(request.headers.getlist("if-match")))


IfMatch = Annotated[Precondition | None, Depends(_if_match)]
