"""A CSV file is read as columns of numbers; what is none is named, and what is no table refused in words."""

import csv
import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import TooLarge, UnreadableFile
from app.training import csv_table
from app.training.csv_table import CsvTable, as_array, read_csv


def read(text: str | bytes) -> CsvTable:
    return read_csv(io.BytesIO(text.encode() if isinstance(text, str) else text))


def refusal(text: str | bytes) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read(text)
    return caught.value.detail


@given(
    st.lists(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=2, max_size=2), min_size=1),
    st.sampled_from(csv_table.DELIMITERS),
    st.sampled_from(["", "\ufeff"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_python_writes_is_read_back(rows: list[list[float]], delimiter: str, bom: str, end: str) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(["a, b; c", 'the "y"'])
    writer.writerows(rows)
    table = read(bom + text.getvalue())
    assert [column.name for column in table.columns] == ["a, b; c", 'the "y"']
    assert (table.delimiter, table.has_header, table.num_rows) == (delimiter, True, len(rows))
    assert np.array_equal(as_array(table).T, np.array(rows))


def test_without_a_header_columns_are_counted() -> None:
    table = read("1;2\n3;4\n\n5;6\n")
    assert [column.name for column in table.columns] == ["column1", "column2"]
    assert as_array(table).tolist() == [[1, 3, 5], [2, 4, 6]]
    assert not table.has_header


def test_names_are_told_apart() -> None:
    assert [column.name for column in read("x,x,,x\n1,2,3,4\n").columns] == ["x", "x (2)", "column3", "x (3)"]


@pytest.mark.parametrize("text", ["", "  ", "NA", "n/a", "NaN", "null", "None"])
def test_a_cell_that_says_there_is_nothing_is_missing(text: str) -> None:
    column = read(f"x,y\n1,2\n{text},3\n").columns[0]
    assert (column.num_missing, column.num_non_numeric) == (1, 0)
    assert [(problem.row, problem.is_missing) for problem in column.problems] == [(3, True)]
    assert math.isnan(column.values[1])


@pytest.mark.parametrize("text", ["abc", "1_000", "inf", "1e39", "0x10", "1.2.3", '"1,5"'])
def test_a_cell_that_is_no_finite_float32_is_not_numeric(text: str) -> None:
    column = read(f"x,y\n1,2\n{text},3\n").columns[0]
    assert (column.num_missing, column.num_non_numeric) == (0, 1)
    assert column.problems[0].text == text.strip('"')


def test_of_many_problems_the_first_are_named_and_all_are_counted() -> None:
    column = read("x,y\n" + "a,1\n" * 50).columns[0]
    assert column.num_non_numeric == 50
    assert [problem.row for problem in column.problems] == list(range(2, 22))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (b"", "empty"),
        (b"x,y\n", "no rows"),
        ("x,y\n1,2\n".encode("utf-16"), "UTF-16"),
        ("größe\n1\n".encode("latin-1"), "0xF6"),
        (b"x,y\n1,2,3\n4,5\n6\n", "2 rows are not as long as the first; row 2: expected 2 cells"),
        (b'x,y\n"1,2\n' + b"3,4\n" * 50_000, "a quote"),
        (b"x,y\n" + b"," * 20_000_000, "too long"),
        (b"PK\x03\x04\xff\xfe\x00" * 10, "UTF-8"),
    ],
)
def test_what_is_no_table_is_refused_in_words(text: bytes, word: str) -> None:
    assert word in refusal(text)


def test_every_row_of_another_length_is_named() -> None:
    with pytest.raises(UnreadableFile) as caught:
        read("x,y\n1,2\n3\n4,5,6\n")
    assert [misfit.loc for misfit in caught.value.errors] == [("file", "row", 3), ("file", "row", 4)]


@pytest.mark.parametrize("text", ["," * csv_table.MAX_COLUMNS + "\n", "x\n" + "1\n" * 1_000_001])
def test_more_than_a_run_takes_is_too_large(text: str) -> None:
    with pytest.raises(TooLarge):
        read(text)
