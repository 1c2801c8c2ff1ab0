"""What a LinearSpec will build, before it is opened: its modules as rows, and the Python that makes them."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.pages.build_rows import DEEPEST, fits
from app.trees.code import python_of
from app.trees.index import TreeIndex
from app.trees.limits import Limits
from app.trees.sources.linear import open_linear
from app.trees.spec import LinearSpec, parse_spec
from app.trees.spec_text import number_text, tensor_text


@dataclass(frozen=True, slots=True)
class SpecRow:
    """One module of a preview; "" is a number that will be drawn."""

    name: str
    depth: int
    weight: str
    bias: str
    buffers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SpecPreview:
    """A preview; of a spec that is more than fits only the number of its modules."""

    num_modules: int
    rows: tuple[SpecRow, ...]
    python: str


def spec_preview(source: Mapping[str, object], limits: Limits) -> SpecPreview:
    """Return what the source of a LinearSpec will build; raises what is wrong with it."""
    spec = parse_spec(
        source.get("root"), max_modules=limits.max_modules, max_depth=limits.max_depth, loc=("source", "root")
    )
    index = TreeIndex.of(open_linear(source, limits), max_modules=limits.max_modules, max_depth=limits.max_depth)
    if not fits(index):
        return SpecPreview(len(spec), (), "")
    drawn = set() if source.get("seed") is not None else _drawn(spec)
    rows = tuple(_row(index, row, drawn) for row in range(len(spec)))
    return SpecPreview(len(spec), rows, python_of(index, drawn))


def _drawn(spec: LinearSpec) -> set[tuple[int, str]]:
    columns = (("weight", spec.weight), ("bias", spec.bias))
    return {(row, name) for name, column in columns for row, number in enumerate(column) if number is None}


def _row(index: TreeIndex, row: int, drawn: set[tuple[int, str]]) -> SpecRow:
    weight, bias = (
        "" if (row, index.parameters.name[entry]) in drawn else number_text(index.parameters.tensor[entry].item())
        for entry in index.own(index.parameters, row)
    )
    buffers = tuple(
        (index.buffers.name[entry], tensor_text(index.buffers.tensor[entry])[:80])
        for entry in index.own(index.buffers, row)
    )
    return SpecRow(index.name[row], min(index.depth[row], DEEPEST), weight, bias, buffers)
