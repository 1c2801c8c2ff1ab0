"""`read_csv`: the columns of a CSV file as numbers, and every cell that holds none, by row and column.

bytes -> UTF-8 text -> delimiter -> records -> columns, a stretch of rows at a time
"""

import codecs
import csv
import io
import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from app.collector import collector_paused
from app.errors import Misfit, TooLarge, UnreadableFile
from app.training.data import MAX_POINTS
from app.training.data_misfits import FLOAT32_MAX
from app.translation import said

MAX_COLUMNS = 4_096
MAX_CELLS = 20_000_000
MAX_NAME = 200
MAX_SHOWN = 60
NUM_EXAMPLES = 3
# Problems that are told one by one: of a column, and of rows that are no rows.
MAX_PROBLEMS = 20
STRETCH_CELLS = 200_000
STRETCH_CHARS = 16 * 1024 * 1024
SNIFFED_ROWS = 50
DELIMITERS = (",", ";", "\t")
MISSING_WORDS = frozenset({"", "na", "n/a", "nan", "null", "none"})
_BOMS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A cell without a number: its row, counted from 1 with the header, its column, and what it holds."""

    row: int
    column: str
    text: str
    is_missing: bool


@dataclass(slots=True)
class Column:
    """A column: its values, NaN where there is none, how many cells hold none, and the first of them."""

    name: str
    values: "array[float]" = field(default_factory=lambda: array("d"))
    num_missing: int = 0
    num_non_numeric: int = 0
    problems: list[Problem] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CsvTable:
    """The columns of a file, all of `num_rows` values."""

    columns: Sequence[Column]
    num_rows: int
    delimiter: str
    has_header: bool


def read_csv(file: BinaryIO) -> CsvTable:
    """Return what the file holds; without a header the columns are `column1`, `column2`, ...

    The first row is a header where one of its cells is neither a number nor missing. Empty lines are no rows. Raises
    `UnreadableFile` for what is no table in UTF-8 with rows of one length, `TooLarge` over a million rows, 4,096
    columns or 20 million cells.
    """
    text = _text(file)
    try:
        # Lists of cells hold no cycles, and there are a million of them.
        with collector_paused():
            return _read(text)
    except UnicodeDecodeError as error:
        raise _unreadable(
            said(
                "the byte 0x%(byte)s is not UTF-8: save the file as UTF-8, then send it again",
                byte=f"{error.object[error.start]:02X}",
            )
        ) from error
    except csv.Error as error:
        raise _unreadable(said("it is not CSV: %(error)s (a quote that is not closed?)", error=str(error))) from error


def _text(file: BinaryIO) -> io.TextIOWrapper:
    start = file.read(4)
    file.seek(0)
    for bom, name in _BOMS.items():
        if start.startswith(bom):
            raise _unreadable(said("it is %(encoding)s: save the file as UTF-8, then send it again", encoding=name))
    return io.TextIOWrapper(file, "utf-8-sig", newline="")


class _Lines:
    """The lines of a text, of not too many characters in all from one `breathe` to the next.

    A record goes on while a quote is open: without an end, one of commas alone would take thirty times its size.
    """

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._left = STRETCH_CHARS

    def breathe(self) -> None:
        """Begin to count anew."""
        self._left = STRETCH_CHARS

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(self._left + 1):
            self._left -= len(line)
            if self._left < 0:
                raise _unreadable(said("its rows are too long for a table of numbers, or a quote is not closed"))
            yield line


def _read(text: io.TextIOWrapper) -> CsvTable:
    delimiter = _delimiter(text)
    text.seek(0)
    lines = _Lines(text)
    records = csv.reader(lines, delimiter=delimiter)
    row, cells = next(((row, cells) for row, cells in enumerate(records, 1) if cells), (0, []))
    if not cells:
        raise _unreadable(said("it is empty"))
    if len(cells) > MAX_COLUMNS:
        raise _too_large(said("%(num)s columns", num=f"{len(cells):,}"), MAX_COLUMNS)
    has_header = any(_number(cell) is None and not is_missing(cell) for cell in cells)
    table = _Rows(_names(cells if has_header else [""] * len(cells)))
    if not has_header:
        table.add(row, [cells])
    num_rows = max(1, STRETCH_CELLS // len(cells))
    lines.breathe()
    while stretch := list(islice(records, num_rows)):
        lines.breathe()
        table.add(row + 1, stretch)
        row += len(stretch)
    return table.finished(delimiter, has_header=has_header)


def _delimiter(text: io.TextIOWrapper) -> str:
    """The one that cuts the first rows into the most cells, as many in each."""
    lines = list(islice(_Lines(text), SNIFFED_ROWS))
    best, most = DELIMITERS[0], 1
    for delimiter in DELIMITERS:
        lengths = [len(cells) for cells in csv.reader(lines[:-1] or lines, delimiter=delimiter) if cells]
        if lengths and len(set(lengths)) == 1 and lengths[0] > most:
            best, most = delimiter, lengths[0]
    if most > 1 or not lines:
        return best
    return max(DELIMITERS, key=lines[0].count)


def _names(cells: Sequence[str]) -> list[str]:
    names: list[str] = []
    taken: set[str] = set()
    for number, cell in enumerate(cells, 1):
        plain = "".join(char if char.isprintable() else " " for char in cell).strip()[:MAX_NAME] or f"column{number}"
        name, again = plain, 2
        while name in taken:
            name, again = f"{plain} ({again})", again + 1
        taken.add(name)
        names.append(name)
    return names


class _Rows:
    """The rows so far, by column."""

    def __init__(self, names: Sequence[str]) -> None:
        self.columns = [Column(name) for name in names]
        self.num_rows = 0
        self._ragged: list[Misfit] = []
        self._num_ragged = 0

    def add(self, first: int, records: Sequence[Sequence[str]]) -> None:
        """Add rows, the first of them of that number."""
        width = len(self.columns)
        rows: Sequence[int] = range(first, first + len(records))
        if any(len(cells) != width for cells in records):
            self._note_ragged(first, records)
            rows = [row for row, cells in zip(rows, records, strict=True) if len(cells) == width]
            records = [cells for cells in records if len(cells) == width]
        self.num_rows += len(records)
        if self.num_rows > MAX_POINTS:
            raise _too_large(said("more than %(most)s rows", most=f"{MAX_POINTS:,}"), MAX_POINTS)
        if self.num_rows * width > MAX_CELLS:
            raise _too_large(said("more than %(most)s cells", most=f"{MAX_CELLS:,}"), MAX_CELLS)
        for column, texts in zip(self.columns, zip(*records, strict=True), strict=bool(records)):
            _add_cells(column, rows, texts)

    def _note_ragged(self, first: int, records: Sequence[Sequence[str]]) -> None:
        width = len(self.columns)
        for row, cells in enumerate(records, first):
            if cells and len(cells) != width:
                self._num_ragged += 1
                if len(self._ragged) < MAX_PROBLEMS:
                    msg = said("expected %(width)s cells as in the first row, got %(num)s", width=width, num=len(cells))
                    self._ragged.append(Misfit(("file", "row", row), msg))

    def finished(self, delimiter: str, *, has_header: bool) -> CsvTable:
        if self._num_ragged:
            first = self._ragged[0]
            detail = said(
                "file: %(num)s rows are not as long as the first; row %(row)s: %(msg)s.",
                num=f"{self._num_ragged:,}",
                row=f"{first.loc[-1]:,}",
                msg=first.msg,
            )
            raise UnreadableFile(detail, tuple(self._ragged))
        if not self.num_rows:
            raise _unreadable(said("it has a header and no rows"))
        return CsvTable(self.columns, self.num_rows, delimiter, has_header)


def _add_cells(column: Column, rows: Sequence[int], texts: Sequence[str]) -> None:
    if len(column.examples) < NUM_EXAMPLES:
        column.examples += [text[:MAX_SHOWN] for text in texts[: NUM_EXAMPLES - len(column.examples)]]
    try:
        # float() takes "1_000" too, which is no number in a file.
        values = None if "_" in "".join(texts) else np.array([float(text) for text in texts])
    except ValueError:
        values = None
    if values is not None and bool((np.abs(values) <= FLOAT32_MAX).all()):
        column.values.frombytes(values.tobytes())
        return
    column.values.extend(_slowly(column, rows, texts))


def _slowly(column: Column, rows: Sequence[int], texts: Sequence[str]) -> Iterator[float]:
    for row, text in zip(rows, texts, strict=True):
        value = _number(text)
        if value is None:
            missing = is_missing(text)
            column.num_missing += missing
            column.num_non_numeric += not missing
            if len(column.problems) < MAX_PROBLEMS:
                column.problems.append(Problem(row, column.name, text[:MAX_SHOWN], missing))
        yield math.nan if value is None else value


def _number(text: str) -> float | None:
    """The finite float32 that the text is, or None."""
    try:
        value = math.nan if "_" in text else float(text)
    except ValueError:
        return None
    return value if abs(value) <= FLOAT32_MAX else None


def is_missing(text: str) -> bool:
    """Whether a cell says that there is no value."""
    return text.strip().casefold() in MISSING_WORDS


def as_array(table: CsvTable) -> NDArray[np.float64]:
    """Return the values of shape (columns, rows)."""
    return np.stack([np.frombuffer(column.values, np.float64) for column in table.columns])


def _unreadable(msg: str) -> UnreadableFile:
    return UnreadableFile(said("file: %(msg)s.", msg=msg), (Misfit(("file",), msg),))


def _too_large(what: str, limit: int) -> TooLarge:
    return TooLarge(said("The file has %(what)s; a run takes up to %(limit)s.", what=what, limit=f"{limit:,}"), limit)
