"""Where a tree comes from: its source, the files of a checkpoint with their metadata, and what was noted on the way."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import msgspec
from fastapi import APIRouter, Request, Response

from app.api.dependencies import TreesDep
from app.api.origin import OriginFile, OriginRow
from app.pages.calls import Call, origin_of, over_http
from app.pages.links import with_query
from app.pages.templating import READING, Context, page
from app.pages.tree_head import TreeHead, tree_head
from app.pages.visible import clipped, printed
from app.storage.records import TreeRecord
from app.translation import gettext as _

router = APIRouter(include_in_schema=False)

MOST_METADATA = 200
MOST_FILES = 500
MOST_CHARS = 4_000


@dataclass(frozen=True, slots=True)
class SourceFact:
    """One thing that is known of the source."""

    label: str
    value: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class MetadataEntry:
    """One text of a checkpoint's `__metadata__`, in lines where it is JSON; `is_cut` where it is longer than shown."""

    key: str
    text: str
    is_cut: bool


@dataclass(frozen=True, slots=True)
class OriginPage(Context):
    """What a tree was opened from."""

    template: ClassVar[str] = "origin.html"

    tree: TreeHead
    facts: tuple[SourceFact, ...]
    notes: tuple[str, ...]
    inputs: tuple[str, ...]
    trace_url: str
    files: tuple[OriginFile, ...]
    num_files: int
    stored_bytes: int | None
    metadata: tuple[MetadataEntry, ...]
    num_metadata: int
    document: str
    is_cut: bool
    opened_at: datetime
    raw_url: str
    calls: tuple[Call, ...]


@router.api_route("/trees/{tree_id}/origin", methods=READING)
def show_origin(request: Request, trees: TreesDep, tree_id: str) -> Response:
    """What the tree was opened from."""
    history = trees.history(tree_id)
    with trees.reading(tree_id) as opened:
        row, head, record = OriginRow.of(opened), tree_head(opened, history, "origin"), opened.record
    path = f"/api/trees/{tree_id}/origin"
    document = printed(msgspec.json.format(msgspec.json.encode(record.source), indent=2).decode())
    return page(
        OriginPage(
            tree=head,
            facts=tuple(_facts(record, row.format)),
            notes=tuple(map(printed, row.notes)),
            inputs=tuple(row.inputs),
            trace_url=with_query(f"/trees/{tree_id}/trace", input=";".join(row.inputs)),
            files=tuple(row.files[:MOST_FILES]),
            num_files=len(row.files),
            stored_bytes=row.stored_bytes,
            metadata=tuple(_metadata(row.metadata)),
            num_metadata=len(row.metadata),
            document=document[:MOST_CHARS],
            is_cut=len(document) > MOST_CHARS,
            opened_at=record.created_at,
            raw_url=path,
            calls=(over_http(origin_of(request), path),),
        )
    )


def _facts(record: TreeRecord, form: str | None) -> Iterator[SourceFact]:
    source = record.source
    match source.get("kind"):
        case "factory":
            yield SourceFact(_("Factory"), str(source.get("target")), _("called with the arguments below"))
            yield SourceFact(_("Device"), str(source.get("device", "meta")), _("where it was built"))
        case "config":
            yield SourceFact(_("Config"), str(record.facts.class_name), _("built by transformers, nothing downloaded"))
            yield SourceFact(_("Device"), "meta", _("shapes and no values"))
        case "checkpoint":
            is_upload = "upload" in source
            yield SourceFact(_("Checkpoint"), clipped(str(source.get("path")), 200), _("uploaded") if is_upload else "")
            yield SourceFact(_("Format"), form or "", _("only its headers were read"))
        case kind:
            yield SourceFact(_("Made here"), f"{kind}", "LinearModels")


def _metadata(metadata: Mapping[str, str]) -> Iterator[MetadataEntry]:
    for key, text in list(metadata.items())[:MOST_METADATA]:
        shown = printed(_in_lines(text))
        yield MetadataEntry(clipped(key, 80), shown[:MOST_CHARS], len(shown) > MOST_CHARS)


def _in_lines(text: str) -> str:
    if text[:1] not in ("{", "["):
        return text
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
