"""The distinct shapes of a tree as rows, and what is one and the same in it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.pages import filters
from app.pages.hues import hues
from app.pages.links import module_url
from app.pages.marks import shape_text, swatch_of
from app.pages.visible import clipped
from app.translation import gettext as _
from app.trees.index import TreeIndex
from app.trees.runs_of_names import SEPARATOR, numbered
from app.trees.shape_graph import Shape, Sharing, TensorFacts, shape_graph

MOST_SHAPES = 300
MOST_PARTS = 12
MOST_SHARED = 100
MOST_NAMES = 6


@dataclass(frozen=True, slots=True)
class TensorPart:
    """A tensor of a shape."""

    name: str
    about: str


@dataclass(frozen=True, slots=True)
class ChildPart:
    """A child of a shape, or many whose names count up, and which shape they have."""

    name: str
    count: int
    number: int


@dataclass(frozen=True, slots=True)
class ShapeRow:
    """One distinct shape; `more` say what of it is not listed."""

    number: int
    class_name: str
    swatch: str
    extra_repr: str
    num_parameters: int
    num_places: int
    url: str
    parameters: tuple[TensorPart, ...]
    more_parameters: int
    buffers: tuple[TensorPart, ...]
    more_buffers: int
    children: tuple[ChildPart, ...]
    more_children: int


@dataclass(frozen=True, slots=True)
class SharedPlace:
    """One of the places of what is shared."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class SharedRow:
    """A module, parameter or buffer that stands at several places."""

    kind: str
    places: tuple[SharedPlace, ...]
    num_places: int


@dataclass(frozen=True, slots=True)
class ShapesView:
    """The shapes of a subtree in pre-order of first appearance, and what they do not say."""

    shapes: tuple[ShapeRow, ...]
    num_shapes: int
    num_places: int
    shared: tuple[SharedRow, ...]
    num_shared: int
    num_frozen: int
    num_eval: int


def shapes_view(index: TreeIndex, tree_id: str, top: int) -> ShapesView:
    """Return the shapes of the module at a row and all below: some 300 of them, and 100 things that are shared."""
    graph = shape_graph(index, top)
    return ShapesView(
        shapes=tuple(_shapes(index, tree_id, top, graph.shapes[:MOST_SHAPES])),
        num_shapes=len(graph.shapes),
        num_places=index.end[top] - top,
        shared=tuple(_shared(index, tree_id, top, one) for one in graph.shared[:MOST_SHARED]),
        num_shared=len(graph.shared),
        num_frozen=sum(count for _, count in graph.frozen),
        num_eval=sum(count for _, count in graph.eval),
    )


def _shapes(index: TreeIndex, tree_id: str, top: int, shapes: Sequence[Shape]) -> Iterator[ShapeRow]:
    shape = index.shapes.shape[top : index.end[top]]
    num_places = Counter(shape)
    # Shapes are numbered as they appear, which is the order of a Counter too.
    at, firsts = 0, list[int]()
    for number in list(num_places)[: len(shapes)]:
        at = shape.index(number, at)
        firsts.append(top + at)
    slots = hues(cls.name for cls in index.classes)
    paths = index.paths(firsts)
    for number, (one, row, path) in enumerate(zip(shapes, firsts, paths, strict=True)):
        count = int(index.totals.num_parameters[row])
        yield ShapeRow(
            number=number,
            class_name=index.classes[index.class_id[row]].shown,
            swatch=swatch_of(one.class_name, slots, count),
            extra_repr=one.extra_repr,
            num_parameters=count,
            num_places=num_places[index.shapes.shape[row]],
            url=module_url(tree_id, path, row),
            parameters=_tensors(one.parameters),
            more_parameters=max(0, len(one.parameters) - MOST_PARTS),
            buffers=_tensors(one.buffers),
            more_buffers=max(0, len(one.buffers) - MOST_PARTS),
            children=tuple(_child(name, of) for name, of in one.children[:MOST_PARTS]),
            more_children=max(0, len(one.children) - MOST_PARTS),
        )


def _tensors(tensors: Sequence[TensorFacts]) -> tuple[TensorPart, ...]:
    return tuple(_tensor(*facts) for facts in tensors[:MOST_PARTS])


def _tensor(name: object, shape: object, dtype: object, persistent: object = True) -> TensorPart:
    about = f"{shape_text(shape if isinstance(shape, list) else None)} {dtype}"
    return TensorPart(str(name), about if persistent else f"{about}, {_('not persistent')}")


def _child(name: str, number: int) -> ChildPart:
    first, last = map(numbered, (name.partition(SEPARATOR)[0], name.partition(SEPARATOR)[2]))
    if first is None or last is None:
        return ChildPart(name, 1, number)
    return ChildPart(f"({name.replace(SEPARATOR, filters.DASH)})", last.number - first.number + 1, number)


def _shared(index: TreeIndex, tree_id: str, top: int, sharing: Sharing) -> SharedRow:
    rows = [top + row for row in sharing.rows[:MOST_NAMES]]
    names = sharing.names[:MOST_NAMES] or [""] * len(rows)
    places = tuple(_place(index, tree_id, row, name) for row, name in zip(rows, names, strict=True))
    return SharedRow(_(sharing.kind), places, len(sharing.rows))


def _place(index: TreeIndex, tree_id: str, row: int, name: str) -> SharedPlace:
    path = index.path(row)
    whole = ".".join(part for part in (path, name) if part)
    return SharedPlace(clipped(whole) if whole else _("the root"), module_url(tree_id, path, row))
