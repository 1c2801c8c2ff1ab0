"""Logs of runs in few rows: what was written a tick at a time is put together, and reads as it did before.

rows of a tick (one epoch, or hundreds)  ->  stretches of epochs that follow each other  ->  rows of 4,096 and more
rows of statistics of modules between them                                               ->  rows of up to 32 KB

Events keep their numbers and their order, so that a stream reads on where it was. It all happens in the transaction
of a commit: a stop of any kind leaves the rows from before or those after.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select

from app.storage.run_rows import add_chunks, chunk_of
from app.storage.tables import run_chunks
from app.training.log import TICKED, Chunk, EventKind
from app.training.merging import merged

# Few enough to be put together between two ticks, and enough that it is seldom done.
ROWS_A_COMPACTION = 128
LASTING_EPOCHS = 4_096
# One epoch's statistics are read with all that are in its row.
LASTING_BYTES = 1 << 15
# How many events there are at most from the first to the last of a row that was put together: another may begin within.
REACH = 4 * LASTING_EPOCHS

_OF_RUN = run_chunks.c.run == bindparam("run_id")
_first_epoch, _last_epoch = run_chunks.c.first_epoch, run_chunks.c.last_epoch
_ROWS = (
    select(
        run_chunks.c.first_id,
        run_chunks.c.last_id,
        run_chunks.c.kind,
        _first_epoch,
        _last_epoch,
        func.length(run_chunks.c.payload).label("num_bytes"),
    )
    .where(_OF_RUN, run_chunks.c.first_id > bindparam("after"))
    .order_by(run_chunks.c.first_id)
)
_LATEST = (
    select(run_chunks.c.first_id)
    .where(_OF_RUN)
    .order_by(run_chunks.c.first_id.desc())
    .limit(1)
    .offset(2 * ROWS_A_COMPACTION)
)
# By epochs, for which there is an index of each kind: rows of the other kind lie between those of a piece.
_WITHIN = (run_chunks.c.kind == bindparam("kind")) & _first_epoch.between(bindparam("begin"), bindparam("until"))
_PIECE = (
    select(*[column for column in run_chunks.c if column.name != "run"]).where(_OF_RUN, _WITHIN).order_by(_first_epoch)
)
_DELETE = delete(run_chunks).where(_OF_RUN, _WITHIN)


class Compaction:
    """Knows of each run how much came since it was compacted, and from which event on there is something to do."""

    def __init__(self) -> None:
        self._num_new: dict[str, tuple[int, int]] = {}
        self._settled: dict[str, int] = {}

    def is_due(self, run: str, chunks: Sequence[Chunk]) -> bool:
        """Note what is written; return whether it is time to compact the run."""
        rows, events = self._num_new.get(run, (0, 0))
        rows, events = self._num_new[run] = rows + len(chunks), events + sum(map(len, chunks))
        is_over = any(chunk.kind is EventKind.END for chunk in chunks)
        return rows >= ROWS_A_COMPACTION or (rows > 1 and events >= LASTING_EPOCHS) or is_over

    def forget(self, runs: Iterable[str]) -> None:
        """Forget what is known of runs that are over, or whose rows were not written after all."""
        for run in runs:
            self._num_new.pop(run, None)
            self._settled.pop(run, None)

    def compact(self, connection: Connection, run: str) -> None:
        """Put together what can be since the last time, and in a run that was not looked at yet the latest rows."""
        after = self._settled.get(run)
        if after is None:
            after = connection.scalar(_LATEST, {"run_id": run}) or 0
        rows = connection.execute(_ROWS, {"run_id": run, "after": after}).all()
        whole, growing = _pieces(rows)
        for piece in (*whole, *growing):
            if len(piece) > 1:
                _put_together(connection, run, piece)
        if rows:
            self._settled[run] = min((piece[0].first_id for piece in growing), default=rows[-1].last_id + 1) - 1
        self._num_new[run] = (0, 0)


def _pieces(rows: Sequence[Any]) -> tuple[Sequence[Sequence[Any]], Sequence[Sequence[Any]]]:
    """Return rows of one kind between which there are none but of epochs and statistics, as many as make a row.

    First those to which no more can come, then those that may still grow.
    """
    whole: list[list[Any]] = []
    growing: dict[str, list[Any]] = {}
    for row in rows:
        if row.kind not in TICKED:
            whole += growing.values()
            growing = {}
        elif (piece := growing.setdefault(row.kind, [])) and _is_full(piece, row):
            whole.append(piece)
            growing[row.kind] = [row]
        else:
            piece.append(row)
    return whole, list(growing.values())


def _is_full(piece: Sequence[Any], row: Any) -> bool:
    """Whether a piece lasts without one row more."""
    if row.last_id - piece[0].first_id >= REACH:
        return True
    if row.kind == EventKind.EPOCHS:
        return bool(piece[-1].last_epoch - piece[0].first_epoch + 1 >= LASTING_EPOCHS)
    return bool(sum(each.num_bytes for each in (*piece, row)) > LASTING_BYTES)


def _put_together(connection: Connection, run: str, piece: Sequence[Any]) -> None:
    place = {"run_id": run, "kind": piece[0].kind, "begin": piece[0].first_epoch, "until": piece[-1].first_epoch}
    whole = merged([chunk_of(row) for row in connection.execute(_PIECE, place)])
    connection.execute(_DELETE, place)
    add_chunks(connection, run, [whole])
