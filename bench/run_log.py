"""The event log of a run: a million epochs written in batches of a worker, read back and made CSV, over a row an epoch.

    python -m bench.run_log [--epochs 1000000] [--rounds 3]

What a worker says in 16 ms is one transaction. The peer is the standard library's sqlite3 in the same journal mode:
the same transactions with a row for each epoch, all rows fetched, and the standard library's csv.
"""

import argparse
import csv
import io
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from app.api.run_epochs import CSV_EPOCHS_A_PAGE, csv_page
from app.storage.database import Database
from app.storage.runs import RunStore
from app.training.config import RunConfig
from app.training.log import Chunk, EventKind, joined, pack_epochs, unpack_epochs
from app.training.ports import Update
from app.training.run import KeptRun, Run
from bench.measure import Measure, seconds, table

BATCH = 110


def chunks_of(epochs: int) -> Iterator[Chunk]:
    """Yield a log as a worker's batches make it: the line is looked at once in each."""
    losses, since = np.linspace(1, 0, epochs), np.linspace(0, 0.016, BATCH, dtype="<f4")
    line = np.full(BATCH, np.nan, "<f4")
    line[0] = 2
    for first in range(0, epochs, BATCH):
        loss = losses[first : first + BATCH]
        part = slice(len(loss))
        columns = {"loss": loss, "at": since[part], "slope": line[part], "intercept": line[part]}
        names, payload = pack_epochs(columns)
        last = first + len(loss) - 1
        yield Chunk(first + 1, last + 1, EventKind.EPOCHS, payload, first, last, time.time(), names)


def ours(path: Path, chunks: list[Chunk]) -> tuple[float, ...]:
    """Return the seconds to write a log through the server's store, to read it back as columns, and as pages of CSV."""
    database = Database.open(f"sqlite:///{path}")
    store = RunStore(database)
    run = Run(
        id="r_bench", tree="t", tree_name="t", tree_revision=1, epochs=len(chunks) * BATCH, config=RunConfig(),
        created_at=datetime.now(UTC),
    )  # fmt: skip
    kept = KeptRun(run=run, start_tensors="none")
    store.insert(kept, b"", [])

    def write() -> None:
        for chunk in chunks:
            store.write([Update(kept, [chunk])])

    def read() -> None:
        found = [unpack_epochs(chunk) for chunk in store.epochs(run.id, -1, chunks[-1].last_id)]
        assert len(joined(found)) == chunks[-1].last_id

    def read_csv() -> None:
        for after in range(-1, chunks[-1].last_id - 1, CSV_EPOCHS_A_PAGE):
            found = [unpack_epochs(chunk) for chunk in store.epochs(run.id, after, CSV_EPOCHS_A_PAGE)]
            columns = joined(found)
            assert csv_page(columns.after(after + 1 - columns.first).until(CSV_EPOCHS_A_PAGE)).endswith(b"\n")

    taken = seconds(write), seconds(read), seconds(read_csv)
    database.close()
    return taken


def theirs(path: Path, chunks: list[Chunk]) -> tuple[float, ...]:
    """Return the seconds to write the same as rows, to fetch them, and to fetch and write them as CSV."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("CREATE TABLE epochs (run TEXT, epoch INTEGER, loss REAL, at REAL, PRIMARY KEY (run, epoch))")
    rows = [
        [("r_bench", columns.first + place, loss, at) for place, (loss, at) in enumerate(pairs)]
        for columns in map(unpack_epochs, chunks)
        for pairs in [zip(columns.loss.tolist(), columns.at.tolist(), strict=True)]
    ]

    def write() -> None:
        for batch in rows:
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO epochs VALUES (?, ?, ?, ?)", batch)
            connection.execute("COMMIT")

    query = "SELECT epoch, loss, at FROM epochs WHERE run = 'r_bench' ORDER BY epoch"

    def read() -> None:
        assert len(connection.execute(query).fetchall()) == chunks[-1].last_id

    def read_csv() -> None:
        csv.writer(io.StringIO()).writerows(connection.execute(query))

    taken = seconds(write), seconds(read), seconds(read_csv)
    connection.close()
    return taken


def measure(epochs: int = 1_000_000, rounds: int = 3) -> list[Measure]:
    """Return the cost of writing a log, of reading it and of its CSV."""
    chunks = list(chunks_of(epochs))
    our_s, their_s = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            our_s.append(ours(Path(folder, "ours.db"), chunks))
            their_s.append(theirs(Path(folder, "theirs.db"), chunks))
    return [
        Measure(f"{what} {epochs:,} epochs", f"sqlite3, {peer}", [s[place] for s in our_s], [s[place] for s in their_s])
        for place, (what, peer) in enumerate(
            (("log", "a row an epoch"), ("read back", "all rows"), ("CSV of", "rows by csv"))
        )
    ]


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print(table(measure(asked.epochs, asked.rounds)))


if __name__ == "__main__":
    main()
