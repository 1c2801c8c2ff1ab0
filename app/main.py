"""The whole application, put together: the only place that sees everything."""

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.types import ASGIApp

from app import openapi, problems
from app.access import Access, Policy
from app.api import changes, operation, runs, stream, trees, views, whole
from app.assets import STATIC
from app.compression import Compression
from app.errors import ModuletreeError
from app.metrics import Measured, Metrics, Templates, TimedRunStore
from app.pages import changes as change_pages
from app.pages import docs, home, login
from app.pages import runs as run_pages
from app.pages import trees as tree_pages
from app.pages.error import error_page
from app.settings import Settings
from app.static_files import RevalidatedFiles
from app.storage.data_directory import DataDirectory
from app.storage.database import Database
from app.storage.trees import Trees
from app.training.executor import LocalExecutor
from app.training.runs import Runs
from app.trees.limits import Limits
from app.version import VERSION

API = (trees, views, whole, changes, runs, stream, operation)
PAGES = (home, tree_pages, change_pages, run_pages, docs, login)


class Moduletree(FastAPI):
    """The application inside its access layer, so that no answer, not even a failure's, leaves without it."""

    document: dict[str, Any] | None = None

    def build_middleware_stack(self) -> ASGIApp:
        inside = Access(super().build_middleware_stack(), Policy.of(self.state.settings), _refuse)
        return Measured(inside, self.state.metrics, Templates(self))

    def openapi(self) -> dict[str, Any]:
        if self.document is None:
            self.document = openapi.complete(super().openapi(), self.routes)
        return self.document


def create_app(settings: Settings) -> FastAPI:
    """The application for `settings`; it opens its stores when it starts and closes them when it ends."""
    app = Moduletree(
        title="Moduletree",
        version=VERSION,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.settings = settings
    app.state.metrics = Metrics()
    app.state.failure = None
    problems.install(app, error_page)
    app.add_middleware(Compression)
    for part in API:
        app.include_router(part.router)
    for page in PAGES:
        app.include_router(_with_head(page.router))
    app.mount("/static", RevalidatedFiles(directory=STATIC), "static")
    return app


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open what is kept and start the workers; at the end close all in the opposite order."""
    with ExitStack() as stack:
        try:
            _open(app, stack)
        except ModuletreeError as error:
            app.state.failure = error.detail
            raise
        yield


def _open(app: FastAPI, stack: ExitStack) -> None:
    settings: Settings = app.state.settings
    directory = DataDirectory(settings.data_dir)
    stack.callback(directory.close)
    database = Database.open(settings.database)
    stack.callback(database.close)
    limits = Limits(max_modules=settings.max_modules, max_depth=settings.max_depth)
    kept_trees = Trees(database, directory.tensors, limits)
    kept_runs = Runs(
        TimedRunStore(database, app.state.metrics.commit_seconds),
        kept_trees,
        directory.tensors,
        settings.data_dir / "runs",
        LocalExecutor(settings.workers_for_runs),
        max_queued=settings.max_queued_runs,
    )
    kept_runs.feeds.open()
    kept_runs.open()
    stack.callback(kept_runs.close)
    app.state.database, app.state.trees, app.state.runs = database, kept_trees, kept_runs
    app.state.end_streams = kept_runs.feeds.close
    app.state.metrics.observe(kept_trees, kept_runs)


def _with_head(router: APIRouter) -> APIRouter:
    """`router`, whose pages answer HEAD as they answer GET (RFC 9110, 9.1); the server leaves the content out."""
    for context in iter_route_contexts(router.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and route.methods is not None and "GET" in route.methods:
            route.methods.add("HEAD")
    return router


def _refuse(request: Request, error: Exception) -> Response:
    return problems.respond(request, problems.problem_of(error, request.scope), error_page)
