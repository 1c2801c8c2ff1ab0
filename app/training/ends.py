"""How runs end: what is let go then, what is kept, and the result, which is put on the tree before the run says so."""

import asyncio
from collections.abc import Callable

from app.errors import CannotStore
from app.training.checkpoint_times import CheckpointTimes
from app.training.commits import Commits
from app.training.live import LiveRun, Phase
from app.training.messages import Done
from app.training.run import Run, RunStatus
from app.training.run_files import result_name


class Ends:
    """Ends the runs of `live`, which are in there until then; `put_result` is called in a thread.

    It may be called again for a run whose end was never written: what is on the tree already stays as it is.
    """

    def __init__(
        self,
        live: dict[str, LiveRun],
        commits: Commits,
        times: CheckpointTimes,
        put_result: Callable[[Run], int | None],
    ) -> None:
        self._live = live
        self._commits = commits
        self._times = times
        self._put_result = put_result
        self._finishing: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def interrupt(self, live: LiveRun, error: str | None = None) -> None:
        """End a run that can be resumed: it keeps its files."""
        self._let_go(live)
        live.end(RunStatus.INTERRUPTED, error=error or f"the server stopped at epoch {live.run.epochs_done}")
        self._commits.add(live)

    def end(
        self, live: LiveRun, status: RunStatus, *, error: str | None = None, result_revision: int | None = None
    ) -> None:
        """End a run for good: of its files only the result stays."""
        self._let_go(live)
        live.end(status, error=error, result_revision=result_revision)
        self._commits.add(live, [*live.checkpoints, live.kept.start_tensors])

    def finish(self, live: LiveRun, done: Done) -> None:
        """Note what a trained run came to, and have its result put on the tree."""
        live.fit(done.slope, done.intercept)
        if done.stopped_early:
            live.stop_early()
        live.keep_result(result_name(live.run.id))
        self.put(live)

    def put(self, live: LiveRun) -> None:
        """Put the result of a trained run on its tree, and end it then; it cannot be cancelled any more."""
        live.phase = Phase.FINISHING
        self._live[live.run.id] = live
        task = asyncio.get_running_loop().create_task(self._succeed(live))
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)

    async def close(self) -> None:
        """Return when the results are put that are on their way; no other is any more."""
        self._is_closed = True
        for live in self._live.values():
            live.look()
        while self._finishing:
            await asyncio.gather(*self._finishing, return_exceptions=True)

    async def _succeed(self, live: LiveRun) -> None:
        # First what the run came to: a server that ends after the result is on the tree knows whose it is, and how it
        # went, when it starts again.
        while self._commits.is_waiting(live.run.id):
            if self._is_closed:
                return
            await live.has_moved.wait()
        revision, error = None, None
        try:
            revision = await asyncio.to_thread(self._put_result, live.run)
        except CannotStore as failure:
            error = f"the tree did not take the result: {failure.detail}"
        finally:
            self.end(live, RunStatus.SUCCEEDED, error=error, result_revision=revision)

    def _let_go(self, live: LiveRun) -> None:
        self._live.pop(live.run.id, None)
        self._times.end(live.run.id)
