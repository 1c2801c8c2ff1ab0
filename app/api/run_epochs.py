"""A run's epochs as JSON pages or as one CSV file, encoded from columns."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec
import numpy as np

from app.training.events import epoch_objects, instants
from app.training.log import EpochColumns, Floats
from app.training.run import Run
from app.training.runs import Runs

# The columns after loss and at.
MORE = ("slope", "intercept", "validation_loss", "lr")
CSV_HEAD = f"epoch,loss,at,{','.join(MORE)}\n".encode()
CSV_EPOCHS_A_PAGE = 20_000
_ENCODER = msgspec.json.Encoder()


def json_page(columns: EpochColumns | None, following: int | None) -> bytes:
    """Return a page of epochs; `following` is what to pass as `after` for the next one."""
    items = ",".join(epoch_objects(columns)) if columns is not None else ""
    return f'{{"items":[{items}],"next":{"null" if following is None else following}}}'.encode()


def csv_lines(runs: Runs, run: Run, after: int, limit: int | None) -> Iterator[bytes]:
    """Yield the epochs after `after`, all that are done where there is no limit, a page at a time.

    Raises `NotFound` where the run is deleted meanwhile, so that nobody takes a part for the whole.
    """
    yield CSV_HEAD
    following: int | None = after
    while following is not None and (limit is None or limit > 0):
        size = CSV_EPOCHS_A_PAGE if limit is None else min(limit, CSV_EPOCHS_A_PAGE)
        columns, following = runs.epochs_of(run, following, size)
        if columns is not None:
            yield csv_page(columns)
            limit = None if limit is None else limit - len(columns)


def csv_page(columns: EpochColumns) -> bytes:
    """Return epochs as lines of CSV, from a page that is not empty."""
    count = len(columns)
    commas, more = "", list[Sequence[float | str]]()
    # Neighbours without a number are one text of commas: behind the instant, or a cell of its own.
    for is_empty, names in groupby(MORE, lambda name: bool(np.isnan(getattr(columns, name)).all())):
        if not is_empty:
            more += (_cells(getattr(columns, name), nan="") for name in names)
        elif more:
            more.append(["," * (len(list(names)) - 1)] * count)
        else:
            commas = "," * len(list(names))
    epochs = range(columns.first, columns.first + count)
    rows = zip(epochs, _cells(columns.loss, nan="nan"), instants(columns.at, commas), *more, strict=True)
    # JSON of lists is CSV but for these, and no text here holds one of them.
    return _ENCODER.encode_lines(rows).translate(None, b'[]"')


def _cells(column: Floats, nan: str) -> list[float | str]:
    # Most columns are all numbers, or next to none: slope and intercept are looked at once in a batch.
    finite = np.isfinite(column)
    cells: list[float | str]
    if finite.all():
        cells = column.tolist()
        return cells
    texts = np.empty(len(column), object)
    texts.fill(nan)
    texts[finite] = column[finite]
    cells = texts.tolist()
    for place in np.flatnonzero(np.isinf(column)).tolist():
        cells[place] = str(column[place])
    return cells
