"""The page that draws runs over each other and sets their hyperparameters side by side; the same numbers as a file."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import RedirectResponse, StreamingResponse

from app.api.dependencies import RunsDep
from app.api.run_pictures import MAX_COMPARED, csv_of
from app.errors import NotFound
from app.pages import filters
from app.pages.calls import Call, origin_of, over_http
from app.pages.compare_asked import EPOCH, PATH, Drawing, drawing_asked
from app.pages.compare_chart import CompareChart, compare_chart, hue_of
from app.pages.compare_notes import gaps, notes
from app.pages.links import shell_word
from app.pages.run_line import RunLine, run_line
from app.pages.templating import READING, Context, page
from app.pages.visible import clipped
from app.training.hyperparameters import side_by_side
from app.training.pictures import Picture
from app.training.runs import Runs
from app.translation import gettext as _
from app.translation import ngettext

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run of the comparison, with the address of the same without it, and with it shown or hidden."""

    line: RunLine
    name: str
    hue: int
    best: str
    validation: str
    trained: str
    gaps: str
    is_hidden: bool
    toggle_url: str
    without_url: str


@dataclass(frozen=True, slots=True)
class ComparedValues:
    """A hyperparameter of all the runs."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompareRunsPage(Context):
    """Runs over each other; `problems` say what of the address could not be drawn, `notes` what is drawn how."""

    template: ClassVar[str] = "compare_runs.html"

    drawing: Drawing
    runs: tuple[ComparedRun, ...]
    charts: tuple[CompareChart, ...]
    differing: tuple[ComparedValues, ...]
    same: tuple[ComparedValues, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    link: str
    csv_url: str
    json_url: str
    choose_url: str
    calls: tuple[Call, ...]


Asked = Annotated[Drawing, Depends(drawing_asked)]


@router.api_route(PATH, methods=READING)
def show_compare_runs(request: Request, runs: RunsDep, asked: Asked) -> Response:
    """Runs over each other."""
    pictures, problems = _pictures(runs, asked)
    drawing = replace(asked, runs=tuple(picture.run.id for picture in pictures))
    names, hidden = _names(pictures), frozenset(drawing.hidden)
    charts = [compare_chart(pictures, hidden, names, drawing.x, drawing.scale, kind) for kind in ("wide", "narrow")]
    rows = side_by_side([picture.run.config for picture in pictures])
    origin = origin_of(request)
    return page(
        CompareRunsPage(
            drawing=drawing,
            runs=tuple(_compared(drawing, place, picture, names[place]) for place, picture in enumerate(pictures)),
            charts=tuple(charts),
            differing=tuple(ComparedValues(row.name, tuple(map(_text, row.values))) for row in rows if row.differs),
            same=tuple(ComparedValues(row.name, tuple(map(_text, row.values))) for row in rows if not row.differs),
            problems=problems,
            notes=tuple(notes(drawing, pictures, charts[0])),
            link=f"{origin}{drawing.url()}",
            csv_url=drawing.url(f"{PATH}.csv"),
            json_url=_api_url(drawing),
            choose_url=f"/runs?{urlencode([('run', run) for run in drawing.runs])}".rstrip("?"),
            calls=(over_http(origin, "/api/runs") if not pictures else _call(origin, drawing),),
        )
    )


@router.api_route(f"{PATH}.csv", methods=READING)
def download_compared(runs: RunsDep, asked: Asked) -> Response:
    """The numbers of the picture as a file."""
    pictures, _problems = _pictures(runs, asked)
    shown = [picture for picture in pictures if picture.run.id not in asked.hidden]
    headers = {"Content-Disposition": 'attachment; filename="runs.csv"', "Cache-Control": "no-store"}
    return StreamingResponse(csv_of(shown), headers=headers, media_type="text/csv")


@router.api_route("/runs/{run_id}/picture", methods=READING)
def show_picture(runs: RunsDep, run_id: str) -> Response:
    """One run alone, where its axes and its smoothing are chosen; raises `NotFound`."""
    return RedirectResponse(Drawing((runs.get(run_id).id,), (), "", EPOCH, "").url(), 303)


def _call(origin: str, drawing: Drawing) -> Call:
    return Call(over_http(origin, "").title, f"curl -s {shell_word(origin + _api_url(drawing))}")


def _api_url(drawing: Drawing) -> str:
    shown = tuple(run for run in drawing.runs if run not in drawing.hidden)
    return replace(drawing, runs=shown, hidden=(), scale="", x=EPOCH).url("/api/runs/compare")


def _pictures(runs: Runs, asked: Drawing) -> tuple[list[Picture], tuple[str, ...]]:
    pictures, gone = [], []
    for run_id in asked.runs[:MAX_COMPARED]:
        try:
            pictures.append(runs.pictures.get(run_id, factor=asked.factor))
        except NotFound:
            gone.append(clipped(run_id, 20))
    problems = []
    if gone:
        num = len(gone)
        problems.append(
            ngettext("%(num)s run is gone: %(runs)s.", "%(num)s runs are gone: %(runs)s.", num, runs=", ".join(gone))
        )
    if len(asked.runs) > MAX_COMPARED:
        problems.append(
            _(
                "%(most)s runs are drawn at most: of the %(num)s that were picked, the others are left out.",
                most=MAX_COMPARED,
                num=len(asked.runs),
            )
        )
    return pictures, tuple(problems)


def _names(pictures: Sequence[Picture]) -> list[str]:
    """What tells the runs apart at the ends of their lines: their number, and their tree where there are several."""
    are_of_one = len({picture.run.tree for picture in pictures}) == 1
    return [
        f"#{picture.run.number}" if are_of_one else f"{clipped(picture.run.tree_name, 10)} #{picture.run.number}"
        for picture in pictures
    ]


def _compared(drawing: Drawing, place: int, picture: Picture, name: str) -> ComparedRun:
    run = picture.run
    rest = tuple(each for each in drawing.runs if each != run.id)
    is_hidden = run.id in drawing.hidden
    hidden = tuple(each for each in drawing.hidden if each != run.id)
    return ComparedRun(
        line=run_line(run),
        name=name,
        hue=hue_of(place),
        best=filters.loss(run.best_loss),
        validation=filters.loss(run.best_validation_loss),
        trained=filters.seconds(picture.seconds) if picture.seconds else "",
        gaps=gaps(picture),
        is_hidden=is_hidden,
        toggle_url=replace(drawing, hidden=hidden if is_hidden else (*hidden, run.id)).url(),
        without_url=replace(drawing, runs=rest, hidden=hidden).url(),
    )


def _text(value: object) -> str:
    match value:
        case None:
            return _("none")
        case str():
            return clipped(value, 60)
        case float():
            return f"{value:g}".replace("-", filters.MINUS)
        case _:
            return clipped(json.dumps(value), 60)
