"""For whoever runs the server: is it alive, can it work, what does it do."""

from typing import Literal

from fastapi import APIRouter, HTTPException, Request, Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from app.api.dependencies import RunsDep
from app.api.documents import view
from app.storage.database import Database

router = APIRouter(tags=["Operation"])

SCRAPE = 'moduletree_requests_total{method="GET",route="/api/trees",status="200"} 12.0\n'


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """What the server needs for its work answers too."""

    status: Literal["ready"] = "ready"


@view(router, "/healthz", responses={200: {"content": {"application/json": {"example": {"status": "alive"}}}}})
async def healthz() -> Alive:
    """Say that the server is alive: it answers, whatever its database and its workers do. Asks for no token."""
    return Alive()


@view(
    router,
    "/readyz",
    responses={
        200: {"content": {"application/json": {"example": {"status": "ready"}}}},
        503: {"description": "The database or the workers do not answer"},
    },
)
def readyz(request: Request, runs: RunsDep) -> Ready:
    """Say that the server can work: its database answers, and so does a worker process for runs."""
    database: Database = request.app.state.database
    try:
        database.check()
    except SQLAlchemyError as error:
        raise HTTPException(503, "The database does not answer; the server's log says why.") from error
    if not runs.is_ready:
        raise HTTPException(503, "No worker process for runs answers yet.")
    return Ready()


@view(
    router,
    "/metrics",
    response_class=Response,
    responses={200: {"description": "The figures", "content": {"text/plain": {"example": SCRAPE}}}},
)
def metrics(request: Request) -> Response:
    """Return the figures of this server in Prometheus' text format."""
    return Response(generate_latest(request.app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST)
