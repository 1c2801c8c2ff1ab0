"""What a client asks of runs: start, list, steer, and follow as they happen."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from app.client.errors import TooManyRuns
from app.client.events import Event
from app.client.following import Following
from app.client.operation import Listing, Operation
from app.client.patience import Patience
from app.client.sse import Message
from app.client.steps import Flow, Pause, Plan, Request, ask
from app.client.trees import TreeOrId, pages, path_of
from app.client.types import Applied, Data, Epoch, Insight, Insights, ModuleStats, Picture, Run, Tree

RunOrId = Run | str
EPOCHS_A_PAGE = 10_000
PATIENCE_S = 300.0
RETRY_AFTER_S = 1.0


class RunOperations:
    """The methods of a client that are about runs; `run` is a Run or its id."""

    @Operation
    def start_run(self, tree: TreeOrId, /, *, wait: float = 0, **config: Any) -> Plan[Run]:
        """Train a tree in the background: `start_run(tree, epochs=1000, lr=0.01, optimizer="SGD")`.

        `config` has the contract's fields. Where the queue is full, `TooManyRuns` is raised after `wait` seconds of
        asking again whenever the server says.
        """
        while True:
            try:
                answer = yield from ask(Request("POST", path_of(tree, "runs"), body=config))
            except TooManyRuns as error:
                pause_s = error.retry_after_s or RETRY_AFTER_S
                if pause_s > wait:
                    raise
                wait -= pause_s
                yield Pause(pause_s)
            else:
                return answer.read(Run)

    @Operation
    def upload_data(self, file: str | os.PathLike[str], name: str | None = None) -> Plan[Data]:
        """Bring a CSV file to the server, to train on: `data={"kind": "csv", "upload": id, "x": [...], "y": [...]}`."""
        form = {} if name is None else {"name": name}
        answer = yield from ask(Request("POST", "/api/data", files=[Path(file)], form=form))
        return answer.read(Data)

    @Operation
    def delete_data(self, data: Data | str) -> Plan[None]:
        """Delete a CSV file of the server; runs that learn from it keep a copy."""
        data_id = data.id if isinstance(data, Data) else data
        yield from ask(Request("DELETE", f"/api/data/{quote(data_id, safe='')}"))

    @Listing
    def list_runs(
        self, tree: TreeOrId | None = None, /, *, status: Sequence[str] = (), limit: int | None = None, **query: Any
    ) -> Flow[Run]:
        """Iterate runs, newest first: of a tree, of one of these statuses, `limit` of them at most.

        `query` has the contract's further fields, such as `q`, `optimizer` and `sort`.
        """
        of = tree.id if isinstance(tree, Tree) else tree
        return pages("/api/runs", {"tree": of, "status": status, **query}, Run, most=limit)

    @Operation
    def get_run(self, run: RunOrId) -> Plan[Run]:
        """Return a run as it is now."""
        return _run("GET", run)

    @Operation
    def pause_run(self, run: RunOrId) -> Plan[Run]:
        """Let a run wait after its present epoch."""
        return _run("POST", run, "pause")

    @Operation
    def resume_run(self, run: RunOrId) -> Plan[Run]:
        """Let a paused run go on, or an interrupted one from its last checkpoint."""
        return _run("POST", run, "resume")

    @Operation
    def cancel_run(self, run: RunOrId) -> Plan[Run]:
        """End a run; the epochs that are done stay in its log."""
        return _run("POST", run, "cancel")

    @Operation
    def apply_run(self, run: RunOrId) -> Plan[Applied]:
        """Put the parameters that a run ended with on its tree as that is now, where they still fit."""
        answer = yield from ask(Request("POST", _path(run, "apply")))
        return answer.read(Applied)

    @Operation
    def delete_run(self, run: RunOrId) -> Plan[None]:
        """Forget a run that is over."""
        yield from ask(Request("DELETE", _path(run)))

    @Listing
    def epochs(self, run: RunOrId, after: int = -1) -> Flow[Epoch]:
        """Iterate the epochs that are done, those after the epoch `after`."""
        return pages(_path(run, "epochs"), {"limit": EPOCHS_A_PAGE, "after": after}, Epoch, follow_by="after")

    @Operation
    def module_stats(self, run: RunOrId, epoch: int | None = None) -> Plan[ModuleStats]:
        """Return the statistics of the modules at an epoch or the nearest before it; the latest if none is named."""
        answer = yield from ask(Request("GET", _path(run, "modules"), {"epoch": epoch}))
        return answer.read(ModuleStats)

    @Operation
    def picture(self, run: RunOrId, columns: int = 1_000) -> Plan[Picture]:
        """Return a run's losses for a chart that is so many pixels wide: no spike is lost, whatever their number."""
        answer = yield from ask(Request("GET", _path(run, "picture"), {"columns": columns}))
        return answer.read(Picture)

    @Operation
    def insights(self, run: RunOrId) -> Plan[Sequence[Insight]]:
        """Return what the server has noticed about a run, in plain words."""
        answer = yield from ask(Request("GET", _path(run, "insights")))
        return answer.read(Insights).items

    @Listing
    def events(
        self, run: RunOrId, *, after: int = 0, batch: int = 0, modules: bool = True, patience: float = PATIENCE_S
    ) -> Flow[Event]:
        """Iterate what happens in a run, from its start or after the event `after`, until nothing follows.

        A stream that breaks off is picked up where it did, as often as it takes and with nothing missed or twice; when
        no server has answered for `patience` seconds, `StreamLost` is raised. With `batch`, epochs are collected for
        that many milliseconds into one event; without `modules` there are no statistics of modules, which may be large.
        """
        patient = Patience(patience)
        return Following(_id(run), after, batch, patient, lambda _, event: event, modules=modules).plan()

    @Listing
    def messages(self, run: RunOrId, *, after: int = 0, batch: int = 0, patience: float = PATIENCE_S) -> Flow[Message]:
        """Iterate the same as they come: a name, an id, and data that nobody has read."""
        return Following(_id(run), after, batch, Patience(patience), lambda message, _: message).plan()


def _run(method: str, run: RunOrId, *more: str) -> Plan[Run]:
    answer = yield from ask(Request(method, _path(run, *more)))
    return answer.read(Run)


def _id(run: RunOrId) -> str:
    return run.id if isinstance(run, Run) else run


def _path(run: RunOrId, *more: str) -> str:
    return "/".join(["/api/runs", quote(_id(run), safe=""), *more])
