"""The rows of a search: what was found, under the modules that lead to it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from app.pages.hues import hues
from app.pages.links import module_url
from app.pages.listed import levels_between
from app.pages.marks import Badge, Share, buffer_badge, shape_text, share_of, swatch_of
from app.pages.visible import Piece, pieces
from app.storage.trees import OpenTree
from app.trees.found_page import FoundPage, FoundRow, FoundTensor
from app.trees.search_marks import Marks
from app.trees.search_terms import Term

# Lists are nested no deeper: what is further down stands at this level.
MOST_NESTED = 24


@dataclass(frozen=True, slots=True)
class FoundLine:
    """A row of the list: a module, or, where there is a `dtype`, a tensor; `level` is how deep it is nested.

    `opens` says that rows below it follow, and `shuts` has an item for each list that ends after it.
    """

    name: tuple[Piece, ...]
    url: str
    level: int
    is_found: bool
    share: Share
    swatch: str = ""
    class_name: tuple[Piece, ...] = ()
    is_inferred: bool = False
    shape: str = ""
    dtype: str = ""
    badges: tuple[Badge, ...] = ()
    between: str = ""
    opens: bool = False
    shuts: range = range(0)


def found_lines(opened: OpenTree, found: FoundPage, term: Term) -> tuple[FoundLine, ...]:
    """Return the rows of a page with the parts of their names marked that the query asks for."""
    lines = list(_Maker(opened, Marks.of(term)).lines(found))
    below = [line.level for line in lines[1:]] + [0] * bool(lines)
    return tuple(
        replace(line, opens=following > line.level, shuts=range(line.level - following))
        for line, following in zip(lines, below, strict=True)
    )


class _Maker:
    def __init__(self, opened: OpenTree, marks: Marks) -> None:
        self.index = opened.index
        self.tree_id = opened.record.id
        self.root_name = opened.record.name
        self.marks = marks
        self.hues = hues(cls.name for cls in self.index.classes)
        self.num_parameters = int(self.index.totals.num_parameters[0])

    def lines(self, found: FoundPage) -> Iterator[FoundLine]:
        # The ends of the subtrees that a row is in, and how deep the last of them is.
        ends: list[int] = []
        depths: list[int] = [-1]
        for row in found.rows:
            while ends and ends[-1] <= row.row:
                ends.pop()
                depths.pop()
            level = min(len(ends), MOST_NESTED)
            yield self._module(row, level, row.depth - depths[-1] - 1)
            for tensor in row.tensors:
                yield self._tensor(row, tensor, level + 1)
            ends.append(self.index.end[row.row])
            depths.append(row.depth)

    def _module(self, row: FoundRow, level: int, num_between: int) -> FoundLine:
        name, classed = row.name if row.row else self.root_name, row.class_name or "?"
        return FoundLine(
            name=pieces(name, self.marks.in_name(name) if row.row else ()),
            url=module_url(self.tree_id, row.path, row.row),
            level=level,
            is_found=row.is_found,
            share=share_of(row.num_parameters, self.num_parameters),
            swatch=swatch_of(row.class_name, self.hues, row.num_parameters),
            class_name=pieces(classed, self.marks.in_class(classed)),
            is_inferred=row.class_status == "inferred",
            between=levels_between(num_between) if num_between else "",
        )

    def _tensor(self, row: FoundRow, tensor: FoundTensor, level: int) -> FoundLine:
        tab = "buffers" if tensor.is_buffer else "parameters"
        return FoundLine(
            name=pieces(tensor.name, self.marks.in_name(tensor.name)),
            url=module_url(self.tree_id, row.path, row.row, tab=tab),
            level=level,
            is_found=True,
            share=share_of(tensor.numel, self.num_parameters),
            shape=shape_text(tensor.shape),
            dtype=tensor.dtype,
            badges=(buffer_badge(True),) if tensor.is_buffer else (),
        )
