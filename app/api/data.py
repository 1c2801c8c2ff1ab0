"""Data to train on: CSV files, uploaded, listed, looked at, deleted; and what else a run may be asked."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, File, Form, Path, Response, UploadFile

from app.api import data_schemas
from app.api.answers import JSON
from app.api.bodies import in_body
from app.api.dependencies import DataDep, SettingsDep
from app.api.documents import PROBLEM, failures, view
from app.storage.data_files import CellProblem, DataUpload, problems_of
from app.storage.uploads import Received

router = APIRouter(prefix="/api", tags=["Data"])

MAX_NAME = 200

DataId = Annotated[str, Path(description="Id of the upload.", examples=["d_ab2cd3ef4g"], max_length=64)]

LOCATION = {"description": "The upload.", "schema": {"type": "string"}, "example": "/api/data/d_ab2cd3ef4g"}
NO_SUCH_DATA: dict[str, Any] = {
    "description": "No such data",
    "content": {
        PROBLEM: {
            "example": {
                "type": "about:blank",
                "title": "Not Found",
                "status": 404,
                "detail": "There is no data 'd_ab2cd3ef4g'. GET /api/data lists what there is.",
            }
        }
    },
}


class ColumnRow(msgspec.Struct, kw_only=True):
    """A column as answers hold it."""

    name: str
    num_missing: int
    num_non_numeric: int
    min: float | None
    max: float | None
    examples: tuple[str, ...]


class DataRow(msgspec.Struct, kw_only=True):
    """An upload as answers hold it."""

    id: str
    name: str
    num_rows: int
    delimiter: str
    has_header: bool
    num_bytes: int
    columns: list[ColumnRow]
    problems: list[CellProblem]
    created_at: datetime

    @classmethod
    def of(cls, upload: DataUpload) -> "DataRow":
        """Return the row of an upload."""
        columns = [
            ColumnRow(**{name: getattr(column, name) for name in ColumnRow.__struct_fields__})
            for column in upload.columns
        ]
        given = {name: value for name, value in msgspec.structs.asdict(upload).items() if name != "columns"}
        return cls(columns=columns, problems=problems_of(upload), **given)


class DataPage(msgspec.Struct):
    """All uploads as they are encoded."""

    items: list[DataRow]
    total: int


def _answer(upload: DataUpload, status: int = 200, **headers: str) -> Response:
    body = msgspec.json.encode(DataRow.of(upload))
    return Response(body, status, {"cache-control": "no-store", **headers}, JSON)


def _shown(example: object) -> dict[str, Any]:
    return {"content": {JSON: {"example": example}}}


@router.post(
    "/data",
    operation_id="upload_data",
    summary="Upload a CSV file",
    status_code=201,
    response_model=data_schemas.Data,
    responses={
        201: {**_shown(data_schemas.DATA), "headers": {"Location": LOCATION}},
        **failures(413, 422),
    },
    openapi_extra={
        "requestBody": {"content": {"multipart/form-data": {"example": {"file": "(a CSV file)", "name": "people"}}}}
    },
)
def upload_data(
    data: DataDep,
    settings: SettingsDep,
    file: Annotated[
        UploadFile,
        File(description="UTF-8, its cells parted by `,`, `;` or tabs, with or without a header; decimal points."),
    ],
    name: Annotated[
        str | None, Form(min_length=1, max_length=MAX_NAME, description="As the file, if left out.")
    ] = None,
) -> Response:
    """Keep the columns of a CSV file as numbers. Cells without one are counted and named; nothing is left out here.

    A run then names the upload and its columns in `data`, and keeps a copy of what it learns from.
    """
    with in_body():
        upload = data.receive(Received(file.filename or "", file.file), settings.max_upload, name)
    return _answer(upload, 201, location=f"/api/data/{upload.id}")


@view(
    router,
    "/data",
    response_model=data_schemas.DataList,
    responses={200: _shown({"items": [data_schemas.DATA], "total": 1})},
)
def list_data(data: DataDep) -> Response:
    """All uploads, newest first."""
    rows = [DataRow.of(upload) for upload in data.newest()]
    body = msgspec.json.encode(DataPage(rows, len(rows)))
    return Response(body, headers={"cache-control": "no-store"}, media_type=JSON)


@view(
    router,
    "/data/{data_id}",
    response_model=data_schemas.Data,
    responses={200: _shown(data_schemas.DATA), 404: NO_SUCH_DATA},
)
def get_data(data: DataDep, data_id: DataId) -> Response:
    """One upload."""
    return _answer(data.get(data_id))


@router.delete(
    "/data/{data_id}",
    operation_id="delete_data",
    status_code=204,
    responses={204: {"description": "Deleted"}, 404: NO_SUCH_DATA},
)
def delete_data(data: DataDep, data_id: DataId) -> Response:
    """Delete an upload; runs that learn from it go on, since they keep a copy."""
    data.delete(data_id)
    return Response(status_code=204)
