"""The lists of nn.Module, each a page at the path of its JSON view without /api."""

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app.api.cursors import cursor_of, start_of
from app.api.dependencies import RunsDep, TreesDep
from app.errors import Invalid
from app.pages.calls import Call, in_pytorch, module_code, origin_of, over_http
from app.pages.forms import unread
from app.pages.lens_rows import LensRows
from app.pages.links import with_query
from app.pages.listed_rows import ListedRows, Option
from app.pages.look import LookDep
from app.pages.prints import prints_of_modules, prints_of_tensors
from app.pages.templating import READING, page
from app.pages.trees import tree_page
from app.storage.trees import OpenTree
from app.translation import gettext as _
from app.trees.search import Searcher
from app.trees.tensors import Ints, TensorColumns

router = APIRouter(include_in_schema=False)

PAGE = 200
MOST = 1_000
KINDS = ("modules", "parameters", "buffers", "children")
LISTS = (*KINDS, *(f"named_{kind}" for kind in KINDS))


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What of a list is asked for."""

    target: str
    recurse: bool
    remove_duplicate: bool
    limit: int
    cursor: str | None
    q: str
    origin: str


async def _query(
    request: Request,
    target: str = "",
    recurse: bool = True,
    remove_duplicate: bool = True,
    limit: Annotated[int, Query(ge=1, le=MOST)] = PAGE,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    q: str = "",
) -> ListQuery:
    return ListQuery(target, recurse, remove_duplicate, limit, cursor, q.strip(), origin_of(request))


QueryDep = Annotated[ListQuery, Depends(_query)]


def _list(method: str) -> None:
    def show(trees: TreesDep, runs: RunsDep, look: LookDep, query: QueryDep, module: str = "") -> Response:
        seen = replace(look, target=module or query.target)
        kind = method.removeprefix("named_")
        shown = tree_page(trees, runs, seen, kind, lambda opened: _rows(opened, method, query))
        return page(shown, 422 if shown.listed and shown.listed.problem else look.traced.status)

    router.add_api_route(f"/trees/{{tree_id}}/{method}", show, methods=READING, name=method)


for _method in LISTS:
    _list(_method)


def _rows(opened: OpenTree, method: str, query: ListQuery) -> ListedRows:
    """Return a page of a list, an empty one where `q` cannot be read; raises `TargetNotFound` with torch's message."""
    kind = method.removeprefix("named_")
    is_named = method != kind
    tree_id = opened.record.id
    other = kind if is_named else f"named_{kind}"
    listed = _Listed(opened, kind, query)
    start = min(start_of(query.cursor, opened.record.revision), len(listed.all))
    chosen = listed.all[start : start + query.limit]
    rows = LensRows(opened.index, tree_id)
    modules = tuple(rows.modules(chosen, listed.top)) if kind in ("modules", "children") else ()
    tensors = {"parameters": rows.parameters, "buffers": rows.buffers}.get(kind)
    following = start + len(chosen) if start + len(chosen) < len(listed.all) else None
    cursor = "" if following is None else cursor_of(opened.record.revision, following)
    return ListedRows(
        method=method,
        other=other,
        other_url=with_query(f"/trees/{tree_id}/{other}", target=query.target, q=query.q),
        kind=kind,
        is_named=is_named,
        is_live=bool(listed.all) and not query.target and not query.q,
        empty=_empty(kind),
        target=query.target,
        q=query.q,
        problem=listed.problem,
        options=listed.options(is_named),
        modules=modules,
        tensors=tuple(tensors(chosen, listed.top)) if tensors else (),
        first=start + 1 if chosen else 0,
        total=len(listed.all),
        first_url=listed.url(method, "") if start else "",
        next_url=listed.url(method, cursor) if cursor else "",
        calls=listed.calls(method, chosen),
    )


def _empty(kind: str) -> str:
    match kind:
        case "modules":
            return _("No modules.")
        case "children":
            return _("It has no children.")
        case "parameters":
            return _("No parameters here.")
        case _kind:
            return _("No buffers here. A buffer is registered on a module's own page, under Change.")


class _Listed:
    """All rows, or entries, of a list, and how it is called."""

    def __init__(self, opened: OpenTree, kind: str, query: ListQuery) -> None:
        self.index = opened.index
        self.tree_id = opened.record.id
        self.kind = kind
        self.query = query
        self.top = opened.index.row(query.target)
        self.problem = ""
        try:
            self.all: list[int] = self._all().tolist()
        except Invalid as error:
            self.problem, self.all = unread(error), []

    def _all(self) -> Ints:
        index, top, query, searcher = self.index, self.top, self.query, Searcher(self.index)
        match self.kind:
            case "modules":
                rows = index.listed(top, remove_duplicate=query.remove_duplicate)
                return searcher.among_modules(rows, query.q)
            case "children":
                return searcher.among_modules(index.distinct_children(top), query.q)
            case _:
                columns = self._columns()
                stop = columns.start[index.end[top] if query.recurse else top + 1]
                start, duplicates = columns.start[top], query.remove_duplicate
                entries = columns.listed(start, stop, remove_duplicate=duplicates)
                return searcher.among_tensors(columns, entries, query.q)

    def _columns(self) -> TensorColumns:
        return self.index.parameters if self.kind == "parameters" else self.index.buffers

    def options(self, is_named: bool) -> tuple[Option, ...]:
        query = self.query
        duplicate = Option("remove_duplicate", query.remove_duplicate)
        match self.kind:
            case "modules":
                return (duplicate,)
            case "children":
                return ()
            case _:
                recurse = Option("recurse", query.recurse)
                return (recurse, duplicate) if is_named else (recurse,)

    def _changed(self, is_named: bool) -> dict[str, bool]:
        return {option.name: option.is_on for option in self.options(is_named) if not option.is_on}

    def url(self, method: str, cursor: str) -> str:
        limit = "" if self.query.limit == PAGE else str(self.query.limit)
        options = dict.fromkeys(self._changed(method != self.kind), "false")
        path = f"/trees/{self.tree_id}/{method}"
        return with_query(path, target=self.query.target, q=self.query.q, **options, limit=limit, cursor=cursor)

    def calls(self, method: str, chosen: list[int]) -> tuple[Call, ...]:
        changed = self._changed(method.startswith("named_"))
        given = ", ".join(f"{name}={is_on}" for name, is_on in changed.items())
        one = {"children": "module", "modules": "module", "parameters": "parameter", "buffers": "buffer"}[self.kind]
        each = f"name, {one}" if method.startswith("named_") else one
        code = f"for {each} in {module_code(self.query.target)}.{method}({given}):\n    print({each})"
        output = self._prints(chosen, method.startswith("named_"))
        options = dict.fromkeys(changed, "false")
        path = f"/api/trees/{self.tree_id}/{method}"
        http = over_http(self.query.origin, path, target=self.query.target, q=self.query.q, **options)
        # PyTorch has no search: the walk alone would print more than is listed.
        return (http,) if self.query.q else (in_pytorch(code, output), http)

    def _prints(self, chosen: list[int], named: bool) -> str:
        if self.kind in ("modules", "children"):
            return prints_of_modules(self.index, chosen, self.top, named=named)
        return prints_of_tensors(self.index, self._columns(), chosen, self.top, named=named)
