"""Numbers as pages write them; the table is the one that the scripts are held to."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.pages import filters
from app.translation import speaking

TABLE = json.loads((Path(__file__).parent.parent / "js" / "numbers.json").read_text(encoding="utf-8"))
WRITERS = {
    "exact": lambda number: filters.exact(int(number)),
    "count": lambda number: filters.count(int(number)),
    "num_bytes": lambda number: filters.num_bytes(int(number)),
    "significant": filters.significant,
    "loss": filters.loss,
    "value": lambda number: filters.value(float(number)),
    "change": filters.change,
    "seconds": filters.seconds,
}
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize("name", TABLE)
def test_numbers_are_written_as_the_scripts_write_them(name: str) -> None:
    for number, text in TABLE[name]:
        assert WRITERS[name](number) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "–"),
        (9_999, "9,999"),
        (10_000, "10.0\u2009k"),
        (786_432, "786.4\u2009k"),
        (999_950, "1.00\u2009M"),
        (1_769_472, "1.77\u2009M"),
        (9_996_000, "10.0\u2009M"),
        (38_597_376, "38.6\u2009M"),
        (124_439_808, "124.4\u2009M"),
        (405_853_388_800, "405.9\u2009B"),
    ],
)
def test_counts_are_in_full_under_ten_thousand_and_rounded_from_there(number: int, text: str) -> None:
    assert filters.count(number) == text


@pytest.mark.parametrize(("number", "text"), [(24, "24\u2009B"), (9_216, "9,216\u2009B"), (7_087_872, "7.09\u2009MB")])
def test_bytes_are_in_powers_of_a_thousand(number: int, text: str) -> None:
    assert filters.num_bytes(number) == text


def test_only_the_whole_is_a_hundred_percent_and_little_is_not_zero() -> None:
    shares = [filters.percent(part, 10_000) for part in (0, 1, 3_333, 9_999, 10_000)]
    assert shares == ["", "<\u20090.1\u2009%", "33.3\u2009%", "99.9\u2009%", "100\u2009%"]


def test_a_share_that_is_not_zero_can_be_seen() -> None:
    assert [filters.share_width(part, 1_000_000) for part in (0, 1, 500_000)] == ["0", "1.5", "31"]


def test_nested_values_stand_in_brackets_and_end_after_twelve() -> None:
    assert filters.values([[0.9385, 2.0], [1, float("nan")]]) == "[[0.9385, 2.], [1, nan]]"
    assert filters.values(list(range(64))).endswith("11, …]")


@pytest.mark.parametrize(
    ("passed", "text"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=2), "2\u2009min ago"),
        (timedelta(hours=3), "3\u2009h ago"),
        (timedelta(days=1, hours=2), "yesterday"),
        (timedelta(days=4), "Nov 19"),
        (timedelta(days=400), "Oct 19, 2025"),
    ],
)
def test_instants_are_told_by_how_long_ago_they_were(passed: timedelta, text: str) -> None:
    assert filters.ago(NOW - passed, NOW) == text


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ("Mar 4, 2026, 05:06 UTC", "Mar 4", "Mar 4, 2026", "3\u2009min ago", "4\u2009min 10\u2009s")),
        ("ko", ("2026년 3월 4일 05:06 UTC", "3월 4일", "2026년 3월 4일", "3분 전", "4분 10초")),
    ],
)
def test_instants_are_written_as_the_language_has_them(language: str, expected: tuple[str, ...]) -> None:
    then = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    with speaking(language):
        assert expected == (
            filters.moment(then),
            filters.ago(then, datetime(2026, 9, 1, tzinfo=UTC)),
            filters.ago(then, datetime(2027, 9, 1, tzinfo=UTC)),
            filters.ago(then, then + timedelta(minutes=3)),
            filters.seconds(250),
        )


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("opened", "열었음"),
        ("applied run 3", "실행 3 적용"),
        ("run 2: 1,200 epochs", "실행 2: 1,200 에포크"),
        ("sub1.register_buffer('opened', tensor([1.]))", "sub1.register_buffer('opened', tensor([1.]))"),
    ],
)
def test_what_made_a_revision_is_code_or_said_in_the_readers_language(note: str, expected: str) -> None:
    assert filters.noted(note) == note
    with speaking("ko"):
        assert filters.noted(note) == expected
