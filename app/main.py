"""The whole application, put together: the only place that sees everything."""

from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.types import ASGIApp, Receive, Scope, Send

from app import openapi, problems
from app.access import Access, Policy
from app.api import (
    changes,
    data,
    factories,
    insights,
    module_stats,
    operation,
    origin,
    repeats,
    run_lists,
    run_options,
    run_pictures,
    runs,
    search,
    stream,
    tensor_views,
    trace,
    trees,
    views,
    whole,
)
from app.api.event_stream import BEGUN, send_all
from app.api.module_rows import ModuleRows
from app.api.traces import Traces
from app.assets import STATIC
from app.compression import Compression
from app.errors import ModuletreeError
from app.in_page import InPage
from app.languages import Languages
from app.metrics import Measured, MeasuredRunStore, Metrics, Templates
from app.pages import changes as change_pages
from app.pages import docs, for_scripts, home, languages, learn, lenses, login, tree_parts
from app.pages import insights as insight_pages
from app.pages import replay as replay_pages
from app.pages import runs as run_pages
from app.pages import sources as source_pages
from app.pages import trees as tree_pages
from app.pages import words as script_words
from app.pages.error import error_page
from app.settings import Settings
from app.static_files import RevalidatedFiles
from app.storage.data_directory import DataDirectory, DirectoryInUse
from app.storage.database import CannotOpen, Database
from app.storage.trees import Trees
from app.training.local_executor import LocalExecutor
from app.training.runs import Runs
from app.training.subscription import Subscription
from app.trees.limits import Limits
from app.trees.sources.building import BuildLimits
from app.trees.sources.checkpoint.readings import Readings
from app.trees.sources.opening import Sources
from app.trees.sources.workshop import Workshop
from app.version import VERSION

API = (
    origin,
    factories,
    trees,
    views,
    tensor_views,
    search,
    whole,
    repeats,
    trace,
    changes,
    data,
    run_options,
    run_lists,
    run_pictures,
    runs,
    insights,
    module_stats,
    stream,
    operation,
)
PAGES = (
    home,
    source_pages,
    tree_pages,
    tree_parts,
    lenses,
    change_pages,
    run_pages,
    insight_pages,
    replay_pages,
    learn,
    docs,
    login,
    languages,
    script_words,
    for_scripts,
)


class Moduletree(FastAPI):
    """The application inside its access layer, so that no answer, not even a failure's, leaves without it."""

    document: dict[str, Any] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun: list[Subscription] = []
        await super().__call__({**scope, BEGUN: begun}, receive, send)
        if begun:
            # A stream may last for hours: neither what the layers noted of its request nor the request itself need to,
            # but for what uvicorn looks up with every piece.
            scope["headers"].clear()
            method = scope["method"]
            scope.clear()
            scope["method"] = method
            await send_all(begun.pop(), receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        inside = Access(super().build_middleware_stack(), Policy.of(self.state.settings), _refuse)
        return InPage(Measured(Languages(inside), self.state.metrics, Templates(self)))

    def openapi(self) -> dict[str, Any]:
        if self.document is None:
            self.document = openapi.complete(super().openapi(), self.routes)
        return self.document


@dataclass(slots=True)
class Opening:
    """A source to open as the application starts, where it is not open already; `path` is then its tree's page."""

    source: Mapping[str, object]
    path: str = ""


def create_app(settings: Settings, opening: Opening | None = None) -> FastAPI:
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
    app.state.references = {}
    app.state.opening = opening
    app.state.failure, app.state.is_misuse = None, False
    problems.install(app, error_page)
    app.add_middleware(Compression)
    # Before all others, for no route is asked for as often.
    app.mount("/static", RevalidatedFiles(directory=STATIC), "static")
    # Routes as they are, not `include_router`: of a router that is included, the first request makes every route anew.
    for part in API:
        app.router.routes += part.router.routes
    for page in PAGES:
        app.router.routes += _with_head(page.router).routes
    return app


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open what is kept and start the workers; at the end close all in the opposite order."""
    with ExitStack() as stack:
        try:
            _open(app, stack)
        except ModuletreeError as error:
            app.state.failure = error.detail
            app.state.is_misuse = not isinstance(error, DirectoryInUse | CannotOpen)
            raise
        yield


def _open(app: FastAPI, stack: ExitStack) -> None:
    settings: Settings = app.state.settings
    directory = DataDirectory(settings.data_dir)
    stack.callback(directory.close)
    database = Database.open(settings.database)
    stack.callback(database.close)
    workshop = Workshop(settings.allow_import, _build_limits(settings))
    stack.callback(workshop.close)
    if settings.allow_import:
        # What cannot be imported is told at the start, and not to the first who asks for it.
        workshop.load()
    readings = Readings()
    stack.callback(readings.close)
    limits = Limits(max_modules=settings.max_modules, max_depth=settings.max_depth)
    sources = Sources(limits, workshop, readings, roots=settings.root)
    kept_trees = Trees(database, directory.tensors, directory.uploads, sources)
    if app.state.opening is not None:
        app.state.opening.path = f"/trees/{kept_trees.open_again(app.state.opening.source).id}"
    kept_runs = Runs(
        MeasuredRunStore(database, app.state.metrics),
        kept_trees,
        directory.tensors,
        settings.data_dir / "runs",
        LocalExecutor(settings.workers_for_runs),
        directory.data,
        max_queued=settings.max_queued_runs,
        checkpoint_s=settings.checkpoint_seconds,
    )
    kept_runs.feeds.open()
    kept_runs.open(resume_interrupted=settings.resume_interrupted)
    stack.callback(kept_runs.close)
    traces = Traces(kept_trees, workshop)
    stack.callback(traces.close)
    app.state.database, app.state.trees, app.state.runs = database, kept_trees, kept_runs
    app.state.module_rows = ModuleRows(kept_trees, kept_runs)
    app.state.workshop, app.state.traces = workshop, traces
    app.state.data = directory.data
    app.state.begin_to_close = kept_runs.begin_to_close
    app.state.metrics.observe(kept_trees, kept_runs)


def _build_limits(settings: Settings) -> BuildLimits:
    return BuildLimits(max_modules=settings.max_modules, max_depth=settings.max_depth)


def _with_head(router: APIRouter) -> APIRouter:
    """`router`, whose pages answer HEAD as they answer GET (RFC 9110, 9.1); the server leaves the content out."""
    for context in iter_route_contexts(router.routes):
        if isinstance(context.original_route, APIRoute) and context.methods is not None and "GET" in context.methods:
            context.methods.add("HEAD")
    return router


def _refuse(request: Request, error: Exception) -> Response:
    return problems.respond(request, problems.problem_of(error, request.scope), error_page)
