"""Statistics of a tensor of any size, computed in chunks: about 16 MiB of memory, whatever the tensor has.

Of elements of 16 bits or fewer, each value is counted, in one pass, and everything else follows from the counts. Wider
ones take two passes: mean and deviation are joined chunk by chunk (Chan, Golub and LeVeque, 1983), then the histogram,
whose range is only known after the first.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from app.trees.rows import Histogram, TensorStats
from app.trees.sources.checkpoint.contents import TensorPlace
from app.trees.sources.checkpoint.decoding import Values, decode, halves, to_float64
from app.trees.sources.checkpoint.dtypes import DTYPES
from app.trees.sources.checkpoint.ranges import Chunk, TensorReader, num_distinct, open_tensor
from app.trees.tensor_values import NUM_BINS

Floats: TypeAlias = NDArray[np.float64]

Progress: TypeAlias = Callable[[int, int], None]
"""Told, after each chunk, how much of how much is done; whatever it raises ends the reading: that is how to cancel."""


def no_progress(done: int, total: int) -> None:
    """Take no notice."""


def read_stats(folder: Path, place: TensorPlace, progress: Progress = no_progress) -> TensorStats:
    """Return the statistics of all values in double precision, as `tensor_values.stats_of` does of a tensor in memory.

    Of a complex tensor they are those of the absolute values. `std` has n - 1; what is too large for a double is null.
    """
    with open_tensor(folder, place) as tensor, np.errstate(over="ignore", invalid="ignore"):
        total = num_distinct(place)
        repeats = place.numel // total if total else 0
        if DTYPES[place.dtype].bits <= 16:
            return _stats_of_counts(tensor, total, repeats, progress)
        return _stats_of_chunks(tensor, total, repeats, progress)


@dataclass(slots=True)
class _Moments:
    """What is known of the values so far; `low` to `squares` of the finite ones, their mean being `shift` + `mean`."""

    count: int = 0
    low: float = math.inf
    high: float = -math.inf
    shift: float = 0.0
    mean: float = 0.0
    deviations: float = 0.0
    squares: float = 0.0
    zeros: int = 0
    nans: int = 0
    infs: int = 0

    def add(self, values: Floats) -> None:
        """Take in a chunk of values."""
        finite = _finite(values)
        num_other = len(values) - len(finite)
        if num_other:
            nans = int(np.count_nonzero(np.isnan(values)))
            self.nans += nans
            self.infs += num_other - nans
        if not len(finite):
            return
        self.low, self.high = min(self.low, float(finite.min())), max(self.high, float(finite.max()))
        self.zeros += len(finite) - int(np.count_nonzero(finite))
        self.squares += float(np.square(finite).sum())
        if not self.count:
            self.shift = float(finite.sum()) / len(finite)
        # Means of values far from zero are told apart by few digits: they are kept as distances from the first.
        shifted = finite - self.shift
        mean = float(shifted.sum()) / len(shifted)
        shifted -= mean
        self._join(len(shifted), mean, float(np.square(shifted, out=shifted).sum()))

    def _join(self, count: int, mean: float, deviations: float) -> None:
        both = self.count + count
        delta = mean - self.mean
        self.deviations += deviations + delta * delta * (self.count * count / both)
        self.mean += delta * (count / both)
        self.count = both

    def stats(self, repeats: int, histogram: Histogram | None) -> TensorStats:
        """Return the statistics of all that was taken in, each value as often as it is repeated."""
        count = self.count * repeats
        return TensorStats(
            min=self.low if count else None,
            max=self.high if count else None,
            mean=_or_none(self.shift + self.mean) if count else None,
            std=_or_none(math.sqrt(self.deviations * repeats / (count - 1))) if count > 1 else None,
            l2=_or_none(math.sqrt(self.squares * repeats)) if count else None,
            zeros=self.zeros * repeats,
            nans=self.nans * repeats,
            infs=self.infs * repeats,
            histogram=histogram,
        )


def _stats_of_chunks(tensor: TensorReader, total: int, repeats: int, progress: Progress) -> TensorStats:
    moments = _Moments()
    for values, done in _values(tensor):
        moments.add(values)
        progress(done, 2 * total)
    edges = _edges(moments.low, moments.high) if moments.count else None
    if edges is None:
        return moments.stats(repeats, None)
    counts = np.zeros(NUM_BINS, np.int64)
    for values, done in _values(tensor):
        counts += _bin(_finite(values), edges)
        progress(total + done, 2 * total)
    return moments.stats(repeats, Histogram(edges.tolist(), (counts * repeats).tolist()))


def _values(tensor: TensorReader) -> Iterator[tuple[Floats, int]]:
    done = 0
    for chunk in tensor.chunks():
        done += chunk.count
        yield to_float64(decode(chunk.raw, tensor.place.dtype)), done


def _stats_of_counts(tensor: TensorReader, total: int, repeats: int, progress: Progress) -> TensorStats:
    patterns = _patterns(tensor)
    times = np.zeros(len(patterns), np.int64)
    done = 0
    for chunk in tensor.chunks():
        times += np.bincount(_codes(chunk, tensor), minlength=len(times))
        done += chunk.count
        progress(done, total)
    values = to_float64(decode(patterns, tensor.place.dtype))
    if tensor.per_item > 1:
        values = values[:: tensor.per_item]
    is_there = (times > 0) & np.isfinite(values)
    finite, times_finite = values[is_there], times[is_there]
    moments = _weighted(finite, times_finite)
    moments.nans = int(times[np.isnan(values)].sum())
    moments.infs = int(times[np.isinf(values)].sum())
    edges = _edges(moments.low, moments.high) if moments.count else None
    if edges is None:
        return moments.stats(repeats, None)
    counts = np.zeros(NUM_BINS, np.int64)
    np.add.at(counts, _bins_of(finite, edges), times_finite)
    return moments.stats(repeats, Histogram(edges.tolist(), (counts * repeats).tolist()))


def _patterns(tensor: TensorReader) -> Values:
    """All raw elements that there can be, each at the place of its bits read as a number."""
    bits = DTYPES[tensor.place.dtype].bits
    codes = np.arange(2**bits, dtype=np.uint16 if bits > 8 else np.uint8)
    return codes.view(tensor.raw_dtype)


def _codes(chunk: Chunk, tensor: TensorReader) -> Values:
    raw = chunk.raw
    if tensor.per_item > 1:
        return halves(raw)[: chunk.count]
    return raw.view(np.uint16 if raw.itemsize > 1 else np.uint8)


def _weighted(values: Floats, times: NDArray[np.int64]) -> _Moments:
    count = int(times.sum())
    if not count:
        return _Moments()
    weights = times.astype(np.float64)
    mean = float((values * weights).sum()) / count
    return _Moments(
        count=count,
        low=float(values.min()),
        high=float(values.max()),
        mean=mean,
        deviations=float((np.square(values - mean) * weights).sum()),
        squares=float((np.square(values) * weights).sum()),
        zeros=int(times[values == 0].sum()),
    )


def _finite(values: Floats) -> Floats:
    is_finite = np.isfinite(values)
    return values if is_finite.all() else values[is_finite]


def _edges(low: float, high: float) -> Floats | None:
    """The edges of 64 equal bins; None where the range is no finite number.

    A lone value has edges a half from it on both sides; a range too narrow for 64 distinct edges is widened by as much
    as numbers of that size need.
    """
    for room in (0.0, float(NUM_BINS * np.spacing(max(abs(low), abs(high))))):
        if not math.isfinite((high + room) - (low - room)):
            return None
        try:
            return np.histogram_bin_edges(np.empty(0), NUM_BINS, (low - room, high + room))
        except ValueError:
            continue
    return None


def _bin(values: Floats, edges: Floats) -> NDArray[np.int64]:
    return np.histogram(values, NUM_BINS, (float(edges[0]), float(edges[-1])))[0]


def _bins_of(values: Floats, edges: Floats) -> NDArray[np.int64]:
    found: NDArray[np.int64] = np.searchsorted(edges, values, side="right") - 1
    return np.minimum(found, NUM_BINS - 1)


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
