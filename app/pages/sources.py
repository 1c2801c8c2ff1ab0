"""What trees can be opened from, each a page at the path of its JSON view without /api: factories and checkpoints."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from fastapi import APIRouter, Depends, Query, Response

from app.pages.calls import over_http
from app.pages.new_checkpoint import FilesView, files_view
from app.pages.new_desk import Asked, DeskDep
from app.pages.new_factory import TableView, factory_table
from app.pages.templating import READING, Context, page

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class FactoriesPage(Context):
    """The factories of the server's table."""

    template: ClassVar[str] = "factories.html"

    table: TableView
    curl: str


@dataclass(frozen=True, slots=True)
class CheckpointsPage(Context):
    """The files under the server's roots."""

    template: ClassVar[str] = "checkpoints.html"

    files: FilesView
    curl: str


async def _asked(
    q: Annotated[str, Query(max_length=1_000)] = "",
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Asked:
    return Asked("", q, cursor=cursor)


AskedDep = Annotated[Asked, Depends(_asked)]


@router.api_route("/factories", methods=READING)
def show_factories(desk: DeskDep, asked: AskedDep) -> Response:
    """The factories, each with the way to its form."""
    table = factory_table(desk, asked, "/factories")
    return page(FactoriesPage(table, over_http(desk.origin, "/api/factories", q=asked.q).code))


@router.api_route("/checkpoints", methods=READING)
def show_checkpoints(desk: DeskDep, asked: AskedDep) -> Response:
    """The files that can be opened."""
    files = files_view(desk, asked, "/checkpoints")
    return page(CheckpointsPage(files, over_http(desk.origin, "/api/checkpoints", q=asked.q).code))
