"""What is known of a kept tree without opening it."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from app.trees.index import TreeIndex

ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


def new_id(prefix: str) -> str:
    """Return a fresh id: the prefix and 50 random bits as ten letters and digits."""
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(10))


def now() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)


class Can(msgspec.Struct, frozen=True):
    """What can be done with a tree."""

    train: bool
    edit: bool
    forward: bool


class Facts(msgspec.Struct, frozen=True):
    """What a revision says of the whole tree; sizes as in the contract's Tree."""

    class_name: str
    num_modules: int
    num_parameters: int
    num_trainable: int
    num_buffers: int
    num_bytes: int
    depth: int
    fingerprint: str
    can: Can

    @classmethod
    def of(cls, index: TreeIndex, *, is_made_to_train: bool = False) -> "Facts":
        """Return the facts of an index; `is_made_to_train` says of one that is not live that it can be made again."""
        totals = index.totals
        num_trainable = int(totals.num_trainable[0])
        return cls(
            class_name=index.classes[index.class_id[0]].name,
            num_modules=int(totals.num_modules[0]),
            num_parameters=int(totals.num_parameters[0]),
            num_trainable=num_trainable,
            num_buffers=int(totals.num_buffers[0]),
            num_bytes=int(totals.num_bytes[0]),
            depth=max(index.depth),
            fingerprint=index.shapes.ids[index.shapes.shape[0]],
            can=Can(
                train=num_trainable > 0 and (index.is_live or is_made_to_train),
                edit=index.is_live,
                forward=index.is_live,
            ),
        )


@dataclass(frozen=True, slots=True)
class TreeRecord:
    """A kept tree at its present revision; `note` says what made that revision, as a person would read it."""

    id: str
    name: str
    source: dict[str, object]
    revision: int
    facts: Facts
    note: str
    parent: int | None
    redo: int | None
    revision_at: datetime
    created_at: datetime
    updated_at: datetime

    @property
    def can_undo(self) -> bool:
        """Whether there is a revision before this one."""
        return self.parent is not None

    @property
    def can_redo(self) -> bool:
        """Whether an undo left this revision to come back to."""
        return self.redo is not None

    @property
    def is_revision_fresh(self) -> bool:
        """Whether nothing but the making of the revision has touched the tree: then its ETag says all of it."""
        return self.updated_at == self.revision_at


@dataclass(frozen=True, slots=True)
class RevisionRecord:
    """One revision in a tree's history; `parent` is the one it was made from, None for the first."""

    revision: int
    parent: int | None
    note: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """A revision as it is kept: the structure's bytes, and the name of the file with the values."""

    revision: int
    structure: bytes
    tensors: str
