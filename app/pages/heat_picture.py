"""A heat map as a picture made on the server: one pixel a cell, once in the light colours and once in the dark ones."""

import base64
import struct
import zlib
from collections import Counter
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from app.pages import filters
from app.translation import gettext as _
from app.translation import ngettext
from app.trees.rows import HeatMap

# Blue is negative, orange positive; 0 is the surface.
LIGHT = ("#12479d", "#4c88d3", "#aacbee", "#f5f7f9", "#edc197", "#d77435", "#953a1c")
DARK = ("#a5d7ff", "#609ae7", "#2b4c83", "#1c1e22", "#743b1f", "#d77939", "#fbd094")
NUM_LEVELS = 63
CENTRE = NUM_LEVELS // 2
# The widest and tallest that cells are drawn, and the least that a picture of few rows or columns is.
WIDTH, HEIGHT, MOST_CELL, LEAST = 1024, 512, 24, 24


@dataclass(frozen=True, slots=True)
class HeatPicture:
    """The picture as data URLs; what is not finite is left clear, for the hatching behind to show.

    `width` and `height` are pixels to show it at; `odd` says what is not finite, and is empty where all is.
    """

    light: str
    dark: str
    width: int
    height: int
    light_scale: str
    dark_scale: str
    low: str
    high: str
    rows: int
    columns: int
    block: str
    odd: str
    said: str


def heat_picture(heat: HeatMap, name: str) -> HeatPicture | None:
    """Return the picture of a heat map of the tensor with that name, None for one without a cell."""
    cells = np.array(heat.cells, np.float64)
    if not cells.size:
        return None
    finite = cells[np.isfinite(cells)]
    most = float(np.abs(finite).max()) if len(finite) else 0.0
    levels = _levels(cells, most)
    scale = np.arange(1, NUM_LEVELS + 1, dtype=np.uint8)[None]
    width, height = _size(*cells.shape)
    rows, columns = heat.shape
    odd = _odd(heat)
    return HeatPicture(
        light=_data_url(levels, LIGHT),
        dark=_data_url(levels, DARK),
        width=width,
        height=height,
        light_scale=_data_url(scale, LIGHT),
        dark_scale=_data_url(scale, DARK),
        low=filters.significant(-most),
        high=filters.significant(most),
        rows=rows,
        columns=columns,
        block=f"{filters.exact(heat.block[0])} × {filters.exact(heat.block[1])}" if heat.block != (1, 1) else "",
        odd=odd,
        said=_said(name, heat.shape, finite, odd),
    )


def _said(name: str, shape: tuple[int, int], finite: NDArray[np.float64], odd: str) -> str:
    rows, columns = map(filters.exact, shape)
    if not len(finite):
        said = _(
            "Heat map of %(name)s: %(rows)s rows by %(columns)s columns, no finite value.",
            name=name,
            rows=rows,
            columns=columns,
        )
    else:
        low, high = _extreme(finite.min()), _extreme(finite.max())
        said = _(
            "Heat map of %(name)s: %(rows)s rows by %(columns)s columns, from %(low)s to %(high)s.",
            name=name,
            rows=rows,
            columns=columns,
            low=low,
            high=high,
        )
    return f"{said} {odd}." if odd else said


def _levels(cells: NDArray[np.float64], most: float) -> NDArray[np.uint8]:
    """0 for a cell that is not finite, then 63 levels from -most to most."""
    with np.errstate(invalid="ignore"):
        parts = cells / most if most else np.where(np.isfinite(cells), 0.0, cells)
        levels = np.where(np.isfinite(parts), np.rint(parts * CENTRE) + CENTRE + 1, 0)
    return levels.astype(np.uint8)


def _size(rows: int, columns: int) -> tuple[int, int]:
    cell = max(1, min(MOST_CELL, WIDTH // columns, HEIGHT // rows))
    return max(LEAST, cell * columns), max(LEAST, cell * rows)


def _odd(heat: HeatMap) -> str:
    if not heat.nonfinite:
        return ""
    counts = Counter(word for word in chain.from_iterable(row for row in heat.nonfinite if row) if word)
    named = ((word.replace("-", filters.MINUS), counts[word]) for word in ("nan", "inf", "-inf") if counts[word])
    return ", ".join(
        ngettext("%(num)s cell %(word)s", "%(num)s cells %(word)s", count, num=filters.exact(count), word=word)
        for word, count in named
    )


def _extreme(value: "np.floating[object]") -> str:  # type: ignore[type-var]
    return filters.significant(float(value))


def _data_url(levels: NDArray[np.uint8], stops: tuple[str, ...]) -> str:
    return f"data:image/png;base64,{base64.b64encode(_png(levels, _palette(stops))).decode('ascii')}"


def _palette(stops: tuple[str, ...]) -> bytes:
    """Black, which is left clear, then the colours of the levels, evenly between the stops."""
    known = np.array([[int(stop[at : at + 2], 16) for at in (1, 3, 5)] for stop in stops], np.float64)
    places = np.linspace(0, len(stops) - 1, NUM_LEVELS)
    colours = np.stack([np.interp(places, np.arange(len(stops)), known[:, part]) for part in range(3)], axis=1)
    return bytes(3) + np.rint(colours).astype(np.uint8).tobytes()


def _png(levels: NDArray[np.uint8], palette: bytes) -> bytes:
    """PNG, third edition, 11.2: 8 bits a pixel, each a number in the palette, of which the first is clear."""
    rows, columns = levels.shape
    lines = np.zeros((rows, columns + 1), np.uint8)
    lines[:, 1:] = levels
    header = struct.pack(">2I5B", columns, rows, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", header), (b"PLTE", palette), (b"tRNS", b"\0"), (b"IDAT", zlib.compress(lines.tobytes(), 9)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in (*parts, (b"IEND", b"")))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
