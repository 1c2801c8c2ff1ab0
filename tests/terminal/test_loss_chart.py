"""Losses drawn with characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from app.terminal.loss_chart import Points, chart_lines

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def test_a_falling_loss_falls() -> None:
    lines = chart_lines(Points([0, 1, 2, 3], [4.0, 3.0, 2.0, 1.0]), 12, 4, is_ascii=True)
    assert lines == [
        "4  **",
        "     **",
        "       ***",
        "1         **",
        "   epoch 0  3",
    ]


def test_dots_of_braille_are_eight_to_a_character() -> None:
    top, *_, bottom, axis = chart_lines(Points([10, 20], [1.0, 0.0]), 14, 3)
    assert (top[0], bottom[0]) == ("1", "0")
    assert all(0x2800 < ord(char) <= 0x28FF for char in top[3:].strip())
    assert axis.split() == ["epoch", "10", "20"]


@pytest.mark.parametrize(
    ("losses", "is_wide"), [([100.0, 1.0], True), ([40.0, 1.0], False), ([100.0, -1.0], False), ([100.0, 0.0], False)]
)
def test_losses_of_many_sizes_are_shown_by_their_logarithms(losses: list[float], is_wide: bool) -> None:
    assert ("logarithmic" in chart_lines(Points([0, 1], losses), 60, 3)[-1]) is is_wide


@given(st.lists(FINITE, max_size=40), st.integers(20, 80), st.booleans())
def test_any_losses_have_a_chart_that_fits(losses: list[float], width: int, is_ascii: bool) -> None:
    lines = chart_lines(Points(range(len(losses)), losses), width, 5, is_ascii=is_ascii)
    assert len(lines) == (6 if losses else 0)
    margin = max((len(line.split("  ")[0]) for line in lines[:1]), default=0)
    assert all(cell_len(line) <= max(width, margin + 40) for line in lines)
    assert all(line.isascii() for line in lines) or not is_ascii
    if losses:
        assert f"{max(losses):.6g}" in lines[0]


def test_a_spike_among_many_is_drawn_to_the_top() -> None:
    losses = [1.0] * 1000
    losses[500] = 9.0
    lines = chart_lines(Points(range(1000), losses), 60, 5)
    assert len(lines[0].split()) == 2
    assert Points.of([0, 1, 2], [1.0, None, 3.0]) == Points([0, 2], [1.0, 3.0])
    assert not chart_lines(Points.of([0], [None]), 60, 5)
