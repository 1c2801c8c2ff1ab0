"""Korean particles agree with the word before them, on the server as in the browser."""

import json
from pathlib import Path
from time import perf_counter

import pytest

from app.korean import particled

CASES: dict[str, str] = json.loads((Path(__file__).parent / "js" / "particles.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("written", "expected"), CASES.items())
def test_the_particle_goes_with_the_last_sound_of_the_word(written: str, expected: str) -> None:
    assert particled(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('<b class="name">sub1</b>을(를)', '<b class="name">sub1</b>을'),
        ("&#34;attn2&#34;와(과)", "&#34;attn2&#34;와"),
        ("<a href='/x'><span>트리</span></a>이(가)", "<a href='/x'><span>트리</span></a>가"),
    ],
)
def test_tags_and_entities_between_are_passed_over(written: str, expected: str) -> None:
    assert particled(written) == expected


def test_a_name_made_of_marks_is_decided_as_fast_as_any() -> None:
    started = perf_counter()
    assert particled(f'"{"." * 100_000}"을(를) 찾을 수 없음') == f'"{"." * 100_000}"을(를) 찾을 수 없음'
    assert particled("(" + "<a" * 50_000 + "은(는)" * 20_000).startswith("(<a<a")
    assert perf_counter() - started < 2
