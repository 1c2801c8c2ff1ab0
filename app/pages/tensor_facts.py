"""The own tensors and the children of a module, as the inspector lists them."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.pages import filters
from app.pages.links import LONGEST_TARGET, module_url
from app.pages.marks import Badge, Share, buffer_badge, shape_text, share_of, swatch_of
from app.pages.tensor_head import tensor_url
from app.pages.visible import clipped
from app.translation import gettext as _
from app.trees.index import TreeIndex
from app.trees.rows import BufferRow, ParameterRow
from app.trees.views import buffer_rows, parameter_rows

MOST_TENSORS = 50
MOST_CHILDREN = 50
# As many as a cell of the table has room for; of more the values stand below it.
MOST_VALUES = 2


@dataclass(frozen=True, slots=True)
class TensorFact:
    """One own tensor: what the tables show and the forms change; `choice_url` shows its values beside the module."""

    name: str
    target: str
    url: str
    choice_url: str
    shape: str
    dtype: str
    numel: str
    num_bytes: str
    exact_bytes: str
    values: str
    typed: str
    is_set: bool
    flag: str
    badges: tuple[Badge, ...]


@dataclass(frozen=True, slots=True)
class ChildFact:
    """A direct child."""

    row: int
    name: str
    url: str
    class_name: str
    swatch: str
    share: Share


class ModuleParts:
    """What lies directly in the module at a row; the first 50 of each kind are listed."""

    def __init__(self, index: TreeIndex, tree_id: str, row: int, target: str, tab: str) -> None:
        self.index = index
        self.tree_id = tree_id
        self.row = row
        self.target = target
        self.tab = "" if tab == "overview" else tab
        self.parameter_entries = index.own(index.parameters, row)
        self.buffer_entries = index.own(index.buffers, row)
        self.child_rows = index.distinct_children(row)

    def parameters(self) -> Iterator[TensorFact]:
        """Yield the module's own parameters."""
        for row in parameter_rows(self.index, self.parameter_entries[:MOST_TENSORS], self.row):
            badges = () if row.requires_grad else (Badge("snowflake", _("frozen"), _("requires no gradient")),)
            yield self._tensor(row, _("required") if row.requires_grad else _("frozen"), row.requires_grad, badges)

    def buffers(self) -> Iterator[TensorFact]:
        """Yield the module's own buffers."""
        for row in buffer_rows(self.index, self.buffer_entries[:MOST_TENSORS], self.row):
            flag = _("persistent") if row.persistent else _("not persistent")
            yield self._tensor(row, flag, row.persistent, (buffer_badge(row.persistent),))

    def children(self, slots: dict[str, int]) -> Iterator[ChildFact]:
        """Yield the module's children; `slots` are the hues of classes."""
        index = self.index
        for row in self.child_rows[:MOST_CHILDREN]:
            cls = index.classes[index.class_id[row]]
            count = int(index.totals.num_parameters[row])
            path = f"{self.target}.{index.name[row]}" if self.target else index.name[row]
            yield ChildFact(
                row=row,
                name=index.name[row],
                url=module_url(self.tree_id, path, row),
                class_name=cls.shown,
                swatch=swatch_of(cls.name, slots, count),
                share=share_of(count, int(index.totals.num_parameters[self.row])),
            )

    def _tensor(self, row: ParameterRow | BufferRow, flag: str, is_set: bool, badges: tuple[Badge, ...]) -> TensorFact:
        name, is_short = str(row.name), len(row.path) <= LONGEST_TARGET
        if row.shared_with:
            said = _("the same tensor as %(target)s", target=clipped(row.shared_with))
            badges = (*badges, Badge("link-2", _("tied"), said))
        return TensorFact(
            name=name,
            target=row.path,
            url=tensor_url(self.tree_id, row.path) if is_short else "",
            choice_url=module_url(self.tree_id, self.target, self.row, tab=self.tab, tensor=name) if is_short else "",
            shape=shape_text(row.shape),
            dtype=row.dtype,
            numel=filters.exact(row.numel),
            num_bytes=filters.num_bytes(row.num_bytes),
            exact_bytes=f"{filters.exact(row.num_bytes)}{filters.THIN}B",
            values=filters.values(row.values) if row.values is not None and row.numel <= MOST_VALUES else "",
            typed=_typed(row.values),
            is_set=is_set,
            flag=flag,
            badges=badges,
        )


def _typed(values: object) -> str:
    """Return the values as a person would type them into a form: plain JSON, every digit."""
    if isinstance(values, list):
        return f"[{', '.join(map(_typed, values))}]"
    if isinstance(values, bool):
        return "true" if values else "false"
    return "" if values is None else repr(values)
