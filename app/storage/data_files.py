"""Uploaded data: the columns of CSV files as numbers, each upload in a folder of its own."""

import os
import re
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from app.errors import Invalid, Misfit, NotFound, TooLarge
from app.storage.records import new_id, now
from app.storage.uploads import Received
from app.training.csv_table import MAX_PROBLEMS, Column, as_array, read_csv
from app.training.data import CsvData
from app.translation import said

PREFIX = "d_"
VALUES, ABOUT = "values.npy", "about.json"
UNFINISHED = ".partial"


class CellProblem(msgspec.Struct, frozen=True):
    """A cell without a number: its row, counted from 1 with the header, its column, and what it holds."""

    row: int
    column: str
    text: str
    is_missing: bool


class ColumnFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a column holds; `min` and `max` are null where nothing in it is a number."""

    name: str
    num_missing: int
    num_non_numeric: int
    min: float | None
    max: float | None
    examples: tuple[str, ...]
    problems: tuple[CellProblem, ...]


class DataUpload(msgspec.Struct, frozen=True, kw_only=True):
    """An uploaded file: `num_rows` are those with values, without the header."""

    id: str
    name: str
    num_rows: int
    delimiter: str
    has_header: bool
    num_bytes: int
    columns: tuple[ColumnFacts, ...]
    created_at: datetime


class DataFiles:
    """A folder of uploads, which are written once and never changed. Safe to use from several threads."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        for path in directory.glob(f"*{UNFINISHED}"):
            shutil.rmtree(path, ignore_errors=True)

    def receive(self, file: Received, max_bytes: int, name: str | None = None) -> DataUpload:
        """Read the file and keep its columns; raises `UnreadableFile`, and `TooLarge` past `max_bytes` and others."""
        num_bytes = _size(file, max_bytes)
        table = read_csv(file.content)
        values = as_array(table)
        upload = DataUpload(
            id=new_id(PREFIX),
            name=name or _plain(file.name),
            num_rows=table.num_rows,
            delimiter=table.delimiter,
            has_header=table.has_header,
            num_bytes=num_bytes,
            columns=tuple(_facts(column, row) for column, row in zip(table.columns, values, strict=True)),
            created_at=now(),
        )
        self._keep(upload, values)
        return upload

    def newest(self) -> list[DataUpload]:
        """Return all uploads, newest first."""
        found = [self._read(path) for path in self.directory.iterdir() if not path.name.endswith(UNFINISHED)]
        return sorted((each for each in found if each is not None), key=lambda each: each.created_at, reverse=True)

    def get(self, upload_id: str) -> DataUpload:
        """Return an upload; raises `NotFound`."""
        found = self._read(self.directory / upload_id) if re.fullmatch(r"d_[a-z2-7]+", upload_id) else None
        if found is None:
            raise NotFound(
                said("There is no data %(upload)s. GET /api/data lists what there is.", upload=repr(upload_id[:40]))
            )
        return found

    def delete(self, upload_id: str) -> None:
        """Delete an upload; runs keep their own copy. Raises `NotFound`."""
        self.get(upload_id)
        shutil.rmtree(self.directory / upload_id, ignore_errors=True)

    def points(self, data: CsvData) -> tuple[CsvData, Tensor, Tensor]:
        """Return the data with its file's name and the number of its points, and x and y as float32 (points, features).

        Raises `Invalid` for an upload or columns that are not there, and, unless rows may be dropped, for every cell of
        the columns that holds no number, the first 20 by row and column.
        """
        try:
            upload = self.get(data.upload)
        except NotFound as error:
            raise _invalid([Misfit(("data", "upload"), error.detail)]) from error
        places = {column.name: place for place, column in enumerate(upload.columns)}
        unknown = [
            Misfit(("data", axis, at), _no_column(name, upload))
            for axis, names in (("x", data.x), ("y", data.y))
            for at, name in enumerate(names)
            if name not in places
        ]
        if unknown:
            raise _invalid(unknown[:MAX_PROBLEMS])
        chosen = [places[name] for name in (*data.x, *data.y)]
        values = np.load(self.directory / data.upload / VALUES, mmap_mode="r")[chosen]
        is_whole = ~np.isnan(values).any(axis=0)
        if data.missing == "refuse" and not is_whole.all():
            raise _invalid(_holes(upload, data, int((~is_whole).sum())))
        points = values[:, is_whole]
        if not points.shape[1]:
            raise _invalid([Misfit(("data", "missing"), said("no row has a number in each of the columns"))])
        both = _standardized(points) if data.standardize else points
        tensor = torch.from_numpy(np.ascontiguousarray(both.T, dtype=np.float32))
        x, y = tensor[:, : len(data.x)].contiguous(), tensor[:, len(data.x) :].contiguous()
        found = msgspec.structs.replace(
            data, name=upload.name, count=len(tensor), num_dropped=upload.num_rows - len(tensor)
        )
        return found, x, y

    def _keep(self, upload: DataUpload, values: NDArray[np.float64]) -> None:
        # Written beside its name and renamed: an upload is there whole or not at all.
        unfinished = self.directory / f"{upload.id}{UNFINISHED}"
        unfinished.mkdir(mode=0o700)
        try:
            np.save(unfinished / VALUES, values)
            (unfinished / ABOUT).write_bytes(msgspec.json.encode(upload))
            for path in (unfinished / VALUES, unfinished / ABOUT, unfinished):
                _sync(path)
            unfinished.rename(self.directory / upload.id)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        _sync(self.directory)

    def _read(self, folder: Path) -> DataUpload | None:
        try:
            return msgspec.json.decode((folder / ABOUT).read_bytes(), type=DataUpload)
        except (OSError, msgspec.MsgspecError):
            return None


def problems_of(upload: DataUpload, columns: Sequence[str] | None = None) -> list[CellProblem]:
    """Return the first 20 cells without a number, by row, of some columns or of all."""
    found = [
        problem for column in upload.columns if columns is None or column.name in columns for problem in column.problems
    ]
    return sorted(found, key=lambda problem: problem.row)[:MAX_PROBLEMS]


def told(problem: CellProblem) -> str:
    """Return what is wrong with a cell."""
    if problem.is_missing:
        return said("row %(row)s, column %(column)r: no value", row=f"{problem.row:,}", column=problem.column)
    return said(
        "row %(row)s, column %(column)r: %(text)r is no number",
        row=f"{problem.row:,}",
        column=problem.column,
        text=problem.text,
    )


def _holes(upload: DataUpload, data: CsvData, num_rows: int) -> list[Misfit]:
    axes = {**dict.fromkeys(data.y, "y"), **dict.fromkeys(data.x, "x")}
    found = problems_of(upload, tuple(axes))
    msg = said(
        '%(num)s of %(rows)s rows have no number in the columns that are asked for; "missing": "drop" leaves them out',
        num=f"{num_rows:,}",
        rows=f"{upload.num_rows:,}",
    )
    cells = [Misfit(("data", axes[problem.column]), told(problem)) for problem in found]
    return [Misfit(("data", "missing"), msg), *cells[: MAX_PROBLEMS - 1]]


def _standardized(points: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = points.std(axis=1, keepdims=True)
    # A column of one value has no spread: it is 0 then.
    standardized: NDArray[np.float64] = (points - points.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1)
    return standardized


def _facts(column: Column, values: NDArray[np.float64]) -> ColumnFacts:
    is_known = ~np.isnan(values)
    has_any = bool(is_known.any())
    return ColumnFacts(
        name=column.name,
        num_missing=column.num_missing,
        num_non_numeric=column.num_non_numeric,
        min=float(np.nanmin(values)) if has_any else None,
        max=float(np.nanmax(values)) if has_any else None,
        examples=tuple(column.examples),
        problems=tuple(CellProblem(each.row, each.column, each.text, each.is_missing) for each in column.problems),
    )


def _no_column(name: str, upload: DataUpload) -> str:
    known = ", ".join(column.name for column in upload.columns[:MAX_PROBLEMS])
    return said("%(file)s has no column %(name)r; it has %(known)s", file=upload.name, name=name[:200], known=known)


def _plain(name: str) -> str:
    plain = re.split(r"[/\\]", name)[-1]
    return "".join(char for char in plain if char.isprintable()).strip()[:200] or "data.csv"


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _size(file: Received, most: int) -> int:
    size = file.content.seek(0, os.SEEK_END)
    file.content.seek(0)
    if size > most:
        detail = said(
            "The file has more than %(most)s bytes, which is the limit here: start the server with a larger "
            "--max-upload.",
            most=f"{most:,}",
        )
        raise TooLarge(detail, most)
    return size


def _invalid(misfits: list[Misfit]) -> Invalid:
    return Invalid(f"{'.'.join(map(str, misfits[0].loc))}: {misfits[0].msg}.", tuple(misfits))
