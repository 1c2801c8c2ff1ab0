"""Trees: open, list, rename, delete."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Query, Request, Response

from app.api import examples, requests, schemas
from app.api.answers import JSON, TreeId
from app.api.bodies import JsonRoute, in_body
from app.api.cursors import cursor_of, numbers_of
from app.api.dependencies import TreesDep
from app.api.documents import LOCATION, answer, failures, view
from app.api.entity_tags import IfMatch, etag_of, is_cached
from app.storage.records import Can, TreeRecord
from app.trees.views import DEFAULT_LIMIT, MAX_LIMIT

router = APIRouter(prefix="/api/trees", tags=["Trees"], route_class=JsonRoute)

NEW_TREES: Any = {
    "linear": {"summary": "LinearModels by nested spec", "value": examples.NEW_TREE},
    "grid": {"summary": "A full tree", "value": examples.NEW_GRID},
    "factory": {"summary": "What a callable returns", "value": examples.NEW_FACTORY},
    "config": {"summary": "A Hugging Face config", "value": examples.NEW_CONFIG},
    "checkpoint": {"summary": "A file under a root", "value": examples.NEW_CHECKPOINT},
}


class TreeRow(msgspec.Struct, kw_only=True):
    """A tree as answers hold it; not by Pydantic, whose dump of `source` ends 255 levels down."""

    id: str
    name: str
    source: dict[str, object]
    revision: int
    class_name: str
    num_modules: int
    num_parameters: int
    num_trainable: int
    num_buffers: int
    num_bytes: int
    depth: int
    fingerprint: str
    can: Can
    can_undo: bool
    can_redo: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, record: TreeRecord) -> "TreeRow":
        """Return the row of a record."""
        facts = msgspec.structs.asdict(record.facts)
        return cls(
            id=record.id,
            name=record.name,
            source=record.source,
            revision=record.revision,
            can_undo=record.can_undo,
            can_redo=record.can_redo,
            created_at=record.created_at,
            updated_at=record.updated_at,
            **facts,
        )


def tree_answer(record: TreeRecord, status: int = 200, **headers: str) -> Response:
    """Answer with a tree; its revision is the ETag."""
    headers |= {"etag": etag_of(record.revision), "cache-control": "no-cache"}
    return Response(msgspec.json.encode(TreeRow.of(record)), status, headers, JSON)


@router.post(
    "",
    operation_id="open_tree",
    status_code=201,
    response_model=schemas.Tree,
    responses={201: answer(examples.CONFIG_TREE, **LOCATION), **failures(403, 404, 409, 413, 422)},
)
def open_tree(trees: TreesDep, body: Annotated[requests.NewTree, Body(openapi_examples=NEW_TREES)]) -> Response:
    """Open a tree: LinearModels, what a factory makes, the architecture of a config, or a checkpoint's keys.

    403 is a `target` that the server's table has not, or a `path` under none of its roots: `detail` names the option
    that would allow it. 409 is a config where the package `transformers` is missing, or a build that ended by itself,
    413 what would take more modules, memory or time than the server gives. 422 lists in `errors` every argument that
    does not fit its signature and every value of a config that is out of bounds, and says of a checkpoint which rule of
    its format it breaks; what cannot be built on `meta` has its entry at `source.device`.
    """
    with in_body():
        record = trees.open(dict(body.source), body.name)
    return tree_answer(record, 201, location=f"/api/trees/{record.id}")


@view(
    router,
    "",
    response_model=schemas.TreeList,
    responses={200: {"content": {JSON: {"example": examples.page(examples.TREE)}}}, **failures(422)},
)
def list_trees(
    trees: TreesDep,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Most items of a page.")] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(description="`next` of the page before.", max_length=200)] = None,
) -> Response:
    """All trees, newest first."""
    records, before = trees.newest(limit, None if cursor is None else numbers_of(cursor, 1)[0])
    rows = [TreeRow.of(record) for record in records]
    following = None if before is None else cursor_of(before)
    return Response(
        msgspec.json.encode({"items": rows, "total": trees.count(), "next": following}),
        headers={"cache-control": "no-cache"},
        media_type=JSON,
    )


@view(
    router,
    "/{tree_id}",
    response_model=schemas.Tree,
    responses={200: answer(examples.TREE), **failures(404)},
)
def get_tree(request: Request, trees: TreesDep, tree_id: TreeId) -> Response:
    """One tree; its ETag is its revision."""
    record = trees.get(tree_id)
    found = tree_answer(record)
    # A new name, an undo and a redo change what is answered under a revision that was there before.
    if record.is_revision_fresh and is_cached(request.headers.get("if-none-match"), found.headers["etag"]):
        return Response(status_code=304, headers={"etag": found.headers["etag"], "cache-control": "no-cache"})
    return found


@router.patch(
    "/{tree_id}",
    operation_id="rename_tree",
    response_model=schemas.Tree,
    responses={200: answer(examples.TREE), **failures(404, 412, 422)},
)
def rename_tree(
    trees: TreesDep,
    tree_id: TreeId,
    if_match: IfMatch,
    body: Annotated[requests.TreeName, Body(openapi_examples={"name": {"value": {"name": "my first tree"}}})],
) -> Response:
    """Give the tree another name; its revision stays."""
    return tree_answer(trees.rename(tree_id, body.name, if_match))


@router.delete(
    "/{tree_id}",
    operation_id="delete_tree",
    status_code=204,
    responses={204: {"description": "Deleted"}, **failures(404, 412)},
)
def delete_tree(trees: TreesDep, tree_id: TreeId, if_match: IfMatch) -> Response:
    """Delete the tree with its revisions; its runs are kept and say that the tree is gone."""
    trees.delete(tree_id, if_match)
    return Response(status_code=204)
