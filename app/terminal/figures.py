"""Shapes and numbers as a terminal is to have them."""

from collections.abc import Sequence

UNITS = ("", "k", "M", "B", "T")
BYTE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def shape_text(shape: Sequence[int] | None) -> str:
    """Return a shape as torch prints it, and words for one that is not there yet."""
    return "no shape yet" if shape is None else str(tuple(shape))


def count(number: int) -> str:
    """Return every digit below 10,000, from there on three or four with a unit: `9,216`, `38.6 M`; zero is a dash."""
    if number < 10_000:
        return f"{number:,}" if number else "-"
    return _scaled(number, UNITS)


def num_bytes(number: int) -> str:
    """Return bytes in powers of 1,000: `24 B`, `9,216 B`, `7.09 MB`."""
    return f"{number:,} B" if number < 10_000 else _scaled(number, BYTE_UNITS)


def _scaled(number: int, units: tuple[str, ...]) -> str:
    """Return a number of 10,000 or more with its unit."""
    value, step = float(number), 0
    while step < len(units) - 1 and round(value, 1) >= 1000:
        value, step = value / 1000, step + 1
    digits = f"{value:.2f}" if round(value, 2) < 10 else f"{value:,.1f}"
    return f"{digits} {units[step]}"


def loss_text(loss: float | None) -> str:
    """Return a loss in six digits, a dash for none."""
    return "-" if loss is None else f"{loss:.6g}"


def duration_text(seconds: float) -> str:
    """Return a duration: `0.41 s`, `38 s`, `12 min 5 s`, `3 h 20 min`."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60:,} h {minutes % 60} min"
