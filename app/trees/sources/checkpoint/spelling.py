"""`Spelling`: which place of an architecture the name of each tensor in a file means.

Libraries save the same model under names that differ in their beginning: with the prefix of the base model or without
it, or all below one more part (`module.`, `_orig_mod.`, `model.`, the only branch of a dict).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from app.translation import said
from app.trees.sources.checkpoint.contents import Contents
from app.trees.sources.checkpoint.places import Misplaced, Places, counted, listed


class Former(NamedTuple):
    """A tensor that the class once kept as a buffer: the row of its module, its name there, its entry in the file."""

    owner: int
    name: str
    entry: int


@dataclass(frozen=True, slots=True)
class Spelling:
    """The place of each tensor of the file by entry, -1 for one that is in `former`, and what is to be noted."""

    places: Sequence[int]
    former: Sequence[Former]
    notes: list[str]


def spell(contents: Contents, places: Places) -> Spelling:
    """Return the first spelling by which every tensor has a place; raises `Misplaced` with those that have none."""
    fewest = contents.name
    for removed in _common_parts(contents.name):
        keys = [name[len(removed) :] for name in contents.name]
        found = [places.find(key) for key in keys]
        homeless = next((key for key, place in zip(keys, found, strict=True) if place < 0), None)
        for added in ["", *(places.prefixes(homeless) if homeless is not None else [])]:
            below = [at if at >= 0 else places.find(added + key) for key, at in zip(keys, found, strict=True)]
            former, rest = _former(contents, places, keys, below, added)
            if not rest:
                return Spelling(below, former, _notes(contents, places, former, removed, added))
            fewest = rest if len(rest) < len(fewest) else fewest
    raise Misplaced(
        said(
            "%(counted)s not in %(class_name)s: %(listed)s",
            counted=counted(len(fewest)),
            class_name=places.class_name,
            listed=listed(fewest),
        )
    )


def _common_parts(names: Sequence[str]) -> Iterator[str]:
    yield ""
    part, dot, _ = names[0].partition(".") if names else ("", "", "")
    if dot and all(name.startswith(part + dot) for name in names):
        yield part + dot


def _former(
    contents: Contents, places: Places, keys: Sequence[str], found: Sequence[int], added: str
) -> tuple[list[Former], list[str]]:
    """Return the former buffers among the tensors without a place, and the names of the rest."""
    former: dict[tuple[int, str], Former] = {}
    rest = []
    for entry, place in enumerate(found):
        if place < 0:
            owners = (places.owner_of(key) for key in (keys[entry], added + keys[entry]))
            at = next((at for at in owners if at[0] > 0), (-1, ""))
            if at[0] > 0 and at not in former and _is_mask(at[1], contents.kinds[contents.kind[entry]].shape):
                former[at] = Former(*at, entry)
            else:
                rest.append(contents.name[entry])
    return list(former.values()), rest


def _is_mask(name: str, shape: tuple[int, ...] | None) -> bool:
    """Whether a tensor is a causal mask, or the number put under it, which attention once had as buffers."""
    if name == "masked_bias":
        return shape == ()
    return name == "bias" and shape is not None and len(shape) == 4 and shape[:2] == (1, 1) and shape[2] == shape[3]


def _notes(contents: Contents, places: Places, former: Sequence[Former], removed: str, added: str) -> list[str]:
    notes: list[str] = []
    if removed:
        notes.append(said("All names in the file begin with %(removed)r, which is left out here.", removed=removed))
    if added:
        notes.append(said("Names in the file leave out the %(added)r that they begin with here.", added=added))
    if any(name.endswith(("LayerNorm.gamma", "LayerNorm.beta")) for name in contents.name):
        notes.append(
            said("LayerNorm.gamma and LayerNorm.beta of the file are LayerNorm.weight and LayerNorm.bias here.")
        )
    if former:
        names = [contents.name[each.entry] for each in former]
        notes.append(
            said(
                "%(counted)s listed as buffers that %(class_name)s once had: %(listed)s.",
                counted=counted(len(names)),
                class_name=places.class_name,
                listed=listed(names),
            )
        )
    return notes
