"""The page of a search; the box of the tree's page takes its rows while somebody types."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from fastapi import APIRouter, Query, Request, Response

from app.api.cursors import cursor_of, start_of
from app.api.dependencies import TreesDep
from app.errors import Invalid, TargetNotFound
from app.pages import filters
from app.pages.calls import Call, origin_of, over_http
from app.pages.forms import unread
from app.pages.found_rows import FoundLine, found_lines
from app.pages.links import module_url, tree_url, with_query
from app.pages.templating import READING, Context, page
from app.pages.tree_head import TreeHead, tree_head
from app.pages.visible import clipped
from app.storage.trees import OpenTree, Trees
from app.translation import ngettext
from app.trees.found_page import DEFAULT_LIMIT, MAX_LIMIT, FoundPage
from app.trees.index import TreeIndex
from app.trees.search import Searcher

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class SearchPage(Context):
    """What a search found; `problem` is what of the query cannot be read, `target_url` the module it is the path of."""

    template: ClassVar[str] = "search.html"

    tree: TreeHead
    q: str
    said: str
    problem: str
    target_url: str
    lines: tuple[FoundLine, ...]
    first_url: str
    next_url: str
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What is searched for."""

    q: str
    limit: int
    cursor: str | None
    origin: str


@router.api_route("/trees/{tree_id}/search", methods=READING)
def show_search(
    request: Request,
    trees: TreesDep,
    tree_id: str,
    q: str = "",
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """What a query finds, in tree order."""
    shown = search_page(trees, tree_id, SearchQuery(q, limit, cursor, origin_of(request)))
    return page(shown, 422 if shown.problem else 200)


def search_page(trees: Trees, tree_id: str, query: SearchQuery) -> SearchPage:
    """Return the page of a search; an empty query finds nothing here."""
    history = trees.history(tree_id)
    with trees.reading(tree_id) as opened:
        start = start_of(query.cursor, opened.record.revision)
        result = _searched(opened, query, start)
        following = result.next
        cursor = "" if following is None else cursor_of(opened.record.revision, following)
        return SearchPage(
            tree=tree_head(opened, history, "search"),
            q=query.q,
            said=result.said,
            problem=result.problem,
            target_url=_target_url(opened.index, tree_id, query.q.strip()) if result.num_found != 1 else "",
            lines=result.lines,
            first_url=_url(tree_id, query, "") if start else "",
            next_url=_url(tree_id, query, cursor) if cursor else "",
            calls=(over_http(query.origin, f"/api/trees/{tree_id}/search", q=query.q),),
        )


@dataclass(frozen=True, slots=True)
class _Result:
    said: str = ""
    problem: str = ""
    num_found: int = 0
    lines: tuple[FoundLine, ...] = ()
    next: int | None = None


def _searched(opened: OpenTree, query: SearchQuery, start: int) -> _Result:
    if not query.q.strip():
        return _Result()
    try:
        found = Searcher(opened.index).search(query.q)
    except Invalid as error:
        return _Result(problem=unread(error))
    listed = found.page(start, query.limit)
    num_found = listed.num_modules + listed.num_tensors
    lines = found_lines(opened, listed, found.term)
    return _Result(_said(opened.index, query.q, listed), "", num_found, lines, listed.next)


def _said(index: TreeIndex, q: str, found: FoundPage) -> str:
    modules, tensors = found.num_modules, found.num_tensors
    said = []
    if modules:
        said.append(ngettext("%(num)s module", "%(num)s modules", modules, num=filters.exact(modules)))
    if tensors:
        said.append(ngettext("%(num)s tensor", "%(num)s tensors", tensors, num=filters.exact(tensors)))
    if said:
        return ", ".join(said)
    one, many = 'Nothing matches "%(q)s" in %(num)s module.', 'Nothing matches "%(q)s" in %(num)s modules.'
    return ngettext(one, many, len(index), q=clipped(q, 60), num=filters.exact(len(index)))


def _target_url(index: TreeIndex, tree_id: str, target: str) -> str:
    try:
        return module_url(tree_id, target, index.row(target)) if target else ""
    except TargetNotFound:
        return ""


def _url(tree_id: str, query: SearchQuery, cursor: str) -> str:
    limit = "" if query.limit == DEFAULT_LIMIT else str(query.limit)
    return with_query(f"{tree_url(tree_id)}/search", q=query.q, limit=limit, cursor=cursor)
