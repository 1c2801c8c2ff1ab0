"""How runs are to be drawn over each other, as an address says it: the link that restores the picture."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query

from app.training.smoothing import MOST

PATH = "/runs/compare"
SCALES = ("", "log", "linear")
AXES = (EPOCH, TIME) = ("epoch", "time")
MOST_ASKED = 1_000


@dataclass(frozen=True, slots=True)
class Drawing:
    """How the runs are drawn, as the address says it."""

    runs: tuple[str, ...]
    hidden: tuple[str, ...]
    scale: str
    x: str
    smooth: str

    @property
    def factor(self) -> float:
        """The factor of the smoothing; 0 where none that can be used was given."""
        try:
            factor = float(self.smooth)
        except ValueError:
            return 0.0
        return min(factor, MOST) if factor > 0 else 0.0

    def url(self, path: str = PATH) -> str:
        """Return the address that draws this again."""
        given = [*(("run", run) for run in self.runs), *(("hide", run) for run in self.hidden)]
        given += [("scale", self.scale)] if self.scale else []
        given += [("x", self.x)] if self.x != EPOCH else []
        given += [("smooth", f"{self.factor:g}")] if self.factor else []
        return f"{path}?{urlencode(given)}"


def drawing_asked(
    run: Annotated[list[str] | None, Query(max_length=MOST_ASKED)] = None,
    hide: Annotated[list[str] | None, Query(max_length=MOST_ASKED)] = None,
    scale: Annotated[str, Query(max_length=20)] = "",
    x: Annotated[str, Query(max_length=20)] = EPOCH,
    smooth: Annotated[str, Query(max_length=20)] = "",
) -> Drawing:
    """Return what a request asks to be drawn; what is none of the choices is the first of them."""
    runs = tuple(dict.fromkeys(run or ()))
    hidden = tuple(each for each in dict.fromkeys(hide or ()) if each in runs)
    return Drawing(runs, hidden, scale if scale in SCALES else "", x if x in AXES else EPOCH, smooth)
