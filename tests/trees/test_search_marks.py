"""Which part of a name a query asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.trees.search_marks import Marks
from app.trees.search_query import parse_query


def marked(q: str, name: str) -> str:
    """The name with brackets about what the query asks for."""
    parts, end = [], 0
    for start, stop in Marks.of(parse_query(q)).in_name(name):
        parts += [name[end:start], "[", name[start:stop], "]"]
        end = stop
    return "".join([*parts, name[end:]])


@pytest.mark.parametrize(
    ("q", "name", "shown"),
    [
        ("attn", "attn", "[attn]"),
        ("ATTN", "self_attn", "self_[attn]"),
        ("a", "banana", "b[a]n[a]n[a]"),
        ("ana nan", "banana", "b[anan]a"),
        ("q_* dtype:bf16", "q_proj", "[q_proj]"),
        ("name:proj", "q_proj", "q_[proj]"),
        ("name=proj", "q_proj", "q_proj"),
        ("name=q_proj", "q_proj", "[q_proj]"),
        ("path:h.0", "0", "[0]"),
        ("path:h.0", "10", "10"),
        ("h.1.attn", "h", "[h]"),
        ("h.1.at", "attn", "[at]tn"),
        ("blocks.", "blocks", "[blocks]"),
        ("-attn q", "attn_q", "attn_[q]"),
        ("-(attn -q)", "attn_q", "attn_[q]"),
        ("attn | mlp", "mlp", "[mlp]"),
        ("class:Linear", "Linear", "Linear"),
        ("numel>1", "1", "1"),
        ('"q*"', "q*q", "[q*]q"),
        ("strasse", "Straße", "[Straße]"),
        ("ss", "ßa", "[ß]a"),
        ("모", "모듈", "[모]듈"),
        ("🔥", "a🔥b", "a[🔥]b"),
    ],
)
def test_what_is_asked_for_is_marked(q: str, name: str, shown: str) -> None:
    assert marked(q, name) == shown


def test_classes_have_marks_of_their_own() -> None:
    marks = Marks.of(parse_query("lin class:lin class!=Linear"))
    assert marks.in_class("NonDynamicallyQuantizableLinear") == [(25, 28)]
    assert Marks.of(parse_query("lin")).in_class("Linear") == []


@given(st.text(alphabet="ab.*ßSİi ", max_size=8), st.text(alphabet="abßSsİi", max_size=8))
def test_marks_lie_in_the_name_in_order_and_apart(q: str, name: str) -> None:
    spans = Marks.of(parse_query(q)).in_name(name)
    flat = [at for span in spans for at in span]
    assert flat == sorted(set(flat))
    assert all(0 <= at <= len(name) for at in flat)
