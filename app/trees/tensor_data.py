"""The port through which the values behind an index are had: at once, in pages, or by a reading in the making."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from torch import Tensor
from torch.nn.parameter import is_lazy

from app.errors import CannotDo
from app.translation import said
from app.trees.heat_map import heat_map_of
from app.trees.rows import HeatMap, Nested, TensorStats, ValuesPage
from app.trees.tensor_values import has_values, page_of, stats_of, values_of
from app.trees.tensors import TensorColumns

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Reading(Protocol[T_co]):
    """A result that is there, or in the making."""

    @property
    def progress(self) -> tuple[int, int]:
        """How much is done of how much there is to do, in elements or rows; (0, 0) while it waits for its turn."""

    @property
    def is_done(self) -> bool:
        """Whether `result` answers, or raises, at once."""

    def result(self, timeout_s: float | None = None) -> T_co:
        """Wait for the result; raises `TimeoutError` when it takes longer, and what went wrong as one of our errors."""

    def when_done(self, call: Callable[[], object]) -> None:
        """Call it once `result` answers, from another thread or at once."""


class TensorData(Protocol):
    """Where the values of an index's tensors come from; thread-safe."""

    def whole(self, columns: TensorColumns) -> Sequence[Tensor] | None:
        """Return all tensors of the columns, None where they are not at hand at once."""

    def values(self, columns: TensorColumns, entries: Sequence[int]) -> list[Nested]:
        """Return the nested numbers of each tensor, None for one of more than 64 elements or not at hand."""

    def stats(self, columns: TensorColumns, entry: int) -> TensorStats | None:
        """Return the statistics of a tensor, None where none are to be had at once."""

    def page(self, columns: TensorColumns, entry: int, start: int, count: int) -> ValuesPage:
        """Return up to `count` values, at most 10,000, in row-major order from the element `start` on.

        Raises `CannotDo` where there are no values, as both readings do.
        """

    def stats_reading(self, columns: TensorColumns, entry: int) -> Reading[TensorStats]:
        """Return the reading of a tensor's statistics."""

    def heat_map_reading(self, columns: TensorColumns, entry: int, index: Sequence[int]) -> Reading[HeatMap]:
        """Return the reading of the heat map of a tensor's last two dimensions, at `index` in those before.

        Dimensions that `index` leaves out are at 0; raises `Invalid` for an index that the tensor has not.
        """


@dataclass(frozen=True, slots=True)
class Ready(Generic[T]):
    """A reading that was done at once."""

    value: T

    @property
    def progress(self) -> tuple[int, int]:
        """All of it."""
        return 1, 1

    @property
    def is_done(self) -> bool:
        """Always."""
        return True

    def result(self, timeout_s: float | None = None) -> T:
        """Return it."""
        return self.value

    def when_done(self, call: Callable[[], object]) -> None:
        """Call it at once."""
        call()


class LiveData:
    """The values of live tensors, computed where they are asked for."""

    def whole(self, columns: TensorColumns) -> Sequence[Tensor]:
        """Return the tensors."""
        return columns.tensor

    def values(self, columns: TensorColumns, entries: Sequence[int]) -> list[Nested]:
        """Return the nested numbers of each tensor, None for one of more than 64 elements or without data."""
        return values_of([columns.tensor[entry] for entry in entries])

    def stats(self, columns: TensorColumns, entry: int) -> TensorStats | None:
        """Return the statistics of a tensor, None where it has no data."""
        return stats_of(columns.tensor[entry])

    def page(self, columns: TensorColumns, entry: int, start: int, count: int) -> ValuesPage:
        """Return up to `count` values, at most 10,000, in row-major order from the element `start` on."""
        return page_of(_with_values(columns, entry), start, count)

    def stats_reading(self, columns: TensorColumns, entry: int) -> Reading[TensorStats]:
        """Return the statistics of a tensor."""
        stats = stats_of(_with_values(columns, entry))
        assert stats is not None
        return Ready(stats)

    def heat_map_reading(self, columns: TensorColumns, entry: int, index: Sequence[int]) -> Reading[HeatMap]:
        """Return the heat map of a tensor's last two dimensions, at `index` in those before."""
        return Ready(heat_map_of(_with_values(columns, entry), index))


class NoData:
    """No values: of the tree only the structure is known."""

    def whole(self, columns: TensorColumns) -> None:
        """Return None."""

    def values(self, columns: TensorColumns, entries: Sequence[int]) -> list[Nested]:
        """Return None for each tensor."""
        return [None] * len(entries)

    def stats(self, columns: TensorColumns, entry: int) -> TensorStats | None:
        """Return None."""
        return None

    def page(self, columns: TensorColumns, entry: int, start: int, count: int) -> ValuesPage:
        """Raise `CannotDo`."""
        raise _structure_only(columns, entry)

    def stats_reading(self, columns: TensorColumns, entry: int) -> Reading[TensorStats]:
        """Raise `CannotDo`."""
        raise _structure_only(columns, entry)

    def heat_map_reading(self, columns: TensorColumns, entry: int, index: Sequence[int]) -> Reading[HeatMap]:
        """Raise `CannotDo`."""
        raise _structure_only(columns, entry)


def _with_values(columns: TensorColumns, entry: int) -> Tensor:
    tensor = columns.tensor[entry]
    if not has_values(tensor):
        raise CannotDo(said("%(name)r %(why_none)s.", name=columns.name[entry], why_none=_why_none(tensor)))
    return tensor


def _why_none(tensor: Tensor) -> str:
    if is_lazy(tensor):
        return said("is not initialised yet: it has neither a shape nor values until a first forward")
    if tensor.is_meta:
        return said("is on the meta device: it has a shape, and no values")
    if tensor.is_quantized:
        return said("is quantised, and its values are not read")
    layout = str(tensor.layout).removeprefix("torch.")
    return said("is stored as %(layout)s, and only the values of dense tensors are read", layout=layout)


def _structure_only(columns: TensorColumns, entry: int) -> CannotDo:
    return CannotDo(
        said(
            "%(name)r has a shape here, and no values: of this tree only the structure is known. "
            "Open a checkpoint of the model to see values.",
            name=columns.name[entry],
        )
    )
