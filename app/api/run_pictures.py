"""Runs for charts: the few thousand numbers of each that a picture shows; one run, or several side by side."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
from fastapi import APIRouter, Query, Request, Response

from app.api import picture_examples, picture_schemas
from app.api.answers import JSON
from app.api.dependencies import RunsDep
from app.api.documents import failures, view
from app.api.negotiation import media_type
from app.api.run_examples import NO_SUCH_RUN
from app.api.runs import CSV, NO_STORE, RunId
from app.training.events import numbers
from app.training.hyperparameters import side_by_side
from app.training.log import Floats
from app.training.pictures import COLUMNS, Curve, Picture
from app.training.smoothing import MOST

router = APIRouter(prefix="/api", tags=["Runs"])

MAX_COLUMNS = 4_000
MAX_COMPARED = 50
CURVES = ("loss", "smoothed", "validation_loss", "smoothed_validation_loss")

Columns = Annotated[
    int,
    Query(
        ge=10,
        le=MAX_COLUMNS,
        description="How many pixels wide the picture is. Of the epochs in one of them its lowest and its highest are "
        "given, and what is not finite; all epochs where that is no more.",
    ),
]
Smooth = Annotated[
    float,
    Query(
        ge=0,
        le=MOST,
        description="Also the exponential moving average by this factor, without its bias to zero, as TensorBoard has "
        "it; 0 for none.",
        examples=[0.6],
    ),
]


@view(
    router,
    "/runs/compare",
    response_model=picture_schemas.Compared,
    responses={
        200: {
            "content": {
                JSON: {"example": picture_examples.COMPARED},
                CSV: {"schema": {"type": "string"}, "example": picture_examples.COMPARED_CSV},
            }
        },
        404: NO_SUCH_RUN,
        **failures(422),
    },
)
def compare_runs(
    request: Request,
    runs: RunsDep,
    run: Annotated[
        list[str], Query(min_length=1, max_length=MAX_COMPARED, description="Id of a run; may come several times.")
    ],
    smooth: Smooth = 0.0,
    columns: Columns = COLUMNS,
) -> Response:
    """Several runs for one chart, and their hyperparameters side by side; with `Accept: text/csv` the numbers alone."""
    pictures = [runs.pictures.get(run_id, columns, smooth) for run_id in dict.fromkeys(run)]
    headers = {**NO_STORE, "vary": "Accept"}
    if media_type(request.headers.get("accept"), (JSON, CSV)) == CSV:
        return Response("".join(csv_of(pictures)), headers=headers, media_type=CSV)
    compared = {
        "items": [picture_object(picture) for picture in pictures],
        "hyperparameters": side_by_side([picture.run.config for picture in pictures]),
    }
    return Response(msgspec.json.encode(compared), headers=headers, media_type=JSON)


@view(
    router,
    "/runs/{run_id}/picture",
    response_model=picture_schemas.Picture,
    responses={
        200: {"content": {JSON: {"example": picture_examples.PICTURE}}},
        404: NO_SUCH_RUN,
        **failures(422),
    },
)
def run_picture(runs: RunsDep, run_id: RunId, smooth: Smooth = 0.0, columns: Columns = COLUMNS) -> Response:
    """The losses of a run for a chart: a few thousand numbers of a million, without losing a spike or a gap."""
    picture = picture_object(runs.pictures.get(run_id, columns, smooth))
    return Response(msgspec.json.encode(picture), headers=NO_STORE, media_type=JSON)


def picture_object(picture: Picture) -> dict[str, Any]:
    """Return a picture as it is encoded."""
    curves = dict(picture.curves())
    return {
        "run": picture.run,
        "last_event": picture.last_event,
        "num_epochs": picture.num_epochs,
        "seconds": picture.seconds,
        "smooth": picture.factor,
        **{name: _curve(curves[name]) if name in curves else None for name in CURVES},
    }


def _curve(curve: Curve) -> dict[str, Any]:
    # A number that is not finite is encoded as null.
    return {
        "epoch": curve.epochs.tolist(),
        "seconds": np.round(curve.seconds, 6).tolist(),
        "value": curve.values.tolist(),
        "nonfinite": curve.nonfinite,
    }


def csv_of(pictures: Sequence[Picture]) -> Iterator[str]:
    """Yield the numbers of pictures as lines of a CSV file, one an epoch; empty where a curve has no number there."""
    yield f"run,number,epoch,seconds,{','.join(CURVES)}\n"
    for picture in pictures:
        curves = dict(picture.curves())
        epochs, first = np.unique(np.concatenate([curve.epochs for curve in curves.values()]), return_index=True)
        seconds = np.concatenate([curve.seconds for curve in curves.values()])[first]
        cells = [_cells(curves.get(name), epochs) for name in CURVES]
        for epoch, time, *values in zip(epochs.tolist(), numbers(np.round(seconds, 6)), *cells, strict=True):
            yield f"{picture.run.id},{picture.run.number},{epoch},{time},{','.join(values)}\n"


def _cells(curve: Curve | None, epochs: "np.ndarray[Any, np.dtype[np.int64]]") -> list[str]:
    cells = [""] * len(epochs)
    if curve is not None:
        for place, text in zip(np.searchsorted(epochs, curve.epochs).tolist(), _words(curve.values), strict=True):
            cells[place] = text
    return cells


def _words(column: Floats) -> list[str]:
    """Return each number, one that is not finite as the word that Python and pandas read."""
    texts = numbers(column)
    for place in np.flatnonzero(~np.isfinite(column)).tolist():
        texts[place] = str(float(column[place]))
    return texts
