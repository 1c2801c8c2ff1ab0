"""What every page of a tree says at its top: name, revision and history, size, and where its other views are."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.pages import filters
from app.pages.links import tree_url, with_query
from app.pages.visible import clipped
from app.storage.records import RevisionRecord, TreeRecord
from app.storage.trees import OpenTree
from app.translation import gettext as _

MOST_HISTORY = 50
MORE = (
    "search", "folded", "shapes", "receipt", "trace", "get_submodule", "get_parameter", "get_buffer", "state_dict",
    "repr", "code", "summary", "skeleton", "origin",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lens:
    """Another view of the tree."""

    key: str
    label: str
    url: str
    number: str = ""


@dataclass(frozen=True, slots=True)
class TreeHead:
    """A tree at the top of its pages; `undo` and `redo` are the notes of what they would undo or redo, or empty."""

    id: str
    name: str
    url: str
    revision: int
    source: str
    undo: str
    redo: str
    can_edit: bool
    at: str
    history: tuple[RevisionRecord, ...]
    num_parameters: int
    num_modules: int
    num_bytes: int
    lens: str
    lenses: tuple[Lens, ...]
    more: tuple[Lens, ...]


def tree_head(opened: OpenTree, history: Sequence[RevisionRecord], lens: str, target: str = "") -> TreeHead:
    """Return the head of a tree of which `lens` is being looked at, at `target`."""
    record, facts = opened.record, opened.record.facts
    notes = {each.revision: filters.noted(each.note) for each in history}
    url = tree_url(record.id)
    return TreeHead(
        id=record.id,
        name=record.name,
        url=url,
        revision=record.revision,
        source=source_text(record),
        undo=(notes.get(record.revision) or _("the last change")) if record.can_undo else "",
        redo=(notes.get(record.redo or 0) or _("the last change")) if record.can_redo else "",
        can_edit=facts.can.edit,
        at=with_query("", target=target[:500]),
        history=tuple(history[:MOST_HISTORY]),
        num_parameters=facts.num_parameters,
        num_modules=facts.num_modules,
        num_bytes=facts.num_bytes,
        lens=lens,
        lenses=tuple(_lenses(opened, url)),
        more=tuple(Lens(key, key, f"{url}/{key}") for key in MORE if key != "code" or opened.index.is_live),
    )


def _lenses(opened: OpenTree, url: str) -> list[Lens]:
    index = opened.index
    parameters, buffers = (
        columns.num_listed(0, len(columns), remove_duplicate=True) for columns in (index.parameters, index.buffers)
    )
    children = int(index.totals.num_children[0])
    return [
        Lens("tree", _("Tree"), url),
        Lens("modules", _("Modules"), f"{url}/named_modules", _number(opened.record.facts.num_modules)),
        Lens("parameters", _("Parameters"), f"{url}/named_parameters", _number(parameters)),
        Lens("buffers", _("Buffers"), f"{url}/named_buffers", _number(buffers)),
        Lens("children", _("Children"), f"{url}/named_children", _number(children)),
    ]


def _number(count: int) -> str:
    return filters.count(count) if count else "0"


def source_text(record: TreeRecord) -> str:
    """Return what the tree was opened from: `LinearModel, seed 0, forward own` or `torch.nn:Transformer, meta`."""
    source = record.source
    match source.get("kind"):
        case "factory":
            return f"{clipped(str(source.get('target')), 60)}, {source.get('device', 'meta')}"
        case "config":
            return "config, meta"
        case "checkpoint":
            return clipped(str(source.get("path")), 60) + (f", {_('uploaded')}" if "upload" in source else "")
        case "grid":
            what = f"grid {source.get('branching')} × {source.get('depth')}"
        case _:
            what = record.facts.class_name
    seed = source.get("seed")
    return f"{what}{'' if seed is None else f', seed {seed}'}, forward {source.get('forward') or 'own'}"
