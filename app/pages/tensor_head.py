"""What the three pages of a tensor say at their top: which one it is, and where the other two are."""

from dataclasses import dataclass

from app.pages.links import module_url, with_query
from app.pages.marks import shape_text
from app.pages.visible import quoted
from app.translation import N_
from app.translation import gettext as _
from app.trees.index import TreeIndex
from app.trees.tensors import TensorColumns

VIEWS = {"values": N_("Values"), "stats": N_("Statistics"), "heat_map": N_("Heat map")}


@dataclass(frozen=True, slots=True)
class TensorTab:
    """One of a tensor's pages."""

    key: str
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class TensorHead:
    """A parameter or a buffer, as a heading."""

    target: str
    above: str
    name: str
    kind: str
    shape: str
    dtype: str
    numel: int
    num_bytes: int
    module_url: str
    view: str
    tabs: tuple[TensorTab, ...]


def tensor_head(
    index: TreeIndex, tree_id: str, columns: TensorColumns, entry: int, target: str, view: str
) -> TensorHead:
    """Return the heading of the tensor at `target`, of which `view` is looked at."""
    kind = index.kinds.all[columns.kind[entry]]
    is_parameter = columns is index.parameters
    above, dot, name = target.rpartition(".")
    tab = "parameters" if is_parameter else "buffers"
    return TensorHead(
        target=target,
        above=above + dot,
        name=name,
        kind=N_("parameter") if is_parameter else N_("buffer"),
        shape=shape_text(kind.shape),
        dtype=kind.dtype_name,
        numel=kind.numel,
        num_bytes=kind.num_bytes,
        module_url=module_url(tree_id, above, columns.owner[entry], tab=tab),
        view=view,
        tabs=tensor_tabs(tree_id, target),
    )


def tensor_tabs(tree_id: str, target: str) -> tuple[TensorTab, ...]:
    """Return the pages of the tensor at `target`."""
    return tuple(TensorTab(key, _(label), tensor_url(tree_id, target, key)) for key, label in VIEWS.items())


def tensor_url(tree_id: str, target: str, view: str = "values", **query: str) -> str:
    """Return one of the pages of the tensor at `target`."""
    return with_query(f"/trees/{tree_id}/{view}", target=target, **query)


def tensor_code(head: TensorHead) -> str:
    """Return the expression for the tensor."""
    return f"model.get_{head.kind}({quoted(head.target)})"
