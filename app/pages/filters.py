"""Numbers and instants as a page writes them; templates do no arithmetic.

The minus is U+2212 and the unit stands after a thin space: what is copied comes from elsewhere, with plain signs.
"""

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime

from app.translation import gettext as _
from app.translation import language

THIN = "\u2009"
MINUS = "\u2212"
DASH = "\u2013"

# The notes of revisions that no call made.
OPENED, APPLIED, TRAINED = "opened", "applied run ", re.compile(r"run (\d+): ([\d,]+) epochs")

_COUNT_UNITS = ("", "k", "M", "B", "T")
_BYTE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def exact(number: int) -> str:
    """Return every digit, with commas: `124,439,808`."""
    return f"{number:,}".replace("-", MINUS)


def count(number: int) -> str:
    """Return `1,536`, and from 10,000 on three digits or one decimal with k, M, B, T: `38.6 M`; zero is a dash."""
    return THIN.join(part for part in count_parts(number) if part)


def count_parts(number: int) -> tuple[str, str]:
    """Return `count` as its digits and its unit, which has a slot of its own in a row."""
    if number == 0:
        return DASH, ""
    if abs(number) < 10_000:
        return exact(number), ""
    return _scaled(number, _COUNT_UNITS)


def num_bytes(number: int) -> str:
    """Return bytes in powers of 1,000: `24 B`, `9,216 B`, `7.09 MB`."""
    if abs(number) < 10_000:
        return f"{exact(number)}{THIN}B"
    return THIN.join(_scaled(number, _BYTE_UNITS))


def _scaled(number: int, units: tuple[str, ...]) -> tuple[str, str]:
    value, step = float(number), 0
    while step < len(units) - 1 and float(f"{abs(value):.1f}") >= 1000:
        value, step = value / 1000, step + 1
    for decimals in (2, 1):
        digits = f"{value:.{decimals}f}"
        if len(digits.lstrip("-")) <= 4:
            break
    return digits.replace("-", MINUS), units[step]


def percent(part: int, whole: int) -> str:
    """Return a share to one decimal; `100 %` only if it is the whole, `< 0.1 %` for little, nothing for nothing."""
    if part == 0 or whole == 0:
        return ""
    if part == whole:
        return f"100{THIN}%"
    share = 100 * part / whole
    if share < 0.1:
        return f"<{THIN}0.1{THIN}%"
    return f"{min(share, 99.9):.1f}{THIN}%"


def share_width(part: int, whole: int, width: float = 62) -> str:
    """Return how many of the bar's pixels the share takes: linear, at least 1.5 where it is not zero."""
    if part == 0 or whole == 0:
        return "0"
    return f"{max(1.5, width * part / whole):.4g}"


def value(number: float | int | bool | None) -> str:
    """Return one element of a tensor as torch prints it: `2.0484`, `2.`, `2.93e-5`, `nan`."""
    if number is None:
        return _("unknown")
    if isinstance(number, bool | int):
        return str(number).replace("-", MINUS)
    if not math.isfinite(number):
        return str(number).replace("-", MINUS)
    if number == int(number) and abs(number) < 1e8:
        return f"{number:.0f}.".replace("-", MINUS)
    if 1e-4 <= abs(number) < 1e8:
        return f"{number:.4f}".replace("-", MINUS)
    return _scientific(number)


def values(nested: object, most: int = 12) -> str:
    """Return nested numbers in brackets as torch prints them, cut after `most` elements."""
    return _nested(nested, [most])


def _nested(item: object, room: list[int]) -> str:
    if not isinstance(item, Iterable):
        room[0] -= 1
        return value(item)  # type: ignore[arg-type]
    parts = []
    for part in item:
        if room[0] <= 0:
            parts.append("…")
            break
        parts.append(_nested(part, room))
    return f"[{', '.join(parts)}]"


def loss(number: float | None, nonfinite: str | None = None) -> str:
    """Return a loss to four significant digits: `37.14`, `6.440`, `2.930e-5`; the word of one that is not finite."""
    if nonfinite is not None:
        return nonfinite.replace("-", MINUS)
    if number is None:
        return ""
    return significant(number, keep_zeros=True)


def significant(number: float, digits: int = 4, *, keep_zeros: bool = False) -> str:
    """Return a number to so many significant digits, without the zeros that end it unless they are asked for."""
    if not math.isfinite(number):
        return str(number).replace("-", MINUS)
    if number == 0:
        return "0"
    if abs(number) >= 1e6 or abs(number) < 1e-4:
        return _scientific(number, digits, keep_zeros=keep_zeros)
    if abs(number) >= 10 ** (digits - 1):
        return f"{number:,.0f}".replace("-", MINUS)
    decimals = digits - 1 - math.floor(math.log10(abs(number)))
    text = f"{number:.{decimals}f}"
    return (text if keep_zeros else text.rstrip("0").rstrip(".")).replace("-", MINUS)


def _scientific(number: float, digits: int = 4, *, keep_zeros: bool = False) -> str:
    mantissa, _, exponent = f"{number:.{digits - 1}e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa and not keep_zeros else mantissa
    return f"{mantissa.replace('-', MINUS)}e{int(exponent)}"


def change(number: float | None) -> str:
    """Return a relative change as a signed percentage: `−82.7 %`."""
    if number is None or not math.isfinite(number):
        return ""
    size = 100 * abs(number)
    digits = f"{size:.1f}" if size < 1000 else f"{size:,.0f}"
    sign = "" if digits == "0.0" else MINUS if number < 0 else "+"
    return f"{sign}{digits}{THIN}%"


def signed(number: float, digits: int = 4) -> str:
    """Return ` + 0.695` or ` − 0.695`: a number as the second term of a sum."""
    return f"{MINUS if number < 0 else '+'} {significant(abs(number), digits)}"


def seconds(duration: float) -> str:
    """Return a duration in the unit that suits it: `0.14 ms`, `2.3 s`, `4 min 10 s`, `3 h 5 min`."""
    if duration < 0.1:
        return f"{significant(duration * 1000, 2)}{THIN}ms"
    if duration < 60:
        return f"{significant(duration, 2)}{THIN}s"
    whole = round(duration)
    if whole < 3600:
        return _("%(minutes)s\u2009min %(seconds)s\u2009s", minutes=whole // 60, seconds=whole % 60)
    return _("%(hours)s\u2009h %(minutes)s\u2009min", hours=whole // 3600, minutes=whole % 3600 // 60)


def ago(instant: datetime, now: datetime | None = None) -> str:
    """Return how long ago: `just now`, `2 min ago`, `3 h ago`, `yesterday`, then the day."""
    now = now or datetime.now(UTC)
    passed = (now - instant).total_seconds()
    if passed < 60:
        return _("just now")
    if passed < 3600:
        return _("%(minutes)s\u2009min ago", minutes=int(passed // 60))
    if passed < 86_400:
        return _("%(hours)s\u2009h ago", hours=int(passed // 3600))
    if passed < 2 * 86_400:
        return _("yesterday")
    return _dated(instant, "MMMd" if instant.year == now.year else "yMMMd")


def moment(instant: datetime) -> str:
    """Return an instant to the minute, as the reader's language writes it: `Nov 23, 2026, 06:05 UTC`."""
    utc = instant.astimezone(UTC)
    return _("%(day)s, %(time)s UTC", day=_dated(utc, "yMMMd"), time=f"{utc:%H:%M}")


def _dated(instant: datetime, parts: str) -> str:
    # Its languages are files that it reads; most pages have no date.
    from babel.dates import format_skeleton

    return str(format_skeleton(parts, instant, locale=language()))


def instant(moment: datetime) -> str:
    """Return an instant as a machine reads it, in UTC: `2026-11-23T06:05:58Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def noted(note: str) -> str:
    """Return what made a revision: code as it is, the notes that are words in the reader's language."""
    if note == OPENED:
        return _("opened")
    if note.startswith(APPLIED):
        return _("applied run %(number)s", number=note.removeprefix(APPLIED))
    if match := TRAINED.fullmatch(note):
        return _("run %(number)s: %(num)s epochs", number=match[1], num=match[2])
    return note
