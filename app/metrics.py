"""What Prometheus is told: requests as they are answered, trees and runs as they are when it asks."""

import time
from collections.abc import Iterable, Sequence

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.storage.database import Database
from app.storage.runs import RunStore
from app.storage.trees import Trees
from app.training.log import EventKind
from app.training.ports import Update
from app.training.runs import Runs

DELIVERY_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The figures of one application, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "moduletree_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self.answer_seconds = Histogram(
            "moduletree_answer_seconds", "Time to the first byte of an answer.", ("route",), registry=self.registry
        )
        self.commit_seconds = Histogram(
            "moduletree_commit_seconds", "Time to write a batch of a run's events.", registry=self.registry
        )
        self.epochs = Counter("moduletree_epochs", "Epochs of runs that were written.", registry=self.registry)
        self.delivery_seconds = Histogram(
            "moduletree_delivery_seconds",
            "Time from an epoch to when the last of its streams was sent it, of the oldest epoch of each round.",
            buckets=DELIVERY_S,
            registry=self.registry,
        )

    def observe(self, trees: Trees, runs: Runs) -> None:
        """Read the state of these at every scrape, and hear from the streams of the runs."""
        self.registry.register(_State(trees, runs))
        runs.feeds.observe = self.delivery_seconds.observe


class _State(Collector):
    def __init__(self, trees: Trees, runs: Runs) -> None:
        self._trees = trees
        self._runs = runs

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily("moduletree_trees", "Trees that are kept.", self._trees.count())
        yield GaugeMetricFamily("moduletree_streams", "Event streams that are open.", self._runs.feeds.num_followers)
        runs = GaugeMetricFamily("moduletree_runs", "Runs that are kept, by status.", labels=("status",))
        for status, number in self._runs.count_by_status().items():
            runs.add_metric((status.value,), number)
        yield runs
        yield CounterMetricFamily(
            "moduletree_worker_restarts",
            "Workers that took the place of one that ended or was killed.",
            self._runs.num_restarts,
        )


class MeasuredRunStore(RunStore):
    """Runs and their logs in the database; how long each write takes is measured, and what it writes is counted."""

    def __init__(self, database: Database, metrics: Metrics) -> None:
        super().__init__(database)
        self._metrics = metrics

    def write(self, updates: Sequence[Update]) -> None:
        with self._metrics.commit_seconds.time():
            super().write(updates)
        chunks = (chunk for update in updates for chunk in update.chunks)
        self._metrics.epochs.inc(sum(len(chunk) for chunk in chunks if chunk.kind is EventKind.EPOCHS))


class Measured:
    """The layer that counts requests and their time, by route and not by path, of which there is no end."""

    def __init__(self, app: ASGIApp, metrics: Metrics, templates: "Templates") -> None:
        self.app = app
        self.metrics = metrics
        self.templates = templates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()

        async def send_and_count(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._count(scope, message["status"], time.perf_counter() - began)
            await send(message)

        await self.app(scope, receive, send_and_count)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = self.templates.of(scope)
        method = scope["method"] if scope["method"] in METHODS else "other"
        self.metrics.requests.labels(method, route, str(status)).inc()
        self.metrics.answer_seconds.labels(route).observe(seconds)


class Templates:
    """The path of a request's route as it was declared: `/api/trees/{tree_id}`."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._paths: dict[int, str] = {}

    def of(self, scope: Scope) -> str:
        if not self._paths:
            for context in iter_route_contexts(self._app.routes):
                self._paths[id(context.original_route)] = self._paths[id(context.endpoint)] = context.path or ""
        key = scope.get("route") or scope.get("endpoint")
        if (path := self._paths.get(id(key))) is not None:
            return path
        return "/static" if scope["path"].startswith("/static/") else "other"
