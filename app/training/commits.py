"""What happened to runs, written down: one transaction for all that is new, then the feeds are told.

add -> flush, once all that came with it is noted -> rows -> feeds -> files that nobody needs any more
"""

import asyncio
import logging
from collections.abc import Callable, Iterable

from app.errors import CannotStore
from app.training.feeds import Feeds
from app.training.live import LiveRun
from app.training.ports import RunRows
from app.training.run_files import RunFiles

RETRY_S = 1.0

log = logging.getLogger(__name__)


class Commits:
    """Writes the runs that were touched; nothing is told before it is written.

    While nothing can be written, `hold` keeps the workers from saying more, and what was said waits here.
    """

    def __init__(self, rows: RunRows, files: RunFiles, feeds: Feeds, hold: Callable[[bool], None]) -> None:
        self.failure: CannotStore | None = None
        self._rows = rows
        self._files = files
        self._feeds = feeds
        self._hold = hold
        self._touched: dict[str, LiveRun] = {}
        self._obsolete: list[str] = []
        self._is_due = False

    def add(self, live: LiveRun, obsolete: Iterable[str] = ()) -> None:
        """Have a run written soon, and after that the files deleted that are `obsolete` then."""
        self._touched[live.run.id] = live
        self._obsolete += obsolete
        if self.failure is not None:
            live.look()
        elif not self._is_due:
            # After the messages of all workers that are there to be read by now.
            self._is_due = True
            asyncio.get_running_loop().call_soon(self.flush)

    def settle(self) -> None:
        """Write what is new at once; raises `CannotStore`."""
        self.flush()
        if self.failure is not None:
            raise self.failure

    def flush(self) -> None:
        """Write what is new; where that fails it is tried again, and again, until the disk has room."""
        self._is_due = False
        if self.failure is None:
            self._write()

    def is_waiting(self, run: str) -> bool:
        """Whether something about the run is not written yet."""
        return run in self._touched

    def _write(self) -> None:
        updates = [(live, live.update()) for live in self._touched.values()]
        if not updates:
            return
        try:
            self._rows.write([update for _, update in updates])
        except CannotStore as error:
            self._fail(error)
            return
        self._recover()
        self._touched.clear()
        for live, update in updates:
            live.written(update)
        self._feeds.publish([(live.run.id, update.chunks) for live, update in updates])
        obsolete, self._obsolete = self._obsolete, []
        self._files.delete(obsolete)

    def _fail(self, error: CannotStore) -> None:
        if self.failure is None:
            log.error("%s Runs wait until it can be; nothing of them is lost meanwhile.", error.detail)
            self._hold(True)
        self.failure = error
        for live in self._touched.values():
            live.look()
        asyncio.get_running_loop().call_later(RETRY_S, self._write)

    def _recover(self) -> None:
        if self.failure is not None:
            log.info("The database can be written again: runs go on.")
            self.failure = None
            self._hold(False)
