"""Events as a stream of server-sent events carries them, encoded from whole chunks at once.

Chunk -> (EpochColumns, ModuleColumns) -> b"id: 3\\nevent: epoch\\ndata: {...}\\n\\n" ...
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.training.figures import figures_json
from app.training.log import Chunk, EpochColumns, EventKind, Floats, joined, unpack_epochs
from app.training.module_columns import unpack_modules

MAX_EPOCHS_AN_EVENT = 5000
MAX_PIECE_BYTES = 1 << 17
MANY_INSTANTS = 500
YEAR_10000 = 253_402_300_800 * 1_000_000
# Columns that only some runs have.
OPTIONAL = ("validation_loss", "lr")

Part: TypeAlias = tuple[bytes, int]


@dataclass(frozen=True, slots=True)
class Wording:
    """How a stream says it: ids between `before` and `after`, and the run's name in the data where there are several.

    `is_batched` puts neighbouring epochs into one `epochs` event; without `has_modules` statistics of modules are left
    out. `paths` are those of a run's modules, as JSON.
    """

    is_batched: bool = False
    before: str = ""
    after: str = ""
    run: str | None = None
    has_modules: bool = True

    def encode(self, chunks: Sequence[Chunk], cursor: int, paths: str = "[]") -> bytes:
        """Return all events of the chunks with numbers over `cursor`, in order."""
        return b"".join(part for part, _ in self._parts(chunks, cursor, paths))

    def encode_some(self, chunks: Sequence[Chunk], cursor: int, paths: str = "[]") -> Part:
        """Return the first of these events, about as many bytes as are sent at once, and the number of their last."""
        found: list[bytes] = []
        size, last_id = 0, cursor
        for part, number in self._parts(chunks, cursor, paths):
            found.append(part)
            size, last_id = size + len(part), number
            if size >= MAX_PIECE_BYTES:
                break
        return b"".join(found), last_id

    def _parts(self, chunks: Sequence[Chunk], cursor: int, paths: str) -> Iterator[Part]:
        unread = (chunk for chunk in chunks if chunk.last_id > cursor)
        for kind, group in groupby(unread, lambda chunk: chunk.kind):
            match kind:
                case EventKind.EPOCHS:
                    yield from self._all_epochs([_unread(unpack_epochs(chunk), cursor) for chunk in group])
                case EventKind.MODULES if not self.has_modules:
                    yield from ((b"", chunk.last_id) for chunk in group)
                case EventKind.MODULES:
                    for chunk in group:
                        yield from self._modules(chunk, cursor, paths)
                case _:
                    yield from ((self._event(chunk), chunk.last_id) for chunk in group)

    def _event(self, chunk: Chunk) -> bytes:
        return self._worded(chunk.first_id, chunk.kind, chunk.payload.decode()[1:])

    def _all_epochs(self, parts: list[EpochColumns]) -> Iterator[Part]:
        for columns in _bounded(joined(parts)) if self.is_batched else parts:
            encoded = self._batch(columns) if self.is_batched else self._epochs(columns)
            yield encoded, columns.first_id + len(columns) - 1

    def _epochs(self, columns: EpochColumns) -> bytes:
        # Not by `_worded`, since these are thousands a second.
        texts = [
            f"id: {self.before}{number}{self.after}\nevent: epoch\ndata: {data}\n\n"
            for number, data in enumerate(epoch_objects(columns, self._run()), columns.first_id)
        ]
        return "".join(texts).encode()

    def _batch(self, columns: EpochColumns) -> bytes:
        last = len(columns) - 1
        losses, at = ",".join(numbers(columns.loss)), instants(columns.at[-1:])[0]
        data = f'"epoch":[{columns.first},{columns.first + last}],"loss":[{losses}],"at":"{at}"'
        data += _last_line(columns) + "".join(_whole_column(columns, name) for name in OPTIONAL)
        if spans := nonfinite_spans(columns):
            data += f',"nonfinite":{msgspec.json.encode(spans).decode()}'
        return self._worded(columns.first_id + last, "epochs", f"{data}}}")

    def _modules(self, chunk: Chunk, cursor: int, paths: str) -> Iterator[Part]:
        columns = unpack_modules(chunk)
        for place in range(max(cursor + 1 - columns.first_id, 0), len(columns)):
            data = f'"epoch":{columns.epochs[place]},"paths":{paths},{figures_json(columns, place)}'
            number = columns.first_id + place
            yield self._worded(number, chunk.kind, f"{data}}}"), number

    def _worded(self, number: int, event: str, rest: str) -> bytes:
        return (f"id: {self.before}{number}{self.after}\nevent: {event}\ndata: {{{self._run()}{rest}\n\n").encode()

    def _run(self) -> str:
        return "" if self.run is None else f'"run":"{self.run}",'


def epoch_objects(columns: EpochColumns, more: str = "") -> list[str]:
    """Return each epoch as a JSON object, `more` being members that come first."""
    texts = zip(numbers(columns.loss), instants(columns.at), _details(columns), strict=True)
    return [
        f'{{{more}"epoch":{epoch},"loss":{loss},"at":"{at}"{detail}}}'
        for epoch, (loss, at, detail) in enumerate(texts, columns.first)
    ]


def instants(at: Floats, end: str = "") -> list[str]:
    """Return seconds since 1970 as ISO 8601 in UTC, to the microsecond, with `end` behind each."""
    microseconds = np.rint(at * 1e6).astype("int64")
    if len(at) >= MANY_INSTANTS and microseconds.min() >= 0 and microseconds.max() < YEAR_10000:
        return _many_instants(microseconds, end)
    texts = np.datetime_as_string(microseconds.view("datetime64[us]"), unit="us", timezone="UTC").tolist()
    return [text + end for text in texts] if end else texts


def _many_instants(microseconds: NDArray[np.int64], end: str) -> list[str]:
    # numpy works out the date of every instant: here of each stretch of the same second, and digits are put behind it.
    seconds, rest = np.divmod(microseconds, 1_000_000)
    starts = np.flatnonzero(np.diff(seconds, prepend=seconds[0] - 1))
    heads = np.datetime_as_string(seconds[starts].view("datetime64[s]")).astype("S19")
    lines = np.empty(len(rest), [("second", "S19"), ("rest", np.uint8, 8), ("end", f"S{len(end) + 1}")])
    lines["second"] = np.repeat(heads, np.diff(starts, append=len(rest)))
    lines["rest"] = np.frombuffer(b".000000Z", np.uint8)
    lines["end"] = f"{end}\n"
    rest = rest.astype(np.uint32)
    for place in range(6, 0, -1):
        tenth = rest // 10
        lines["rest"][:, place] = rest - 10 * tenth + ord("0")
        rest = tenth
    return lines.tobytes()[:-1].decode("ascii").split("\n")


def kind_of(loss: float) -> str:
    """Return the word for a number that is not finite: nan, inf or -inf."""
    return "nan" if math.isnan(loss) else "inf" if loss > 0 else "-inf"


def nonfinite_spans(columns: EpochColumns) -> list[tuple[int, int, str]]:
    """Return first epoch, last epoch and kind of each stretch of losses that are not finite."""
    places = np.flatnonzero(~np.isfinite(columns.loss)).tolist()
    spans: list[tuple[int, int, str]] = []
    for place in places:
        epoch, kind = columns.first + place, kind_of(float(columns.loss[place]))
        if spans and spans[-1][1] == epoch - 1 and spans[-1][2] == kind:
            spans[-1] = (spans[-1][0], epoch, kind)
        else:
            spans.append((epoch, epoch, kind))
    return spans


def _unread(columns: EpochColumns, cursor: int) -> EpochColumns:
    read = cursor + 1 - columns.first_id
    return columns.after(read) if read > 0 else columns


def _bounded(columns: EpochColumns) -> Iterator[EpochColumns]:
    while len(columns) > MAX_EPOCHS_AN_EVENT:
        yield columns.until(MAX_EPOCHS_AN_EVENT)
        columns = columns.after(MAX_EPOCHS_AN_EVENT)
    yield columns


def numbers(column: Floats) -> list[str]:
    """Return each number as JSON writes it."""
    # msgspec writes a float in a twentieth of the time that repr takes, and null for one that is not finite.
    return msgspec.json.encode(column.tolist()).decode()[1:-1].split(",") if len(column) else []


def _details(columns: EpochColumns) -> list[str]:
    # The line where it was seen, what only some runs have, and the kind of a loss that is not finite.
    texts = [""] * len(columns)
    is_known = np.isfinite(columns.slope) & np.isfinite(columns.intercept)
    if is_known.any():
        lines = zip(is_known.tolist(), numbers(columns.slope), numbers(columns.intercept), strict=True)
        texts = [f',"slope":{slope},"intercept":{intercept}' if known else "" for known, slope, intercept in lines]
    for name in OPTIONAL:
        column = getattr(columns, name)
        if (has_one := ~np.isnan(column)).any():
            told = zip(texts, numbers(column), has_one.tolist(), strict=True)
            texts = [f'{text},"{name}":{number}' if has else text for text, number, has in told]
    for place in np.flatnonzero(~np.isfinite(columns.loss)).tolist():
        texts[place] += f',"nonfinite":"{kind_of(float(columns.loss[place]))}"'
    return texts


def _whole_column(columns: EpochColumns, name: str) -> str:
    column = getattr(columns, name)
    return "" if np.isnan(column).all() else f',"{name}":[{",".join(numbers(column))}]'


def _last_line(columns: EpochColumns) -> str:
    known = np.flatnonzero(np.isfinite(columns.slope) & np.isfinite(columns.intercept))
    if not len(known):
        return ""
    last = known[-1:]
    return f',"slope":{numbers(columns.slope[last])[0]},"intercept":{numbers(columns.intercept[last])[0]}'
