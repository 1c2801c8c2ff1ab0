"""Where a tree comes from: an upload opens one, and the origin says what its source told besides the structure."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, File, Form, Response, UploadFile

from app.api import examples, schemas
from app.api.answers import AnswersDep
from app.api.bodies import in_body
from app.api.dependencies import SettingsDep, TreesDep
from app.api.documents import LOCATION, answer, failures, view
from app.api.trees import tree_answer
from app.storage.trees import OpenTree
from app.storage.uploads import Received

router = APIRouter(prefix="/api/trees", tags=["Trees"])

MAX_TREE_NAME = 200


class OriginFile(msgspec.Struct):
    """One file of a checkpoint."""

    name: str
    num_bytes: int


class OriginRow(msgspec.Struct):
    """What a source said of a tree besides its structure; `inputs` are those that a forward is likely to take."""

    format: str | None
    files: list[OriginFile]
    stored_bytes: int | None
    metadata: dict[str, str]
    notes: list[str]
    inputs: list[str]

    @classmethod
    def of(cls, tree: OpenTree) -> "OriginRow":
        """Return the row of a tree."""
        origin = tree.origin
        return cls(
            format=origin.format or None,
            files=[OriginFile(stamp.name, stamp.size) for stamp in origin.files],
            stored_bytes=origin.stored_bytes,
            metadata=origin.metadata,
            notes=origin.notes,
            inputs=list(map(str, origin.inputs)),
        )


@router.post(
    "/upload",
    operation_id="upload_tree",
    summary="Upload a checkpoint",
    status_code=201,
    response_model=schemas.Tree,
    responses={201: answer(examples.CHECKPOINT_TREE, **LOCATION), **failures(413, 422)},
    openapi_extra={
        "requestBody": {
            "content": {"multipart/form-data": {"example": {"file": ["(a .safetensors, .pt or .pth file)"]}}}
        }
    },
)
def upload_tree(
    trees: TreesDep,
    settings: SettingsDep,
    file: Annotated[
        list[UploadFile],
        File(
            description="A checkpoint; or a `*.safetensors.index.json` with all its shards. A `config.json` beside it "
            "tells the classes."
        ),
    ],
    name: Annotated[str | None, Form(min_length=1, max_length=MAX_TREE_NAME, description="Name of the tree.")] = None,
) -> Response:
    """Open a tree from an uploaded checkpoint: only its headers are read, and nothing in it is executed."""
    with in_body():
        upload = trees.uploads.receive([Received(each.filename or "", each.file) for each in file], settings.max_upload)
        record = trees.open_upload(upload, name)
    return tree_answer(record, 201, location=f"/api/trees/{record.id}")


@view(
    router,
    "/{tree_id}/origin",
    response_model=schemas.Origin,
    responses={200: answer(examples.ORIGIN), **failures(404)},
)
async def origin(answers: AnswersDep) -> Response:
    """What the source said besides the structure: files and their `__metadata__`, notes, and inputs for a trace."""
    return await answers.json(("origin",), lambda tree: msgspec.json.encode(OriginRow.of(tree)))
