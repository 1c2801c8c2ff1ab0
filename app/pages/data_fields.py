"""The part of the form of a run that says what it learns from: a kind of data, and the fields of each kind."""

from dataclasses import dataclass

from app.errors import NotFound
from app.pages.forms import Field
from app.pages.run_typed import number_text
from app.pages.visible import clipped
from app.storage.data_files import DataFiles, DataUpload
from app.training.data import CsvData, Data, LineData, PolynomialData, SineData, TableData
from app.training.data_misfits import MISSING
from app.translation import gettext as _

KINDS = ("line", "polynomial", "sine", "table", "csv")
FUNCTIONS = ("line", "polynomial", "sine")
MOST_UPLOADS = 50
# More columns than this are named, not picked from a list.
MOST_COLUMNS = 500


@dataclass(frozen=True, slots=True)
class DataField:
    """A field, the kinds of data that it is for, and how its choices are called where not by themselves."""

    field: Field
    kinds: tuple[str, ...]
    labels: tuple[str, ...] = ()


def data_fields(data: Data, files: DataFiles | None, upload: str = "") -> tuple[Field, tuple[DataField, ...]]:
    """Return the field of the kind and those of every kind, filled in from `data`; `upload` is the file just sent."""
    kind = "csv" if upload else data.__struct_config__.tag
    choice = Field("kind", "data", str(kind), "choice", KINDS)
    return choice, (*_function_fields(data), *_table_fields(data), *_csv_fields(data, files, upload))


def _function_fields(data: Data) -> list[DataField]:
    line = data if isinstance(data, LineData) else LineData()
    polynomial = data if isinstance(data, PolynomialData) else PolynomialData()
    sine = data if isinstance(data, SineData) else SineData()
    among = data if isinstance(data, PolynomialData | SineData) else polynomial
    made = data if isinstance(data, LineData | PolynomialData | SineData) else line
    noise = number_text(made.noise) if made.noise else ""
    coefficients = ", ".join(map(number_text, polynomial.coefficients))
    return [
        _number("slope", _("slope"), line.slope, "line"),
        _number("intercept", _("intercept"), line.intercept, "line"),
        DataField(
            Field("coefficients", _("coefficients"), coefficients, hint=_("the constant first")), ("polynomial",)
        ),
        _number("amplitude", _("amplitude"), sine.amplitude, "sine"),
        _number("frequency", _("frequency"), sine.frequency, "sine"),
        _number("phase", _("phase"), sine.phase, "sine"),
        _number("offset", _("offset"), sine.offset, "sine"),
        _number("start", _("x from"), among.start, "polynomial", "sine"),
        _number("stop", _("x to"), among.stop, "polynomial", "sine"),
        DataField(Field("count", _("points"), str(made.count), "number"), FUNCTIONS),
        DataField(Field("noise", _("noise"), noise, "number", placeholder="0"), FUNCTIONS),
        DataField(Field("noise_seed", "noise_seed", str(made.noise_seed), "number"), FUNCTIONS),
    ]


def _number(name: str, label: str, value: float, *kinds: str) -> DataField:
    return DataField(Field(name, label, number_text(value), "number"), kinds)


def _table_fields(data: Data) -> list[DataField]:
    table = data if isinstance(data, TableData) else TableData((), ())
    hint = _("one point a line")
    return [
        DataField(Field(f"table_{axis}", axis, _rows(rows), "long", hint=hint, rows=4), ("table",))
        for axis, rows in (("x", table.x), ("y", table.y))
    ]


def _rows(rows: tuple[tuple[float, ...], ...]) -> str:
    return "\n".join(", ".join(map(number_text, row)) for row in rows)


def _csv_fields(data: Data, files: DataFiles | None, upload: str) -> list[DataField]:
    uploads = files.newest()[:MOST_UPLOADS] if files else []
    csv = data if isinstance(data, CsvData) else None
    chosen = _chosen(files, uploads, upload or (csv.upload if csv else ""))
    names = tuple(column.name for column in chosen.columns) if chosen else ()
    kept = csv if csv and chosen and csv.upload == chosen.id else None
    numeric = [column.name for column in chosen.columns if column.min is not None] if chosen else []
    x = kept.x if kept else tuple(numeric[:-1] if len(numeric) <= MOST_COLUMNS else numeric[:1])
    y = kept.y if kept else tuple(numeric[-1:])
    missing = kept.missing if kept else MISSING[0]
    kind = "many" if len(names) <= MOST_COLUMNS else "long"
    known = uploads if chosen is None or chosen in uploads else [chosen, *uploads]
    ids, labels = tuple(each.id for each in known), tuple(clipped(each.name, 40) for each in known)
    found = [
        DataField(Field("file", _("CSV file"), kind="file", placeholder=".csv,.tsv,.txt,text/csv"), ("csv",)),
        DataField(Field("upload", _("from"), chosen.id if chosen else "", "upload", ids), ("csv",), labels),
    ]
    if chosen is None:
        return found
    return [
        *found,
        DataField(Field("csv_x", _("x columns"), "\n".join(x), kind, names, rows=4), ("csv",)),
        DataField(Field("csv_y", _("y columns"), "\n".join(y), kind, names, rows=4), ("csv",)),
        DataField(Field("missing", _("missing"), missing, "choice", MISSING), ("csv",)),
        DataField(Field("standardize", "standardize", "on" if kept and kept.standardize else "", "check"), ("csv",)),
    ]


def _chosen(files: DataFiles | None, uploads: list[DataUpload], wanted: str) -> DataUpload | None:
    if files is None:
        return None
    try:
        return files.get(wanted) if wanted else (uploads[0] if uploads else None)
    except NotFound:
        return uploads[0] if uploads else None
