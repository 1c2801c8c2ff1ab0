"""What a client asks of trees: open, list, rename, delete, look in, change."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from app.client.operation import Listing, Operation
from app.client.steps import Flow, Give, Plan, Query, Request, ask
from app.client.types import Buffer, Module, Page, Parameter, Tree

T = TypeVar("T")

PAGE = 1_000
TreeOrId = Tree | str


def path_of(tree: TreeOrId, *more: str) -> str:
    """Return the path of a tree, or of what is below it."""
    return "/".join(["/api/trees", quote(tree.id if isinstance(tree, Tree) else tree, safe=""), *more])


def pages(path: str, query: Query, kind: type[T], *, follow_by: str = "cursor", most: int | None = None) -> Flow[T]:
    """Give the items of a list, a page at a time: all, or `most` of them."""
    following: str | int | None = None
    while most is None or most > 0:
        more = {} if following is None else {follow_by: following}
        limit = {"limit": PAGE if most is None else min(PAGE, most)}
        answer = yield from ask(Request("GET", path, {**limit, **query, **more}))
        page: Page[T] = answer.read(Page[kind])  # type: ignore[valid-type]
        yield Give(page.items)
        following = page.next
        if following is None:
            return
        most = None if most is None else most - len(page.items)


class TreeOperations:
    """The methods of a client that are about trees; `tree` is a Tree or its id, `target` a dotted path, "" the root."""

    @Operation
    def open_tree(self, source: Mapping[str, Any], name: str | None = None) -> Plan[Tree]:
        """Open a tree from a source: `{"kind": "linear", "root": {...}}`, grid, factory, config or checkpoint."""
        named = {} if name is None else {"name": name}
        answer = yield from ask(Request("POST", "/api/trees", body={**named, "source": dict(source)}))
        return answer.read(Tree)

    @Operation
    def upload_tree(self, *files: str | os.PathLike[str], name: str | None = None) -> Plan[Tree]:
        """Open a tree from a checkpoint of this machine: a file, or an index with its shards, and a config.json."""
        form = {} if name is None else {"name": name}
        answer = yield from ask(Request("POST", "/api/trees/upload", files=[Path(file) for file in files], form=form))
        return answer.read(Tree)

    @Listing
    def list_trees(self) -> Flow[Tree]:
        """Iterate all trees, newest first."""
        return pages("/api/trees", {}, Tree)

    @Operation
    def get_tree(self, tree: TreeOrId) -> Plan[Tree]:
        """Return a tree as it is now."""
        answer = yield from ask(Request("GET", path_of(tree)))
        return answer.read(Tree)

    @Operation
    def rename_tree(self, tree: TreeOrId, name: str) -> Plan[Tree]:
        """Give a tree another name."""
        answer = yield from ask(Request("PATCH", path_of(tree), body={"name": name}))
        return answer.read(Tree)

    @Operation
    def delete_tree(self, tree: TreeOrId, *, if_revision: int | None = None) -> Plan[None]:
        """Delete a tree with its revisions; its runs are kept."""
        yield from ask(Request("DELETE", path_of(tree), headers=_if_match(if_revision)))

    @Operation
    def change(self, tree: TreeOrId, call: str, /, *, if_revision: int | None = None, **arguments: Any) -> Plan[Tree]:
        """Call a method that changes a tree: `change(tree, "register_buffer", name="buf", value=[4])`.

        `call` is any of the contract's: add_module, delete, apply, requires_grad_, undo... With `if_revision` raises
        `RevisionMismatch` where the tree is at another.
        """
        headers = _if_match(if_revision)
        answer = yield from ask(Request("POST", path_of(tree, quote(call, safe="")), body=arguments, headers=headers))
        return answer.read(Tree)

    @Operation
    def forward(self, tree: TreeOrId, x: Any) -> Plan[Any]:
        """Return what the root answers to `x`, as nested numbers."""
        answer = yield from ask(Request("POST", path_of(tree, "forward"), body={"x": x}))
        return answer.read(dict[str, Any])["y"]

    @Operation
    def state_dict(self, tree: TreeOrId) -> Plan[bytes]:
        """Return a tree's state dict as the bytes of a safetensors file."""
        answer = yield from ask(Request("GET", path_of(tree, "state_dict")))
        return answer.body

    @Operation
    def repr(self, tree: TreeOrId, target: str = "") -> Plan[str]:
        """Return what `print(module)` shows."""
        answer = yield from ask(Request("GET", path_of(tree, "repr"), {"target": target}))
        return answer.body.decode()

    @Operation
    def view(self, tree: TreeOrId, view: str, /, **query: str | int | bool | None) -> Plan[Any]:
        """Return the JSON of any other view: `view(tree, "search", q="class:Linear")`, skeleton, folded, trace..."""
        headers = {"accept": "application/json"}
        answer = yield from ask(Request("GET", path_of(tree, quote(view, safe="")), query, headers=headers))
        return answer.read(object)

    @Operation
    def get_submodule(self, tree: TreeOrId, target: str = "") -> Plan[Module]:
        """Return the module at `target`; a `NotFound` carries torch's message."""
        answer = yield from ask(Request("GET", path_of(tree, "get_submodule"), {"target": target}))
        return answer.read(Module)

    @Operation
    def get_parameter(self, tree: TreeOrId, target: str, *, stats: bool = False) -> Plan[Parameter]:
        """Return the parameter at `target`; a `NotFound` carries torch's message."""
        answer = yield from ask(Request("GET", path_of(tree, "get_parameter"), {"target": target, "stats": stats}))
        return answer.read(Parameter)

    @Operation
    def get_buffer(self, tree: TreeOrId, target: str, *, stats: bool = False) -> Plan[Buffer]:
        """Return the buffer at `target`; a `NotFound` carries torch's message."""
        answer = yield from ask(Request("GET", path_of(tree, "get_buffer"), {"target": target, "stats": stats}))
        return answer.read(Buffer)

    @Listing
    def named_modules(
        self, tree: TreeOrId, target: str = "", *, remove_duplicate: bool = True, q: str = ""
    ) -> Flow[Module]:
        """Iterate `module.named_modules(remove_duplicate)`; `q` leaves what this search finds."""
        return _view(tree, "named_modules", Module, target=target, remove_duplicate=remove_duplicate, q=q)

    @Listing
    def named_children(self, tree: TreeOrId, target: str = "", *, q: str = "") -> Flow[Module]:
        """Iterate `module.named_children()`."""
        return _view(tree, "named_children", Module, target=target, q=q)

    @Listing
    def named_parameters(
        self,
        tree: TreeOrId,
        target: str = "",
        *,
        recurse: bool = True,
        remove_duplicate: bool = True,
        stats: bool = False,
        q: str = "",
    ) -> Flow[Parameter]:
        """Iterate `module.named_parameters(recurse, remove_duplicate)`, with statistics of the values if asked for."""
        return _view(
            tree,
            "named_parameters",
            Parameter,
            target=target,
            recurse=recurse,
            remove_duplicate=remove_duplicate,
            stats=stats,
            q=q,
        )

    @Listing
    def named_buffers(
        self,
        tree: TreeOrId,
        target: str = "",
        *,
        recurse: bool = True,
        remove_duplicate: bool = True,
        stats: bool = False,
        q: str = "",
    ) -> Flow[Buffer]:
        """Iterate `module.named_buffers(recurse, remove_duplicate)`, with statistics of the values if asked for."""
        return _view(
            tree,
            "named_buffers",
            Buffer,
            target=target,
            recurse=recurse,
            remove_duplicate=remove_duplicate,
            stats=stats,
            q=q,
        )


def _view(tree: TreeOrId, view: str, kind: type[T], **query: str | bool) -> Flow[T]:
    return pages(path_of(tree, view), query, kind)


def _if_match(revision: int | None) -> dict[str, str]:
    return {} if revision is None else {"if-match": f'"{revision}"'}
