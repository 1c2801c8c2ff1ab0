"""The parts of an answer: kept bytes, entity tags, cursors, what a client likes best."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.cursors import cursor_of, numbers_of, start_of
from app.api.entity_tags import Precondition, etag_of, is_cached
from app.api.negotiation import coding, media_type
from app.errors import Invalid
from app.trees.kept import Kept


class TestKept:
    def test_what_was_asked_for_last_is_dropped_last(self) -> None:
        kept = Kept(30)
        for key in "abc":
            kept.put(key, b"x" * 10)
        kept.get("a")
        kept.put("d", b"x" * 10)

        assert [kept.get(key) is not None for key in "abcd"] == [True, False, True, True]

    def test_it_is_never_more_than_its_bytes(self) -> None:
        kept = Kept(100)
        for number in range(50):
            kept.put(number, bytes(number))
            assert kept.num_bytes <= 100
        assert len(kept) > 0

    def test_a_body_over_all_of_it_is_not_kept_and_drops_nothing(self) -> None:
        kept = Kept(10)
        kept.put("a", b"12345")
        kept.put("b", b"x" * 11)

        assert kept.get("a") == b"12345"
        assert kept.get("b") is None

    def test_a_body_put_again_counts_once(self) -> None:
        kept = Kept(10)
        kept.put("a", b"1234")
        kept.put("a", b"12345678")

        assert kept.num_bytes == 8

    def test_threads_share_it(self) -> None:
        kept = Kept(1_000)

        def use() -> None:
            for number in range(2_000):
                kept.put(number % 97, bytes(number % 50))
                kept.get((number * 7) % 97)

        threads = [threading.Thread(target=use) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert kept.num_bytes <= 1_000


class TestEntityTags:
    @pytest.mark.parametrize("header", ['"3"', 'W/"3"', '"1", "3"', "*", ' "3" ', '"1",,W/"3"', ',"3"'])
    def test_a_tag_that_is_named_is_cached(self, header: str) -> None:
        assert is_cached(header, etag_of(3))

    @pytest.mark.parametrize("header", [None, "", "3", '"33"', '"3', 'w/"3"', '"3" "4"', "garbage, *", '"3";'])
    def test_one_that_is_not_is_not(self, header: str | None) -> None:
        assert not is_cached(header, etag_of(3))

    @pytest.mark.parametrize("header", ['"3"', '"1", "3"', "*", '"x", "3"', ',"3",'])
    def test_a_precondition_holds(self, header: str) -> None:
        assert Precondition(header)(3)

    @pytest.mark.parametrize("header", ["", "3", 'W/"3"', '"4"', '"03"', '"3', "**", '"1" "3"', '"1", *'])
    def test_a_precondition_fails(self, header: str) -> None:
        assert not Precondition(header)(3)

    @given(st.text())
    def test_any_header_is_read(self, header: str) -> None:
        assert is_cached(header, etag_of(3)) in {True, False}
        assert Precondition(header)(3) in {True, False}

    def test_a_long_list_is_read_in_no_time(self) -> None:
        assert not is_cached('"1",' * 20_000 + "x", etag_of(3))


class TestCursors:
    @given(st.integers(1, 10**9), st.integers(0, 10**12))
    def test_a_cursor_says_where_to_start(self, revision: int, start: int) -> None:
        assert start_of(cursor_of(revision, start), revision) == start

    def test_without_one_it_is_the_start(self) -> None:
        assert start_of(None, 5) == 0

    def test_one_of_another_revision_is_refused(self) -> None:
        with pytest.raises(Invalid, match="revision 4"):
            start_of(cursor_of(4, 10), 5)

    @given(st.text())
    def test_any_other_text_is_refused(self, text: str) -> None:
        try:
            numbers = numbers_of(text, 2)
        except Invalid:
            return
        assert min(numbers) >= 0


class TestNegotiation:
    @pytest.mark.parametrize(
        ("accept", "chosen"),
        [
            (None, "application/json"),
            ("*/*", "application/json"),
            ("text/html", "application/json"),
            ("application/x-ndjson", "application/x-ndjson"),
            ("application/x-ndjson;q=0.5, application/json", "application/json"),
            ("application/json;q=0.1, application/*", "application/x-ndjson"),
            ("APPLICATION/X-NDJSON ; Q=1", "application/x-ndjson"),
            ("application/x-ndjson;q=0", "application/json"),
            ("application/x-ndjson;q=much", "application/json"),
        ],
    )
    def test_the_media_type_that_is_liked_best(self, accept: str | None, chosen: str) -> None:
        assert media_type(accept, ("application/json", "application/x-ndjson")) == chosen

    @pytest.mark.parametrize(
        ("accept", "chosen"),
        [
            (None, "identity"),
            ("", "identity"),
            ("gzip, deflate, br, zstd", "zstd"),
            ("gzip, deflate", "gzip"),
            ("zstd;q=0.5, gzip", "gzip"),
            ("zstd;q=0", "identity"),
            ("*", "zstd"),
            ("*;q=0", "identity"),
            ("identity, gzip;q=0.5", "identity"),
            ("br", "identity"),
        ],
    )
    def test_the_coding_that_is_liked_best(self, accept: str | None, chosen: str) -> None:
        assert coding(accept) == chosen

    @given(st.text())
    def test_any_header_is_read(self, header: str) -> None:
        assert coding(header) in {"zstd", "gzip", "identity"}
        assert media_type(header, ("a/b", "c/d")) in {"a/b", "c/d"}
