"""The tree that a command is about: one of a server, by its id or name, or a source that is opened for it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any

import msgspec
import typer

from app.client import Client, NotAllowed, NotModuletree, Tree, Unreachable
from app.commands.arguments import shortened
from app.commands.private import private_client
from app.commands.reached import client_of, told_in_a_line
from app.errors import Invalid, ModuletreeError
from app.errors import NotFound as NoSuchSource
from app.running import fail
from app.terminal.named import Named, named

TREE_ID = re.compile(r"t_[a-z2-7]{10}")
MOST_IDS = 3
UNTRAINABLE: dict[object, str] = {
    "checkpoint": "is a checkpoint, which holds tensors and no forward.",
    "config": "is a config, whose model has shapes and no values.",
}


class Where(Enum):
    """Which server is to do it: one that is there, one of its own, or the latter where the former is missing."""

    THERE = auto()
    PRIVATE = auto()
    EITHER = auto()

    @classmethod
    def of(cls, *, private: bool, detach: bool) -> "Where":
        """Return what the options of a command ask for."""
        return cls.PRIVATE if private else cls.THERE if detach else cls.EITHER


@dataclass(frozen=True, slots=True)
class Reached:
    """A tree, and a client of the server that has it; `is_private` is one that is gone with the command."""

    client: Client
    tree: Tree
    is_private: bool = False


@contextmanager
def reached_tree(reach: dict[str, Any], tree: str, kwargs: str | None, where: Where) -> Iterator[Reached]:
    """The tree that was named, on the server that was named, or opened on one of its own.

    What goes wrong, also with what is done inside, is told in one line.
    """
    source = _source(tree, kwargs)
    client, is_named = client_of(reach)
    is_needed = where is Where.THERE or is_named or source is None
    with told_in_a_line(), client:
        found = None if where is Where.PRIVATE else found_tree(client, tree, source, is_needed=is_needed)
        if found is not None:
            yield Reached(client, found)
        elif source is None:
            fail(f"{shortened(tree)} is no source to open: name a callable, as module:name, or give JSON.", 2)
        else:
            with private_client(source.allow_import) as own:
                yield Reached(own, own.open_tree(source.document), is_private=True)


def find_tree(client: Client, text: str) -> Tree | None:
    """Return the tree of that id or that name; leaves where several have the name."""
    if TREE_ID.fullmatch(text):
        return client.get_tree(text)
    found = [tree for tree in client.list_trees() if tree.name == text]
    if len(found) > 1:
        ids = ", ".join(tree.id for tree in found[:MOST_IDS])
        more = ", ..." if len(found) > MOST_IDS else ""
        fail(f"{len(found):,} trees have the name {shortened(text)}: name one by its id, {ids}{more}.", 2)
    return found[0] if found else None


def found_tree(client: Client, text: str, source: Named | None, *, is_needed: bool) -> Tree | None:
    """Return the tree on the server, opened there if need be; None where there is no server and need be none."""
    try:
        tree = None if text.startswith("{") else find_tree(client, text)
        return tree or _opened(client, text, source)
    except (Unreachable, NotModuletree):
        if is_needed:
            raise
    typer.echo(f"moduletree: no server at {client.url}: one of its own trains this, gone at the end.", err=True)
    return None


def _opened(client: Client, text: str, source: Named | None) -> Tree:
    if source is None:
        where = f"at {client.url}, and no such source"
        fail(f"There is no tree {shortened(text)} {where}. A tree is named by its id or name.", 2)
    try:
        return client.open_tree(source.document)
    except NotAllowed as error:
        fail(f"{error.detail} Or --private: on a server of its own.", 2)


def _source(text: str, kwargs: str | None) -> Named | None:
    """Return the source that a text names, None where it names none: it may be the name of a tree."""
    try:
        source = _document(text) if text.startswith("{") else named(text, kwargs)
    except NoSuchSource:
        return None
    except ModuletreeError as error:
        fail(error.detail, 2)
    kind = source.document.get("kind")
    if kind in UNTRAINABLE:
        fail(f"{shortened(text)} {UNTRAINABLE[kind]} What can be trained: LinearModels, or what a callable returns.", 2)
    if kind == "factory" and not text.startswith("{"):
        # On the meta device there is nothing to train.
        return replace(source, document=source.document | {"device": "cpu"})
    return source


def _document(text: str) -> Named:
    try:
        document = msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Invalid(f"TREE is {shortened(text)}, which begins like JSON and is none: {error}.") from error
    target = document.get("target")
    return Named(document, allow_import=target if isinstance(target, str) else None)
