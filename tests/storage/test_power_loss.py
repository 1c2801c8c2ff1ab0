"""What a power loss leaves of the database: it opens, and every run's history is a prefix of what had been."""

import random
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from app.storage.database import Database
from app.storage.runs import RunStore
from app.training.config import RunConfig
from app.training.events import Wording
from app.training.log import Chunk
from app.training.ports import Update
from app.training.run import RunStatus
from tests.event_source import events_of as stream_of
from tests.live import LiveServer
from tests.storage.test_runs import kept_run
from tests.test_stream import start
from tests.training.chunks import Event, epochs_chunk, parse, status_chunk

CUTS = 100
PAGE_BYTES = 4096
NAME = "moduletree.db"


def url_of(folder: Path) -> str:
    return f"sqlite:///{folder / NAME}"


def events_of(store: RunStore, run: str) -> list[Event]:
    return parse(Wording().encode(store.events(run, 0, 10**9), 0))


class History:
    """A folder with a run's log, half of it in the file of the database and half in the write-ahead log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = Database.open(url_of(folder))
        self.store = RunStore(self.database)
        self.kept = self.store.insert(kept_run(config=RunConfig(epochs=10_000)), b"structure", [])
        self.grow(150)
        self.checkpoint()
        self.grow(300)

    def grow(self, count: int) -> None:
        """So many commits of a tick, with a pause now and then; some of them put rows together."""
        for tick in range(count):
            done, number = self.kept.run.epochs_done, self.kept.last_event + 1
            if tick % 70 == 69:
                self._write([status_chunk(number, "paused")], done)
            else:
                losses = [1 / (epoch + 1) for epoch in range(done, done + 1 + tick % 3)]
                self._write([epochs_chunk(number, done, losses)], done + len(losses))

    def _write(self, chunks: Sequence[Chunk], epochs_done: int) -> None:
        run = msgspec.structs.replace(self.kept.run, epochs_done=epochs_done, status=RunStatus.RUNNING)
        self.kept = msgspec.structs.replace(self.kept, run=run, last_event=chunks[-1].last_id)
        self.store.write([Update(self.kept, chunks)])

    def checkpoint(self) -> None:
        with sqlite3.connect(self.folder / NAME) as connection:
            assert connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[0] == 0
        connection.close()

    def copy(self, to: Path) -> Path:
        """The files as they are now, without the index of the log, which a power loss leaves to be made again."""
        shutil.rmtree(to, ignore_errors=True)
        to.mkdir()
        for suffix in ("", "-wal"):
            shutil.copy(self.folder / f"{NAME}{suffix}", to)
        return to


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return History(tmp_path_factory.mktemp("history"))


def prefix_in(folder: Path, whole: Sequence[Event]) -> int:
    """Open what is left, look that it is a beginning of the whole and agrees with itself, and return its length."""
    database = Database.open(url_of(folder))
    try:
        store = RunStore(database)
        kept = store.get("r_1")
        events = events_of(store, "r_1")
        assert events == whole[: len(events)]
        assert kept.last_event == len(events)
        assert kept.run.epochs_done == sum(event.event == "epoch" for event in events)
        # It goes on as if nothing had been.
        epoch = epochs_chunk(kept.last_event + 1, kept.run.epochs_done, [0.0])
        store.write([Update(msgspec.structs.replace(kept, last_event=kept.last_event + 1), [epoch])])
        return len(events)
    finally:
        database.close()


def test_a_log_that_is_cut_anywhere_leaves_a_prefix(history: History, tmp_path: Path) -> None:
    chance = random.Random(5)
    whole = events_of(history.store, "r_1")
    lengths = set()
    for cut in range(CUTS):
        folder = history.copy(tmp_path / "copy")
        log = folder / f"{NAME}-wal"
        data = log.read_bytes()
        place = chance.randrange(len(data))
        # Cut off; or never written, as a file system may leave it; or anything, where a sector was torn.
        rest = (b"", bytes(len(data) - place), chance.randbytes(min(700, len(data) - place)) + data[place + 700 :])
        log.write_bytes(data[:place] + rest[cut % 3])
        lengths.add(prefix_in(folder, whole))
    assert max(lengths) <= len(whole)
    assert len(lengths) > CUTS // 4


def test_a_database_in_which_only_some_pages_were_renewed_is_whole_with_its_log(
    history: History, tmp_path: Path
) -> None:
    chance = random.Random(7)
    whole = events_of(history.store, "r_1")
    before = (history.copy(tmp_path / "before") / NAME).read_bytes()
    copy = history.copy(tmp_path / "after")
    log = (copy / f"{NAME}-wal").read_bytes()
    with sqlite3.connect(copy / NAME) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    after = (copy / NAME).read_bytes()
    for _ in range(10):
        pages = [
            (after if chance.random() < 0.5 else before)[at : at + PAGE_BYTES]
            for at in range(0, len(after), PAGE_BYTES)
        ]
        folder = history.copy(tmp_path / "copy")
        (folder / NAME).write_bytes(b"".join(pages))
        (folder / f"{NAME}-wal").write_bytes(log)
        assert prefix_in(folder, whole) == len(whole)


def test_a_server_on_what_a_power_loss_left_goes_on_with_the_run(tmp_path: Path) -> None:
    config = {"epochs": 3000, "checkpoint_every": 200, "optimizer": "Adam", "seed": 1}
    data, left = tmp_path / "data", tmp_path / "left"
    with LiveServer(data) as server:
        run = start(server, **config)
        database = Database.open(url_of(data))
        store = RunStore(database)
        while (kept := store.get(run)).run.epochs_done < 1000:
            assert kept.run.status in {"queued", "running"}
        server.kill()
        whole = epochs_in(store, run)
        shutil.copytree(data, left)
        database.close()
    log = left / f"{NAME}-wal"
    log.write_bytes(log.read_bytes()[: log.stat().st_size * 2 // 3])
    with LiveServer(left) as server:
        now = server.client.get(f"/api/runs/{run}").json()
        database = Database.open(url_of(left))
        found = epochs_in(RunStore(database), run)
        database.close()
        assert (now["status"], now["epochs_done"]) == ("interrupted", len(found))
        assert found == whole[: len(found)]
        server.client.post(f"/api/runs/{run}/resume").raise_for_status()
        again = [event.data["loss"] for event in stream_of(server, run) if event.event == "epoch"]
        assert again[: len(whole)] == [event.data["loss"] for event in whole]


def epochs_in(store: RunStore, run: str) -> list[Event]:
    return [event for event in events_of(store, run) if event.event == "epoch"]
