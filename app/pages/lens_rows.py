"""The rows of lens pages: modules, parameters or buffers, by torch's walks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.pages.hues import hues
from app.pages.links import module_url
from app.pages.marks import Badge, buffer_badge, class_badges, shape_text, swatch_of, values_text
from app.pages.visible import clipped
from app.translation import gettext as _
from app.trees.index import TreeIndex
from app.trees.rows import BufferRow, ModuleRow, ParameterRow
from app.trees.views import buffer_rows, module_rows, parameter_rows


@dataclass(frozen=True, slots=True)
class ModuleLensRow:
    """A module as `named_modules` lists it."""

    name: str
    url: str
    class_name: str
    swatch: str
    extra_repr: str
    badges: tuple[Badge, ...]
    num_children: int
    num_modules: int
    num_parameters: int
    num_buffers: int
    num_bytes: int
    shape_id: str


@dataclass(frozen=True, slots=True)
class TensorLensRow:
    """A parameter or buffer as `named_parameters` and `named_buffers` list it."""

    name: str
    url: str
    shape: str
    dtype: str
    device: str
    numel: int
    num_bytes: int
    flag: str
    badges: tuple[Badge, ...]
    values: str


class LensRows:
    """Makes the rows of a tree."""

    def __init__(self, index: TreeIndex, tree_id: str) -> None:
        self.index = index
        self.tree_id = tree_id
        self.slots = hues(cls.name for cls in index.classes)

    def modules(self, rows: Sequence[int], top: int) -> Iterator[ModuleLensRow]:
        """Yield modules of ascending rows, named relative to `top`."""
        for row, made in zip(rows, module_rows(self.index, rows, top), strict=True):
            yield self.module(row, made)

    def module(self, row: int, made: ModuleRow) -> ModuleLensRow:
        """Return one module."""
        badges = []
        if made.shared_with is not None:
            path = clipped(made.shared_with) or _("the root")
            badges.append(Badge("link-2", _("shared"), _("the same module as %(path)s", path=path)))
        if made.num_parameters and not made.num_trainable:
            badges.append(Badge("snowflake", _("frozen")))
        if not made.training:
            badges.append(Badge("moon", _("eval")))
        badges.extend(class_badges(made.class_status))
        return ModuleLensRow(
            name=str(made.name),
            url=module_url(self.tree_id, made.path, row),
            class_name=made.class_name or "?",
            swatch=swatch_of(made.class_name, self.slots, made.num_parameters),
            extra_repr=made.extra_repr,
            badges=tuple(badges),
            num_children=made.num_children,
            num_modules=made.num_modules,
            num_parameters=made.num_parameters,
            num_buffers=made.num_buffers,
            num_bytes=made.num_bytes,
            shape_id=made.shape_id,
        )

    def parameters(self, entries: Sequence[int], top: int) -> Iterator[TensorLensRow]:
        """Yield parameters of ascending entries, named relative to `top`."""
        owner = self.index.parameters.owner
        for entry, made in zip(entries, parameter_rows(self.index, entries, top), strict=True):
            badges = () if made.requires_grad else (Badge("snowflake", _("frozen"), _("requires no gradient")),)
            yield self._tensor(owner[entry], made, "parameters", str(made.requires_grad), badges)

    def buffers(self, entries: Sequence[int], top: int) -> Iterator[TensorLensRow]:
        """Yield buffers of ascending entries, named relative to `top`."""
        owner = self.index.buffers.owner
        for entry, made in zip(entries, buffer_rows(self.index, entries, top), strict=True):
            badges = () if made.persistent else (buffer_badge(False),)
            yield self._tensor(owner[entry], made, "buffers", str(made.persistent), badges)

    def _tensor(
        self, owner: int, made: ParameterRow | BufferRow, tab: str, flag: str, badges: tuple[Badge, ...]
    ) -> TensorLensRow:
        tied: tuple[Badge, ...] = ()
        if made.shared_with:
            tied = (Badge("link-2", _("tied"), _("the same tensor as %(path)s", path=clipped(made.shared_with))),)
        return TensorLensRow(
            name=str(made.name),
            url=module_url(self.tree_id, made.path.rpartition(".")[0], owner, tab=tab),
            shape=shape_text(made.shape),
            dtype=made.dtype,
            device=made.device,
            numel=made.numel,
            num_bytes=made.num_bytes,
            flag=flag,
            badges=(*badges, *tied),
            values=values_text(made.values, made.device, is_live=self.index.is_live),
        )
