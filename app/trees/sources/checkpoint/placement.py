"""`Placement`: the tensors of a checkpoint on the tree of an architecture, each at the place of its name."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from app.collector import collector_paused
from app.translation import said
from app.trees.description import Description, TensorTable
from app.trees.numbering import Numbering
from app.trees.sources.checkpoint.contents import Contents
from app.trees.sources.checkpoint.dtypes import DTYPES
from app.trees.sources.checkpoint.keys import KeyTree
from app.trees.sources.checkpoint.places import Misplaced, Places, counted, listed
from app.trees.sources.checkpoint.refusal import shown
from app.trees.sources.checkpoint.spelling import Former, spell

MAX_MISSING = 16
"""Parameters that a file may lack, such as those of a head; nor may they be more than a quarter of its tensors."""


@dataclass(frozen=True, slots=True)
class Placement:
    """A tree over a checkpoint's tensors, what is to be noted of it, and how many of its parameters the file lacks."""

    keys: KeyTree
    notes: list[str]
    num_missing: int


def place(contents: Contents, architecture: Description) -> Placement:
    """Return the tree with every tensor of the checkpoint in it; raises `Misplaced` where one has no place or shape.

    Classes, order, modes and what is a buffer are the architecture's. Of what the file has, the dtype is the file's,
    whether it requires a gradient if the file says so, and which names are the same tensor: two that the architecture
    ties are apart where the file has one for each. A place that the file leaves out has the tensor that it is tied to;
    else its kind stays the architecture's and its entry is -1.
    """
    with collector_paused():
        places = Places(architecture)
        spelling = spell(contents, places)
        entries = _entries(contents, places, spelling.places)
        notes = [*spelling.notes, *_tie(contents, places, entries)]
        missing = _missing(places, entries)
        num_missing = sum(at < places.num_parameters for at in missing)
        if num_missing > MAX_MISSING or 4 * num_missing > len(contents):
            some = listed([places.path(at) for at in missing[:4]])
            raise Misplaced(
                said(
                    "%(counted)s in %(class_name)s and not in the file: %(some)s",
                    counted=counted(num_missing, "parameter"),
                    class_name=places.class_name,
                    some=some,
                )
            )
        if missing:
            names = [places.path(at) for at in missing]
            notes.append(
                said(
                    "%(counted)s not in the file: %(listed)s.",
                    counted=counted(len(names)),
                    listed=listed(names, MAX_MISSING),
                )
            )
        return Placement(_tree(contents, places, entries, spelling.former), notes, num_missing)


def _entries(contents: Contents, places: Places, found: Sequence[int]) -> list[int]:
    """Return the entry of the file at each place, -1 where it has none."""
    entries = [-1] * len(places)
    for entry, at in enumerate(found):
        if at < 0:
            continue
        if entries[at] >= 0:
            names = f"{shown(contents.name[entries[at]])} and {shown(contents.name[entry])}"
            raise Misplaced(
                said("%(names)s have one place in %(class_name)s", names=names, class_name=places.class_name)
            )
        shape, due = contents.kinds[contents.kind[entry]].shape, places.shape(at)
        if shape != due:
            reason = said(
                "%(value)s is %(shape)s in the file, %(due)s in %(class_name)s",
                value=shown(contents.name[entry]),
                shape=shape,
                due=due,
                class_name=places.class_name,
            )
            raise Misplaced(reason, has_other_sizes=True)
        entries[at] = entry
    return entries


def _tie(contents: Contents, places: Places, entries: list[int]) -> list[str]:
    """Give a place that the file leaves out the tensor that it is tied to; return a note on tied ones it has apart."""
    source: dict[int, int] = {}
    apart = []
    module = places.description.same
    for at, entry in enumerate(entries):
        if entry < 0:
            continue
        other = source.setdefault(places.same[at], at)
        if contents.same[entries[other]] != contents.same[entry]:
            apart.append(places.path(at))
            if module[places.owner[at]] == module[places.owner[other]]:
                names = f"{shown(places.path(other))} and {shown(places.path(at))}"
                raise Misplaced(
                    said(
                        "%(names)s are one tensor of one module in %(class_name)s, and two in the file",
                        names=names,
                        class_name=places.class_name,
                    )
                )
    for at, entry in enumerate(entries):
        if entry < 0 and places.same[at] in source:
            entries[at] = entries[source[places.same[at]]]
    how = said(
        "tied to another in %(class_name)s but not in the file, which is what counts here", class_name=places.class_name
    )
    return [f"{counted(len(apart))} {how}: {listed(apart)}."] if apart else []


def _missing(places: Places, entries: Sequence[int]) -> list[int]:
    """Return the first place of each tensor of a state dict that the file lacks."""
    persistent = b"\1" * places.num_parameters + places.description.buffers.flag
    first: dict[int, int] = {}
    for at, entry in enumerate(entries):
        if entry < 0 and persistent[at]:
            first.setdefault(places.same[at], at)
    return list(first.values())


def _tree(contents: Contents, places: Places, entries: Sequence[int], former: Sequence[Former]) -> KeyTree:
    given, split = places.description, places.num_parameters
    kinds = Numbering((kind, number) for number, kind in enumerate(contents.kinds))
    # The numbers of tensors that the file lacks come after all of its own.
    free = max(contents.same, default=-1) + 1
    kind = [
        contents.kind[entry] if entry >= 0 else kinds[given.kinds[number]]
        for entry, number in zip(entries, places.kind, strict=True)
    ]
    same = [
        contents.same[entry] if entry >= 0 else free + number
        for entry, number in zip(entries, places.same, strict=True)
    ]
    flag = _requires_grad(contents, entries, given.parameters.flag)
    parameters = TensorTable(given.parameters.owner, given.parameters.name, kind[:split], flag, same[:split])
    buffers = TensorTable(given.buffers.owner, given.buffers.name, kind[split:], given.buffers.flag, same[split:])
    buffers, buffer_entries = _with_former(contents, buffers, entries[split:], former)
    description = msgspec.structs.replace(given, kinds=list(kinds), parameters=parameters, buffers=buffers)
    return KeyTree(description, array("q", entries[:split]), array("q", buffer_entries))


def _requires_grad(contents: Contents, entries: Sequence[int], given: bytes) -> bytes:
    can_require = [DTYPES[kind.dtype].is_differentiable for kind in contents.kinds]
    return bytes(
        flag if entry < 0 else contents.requires_grad.get(entry, bool(flag)) and can_require[contents.kind[entry]]
        for entry, flag in zip(entries, given, strict=False)
    )


def _with_former(
    contents: Contents, buffers: TensorTable, entries: Sequence[int], former: Sequence[Former]
) -> tuple[TensorTable, Sequence[int]]:
    if not former:
        return buffers, entries
    columns = (buffers.owner, buffers.name, buffers.kind, buffers.flag, buffers.same, entries)
    rows = list(zip(*columns, strict=True))
    rows += [(*each[:2], contents.kind[each.entry], 1, contents.same[each.entry], each.entry) for each in former]
    rows.sort(key=lambda row: row[0])
    owner, name, kind, flag, same, numbers = map(list, zip(*rows, strict=True))
    return TensorTable(owner, name, kind, bytes(flag), same), numbers
