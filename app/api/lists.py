"""Views that are lists: a page as JSON, or all of it as NDJSON."""

from collections.abc import Callable
from typing import Annotated, Generic, TypeVar

import msgspec
from fastapi import Depends, Query, Response
from msgspec import UNSET

from app.api.answers import JSON, NDJSON, Answers, AnswersDep
from app.api.cursors import cursor_of, start_of
from app.api.negotiation import media_type
from app.api.queries import Filter, in_query
from app.storage.trees import OpenTree
from app.trees.rows import BufferRow, ModuleRow, ParameterRow
from app.trees.views import DEFAULT_LIMIT, MAX_LIMIT, Page

Row = TypeVar("Row", bound=ModuleRow | ParameterRow | BufferRow)

LINES_A_CHUNK = 2_000
_ENCODER = msgspec.json.Encoder()

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Most items of a page.")]
Cursor = Annotated[str | None, Query(description="`next` of the page before.", max_length=200)]


class Lists:
    """Answers one request for a list; `rows` names the view of it."""

    def __init__(self, answers: Answers, limit: int, cursor: str | None, q: str) -> None:
        self.answers = answers
        self.limit = limit
        self.cursor = cursor
        self.q = q

    async def rows(
        self, list_page: Callable[..., Page[Row]], target: str, *, named: bool, **arguments: bool
    ) -> Response:
        """Return a page of a view, or all of it, as the client likes best; rows have names only where `named`."""

        def listed(opened: OpenTree, start: int, limit: int) -> Page[Row]:
            with in_query():
                return list_page(opened.index, target, q=self.q, start=start, limit=limit, **arguments)

        def page(opened: OpenTree) -> bytes:
            revision = opened.record.revision
            start = start_of(self.cursor, revision)
            return _page(listed(opened, start, self.limit), revision, named)

        def lines(opened: OpenTree, start: int) -> tuple[bytes, int | None]:
            rows = listed(opened, start, LINES_A_CHUNK)
            return _ENCODER.encode_lines(_rows(rows, named)), rows.next

        key = (list_page, named, target, self.q, *arguments.items())
        if media_type(self.answers.request.headers.get("accept"), (JSON, NDJSON)) == NDJSON:
            return await self.answers.lines(key, lines)
        return await self.answers.json((*key, self.limit, self.cursor), page)


async def _lists(answers: AnswersDep, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None, q: Filter = "") -> Lists:
    return Lists(answers, limit, cursor, q)


ListsDep = Annotated[Lists, Depends(_lists)]


class _Document(msgspec.Struct, Generic[Row]):
    items: list[Row]
    total: int
    next: str | None


def _page(page: Page[Row], revision: int, named: bool) -> bytes:
    cursor = None if page.next is None else cursor_of(revision, page.next)
    return _ENCODER.encode(_Document(_rows(page, named), page.total, cursor))


def _rows(page: Page[Row], named: bool) -> list[Row]:
    if not named:
        for row in page.items:
            row.name = UNSET
    return page.items
