"""Logs of runs in few rows: what was written a tick at a time is put together, and reads as it did before.

rows of a tick (one epoch, or hundreds)  ->  stretches of epochs that follow each other  ->  rows of 4,096 and more

Events keep their numbers and their order, so that a stream reads on where it was. It all happens in the transaction
of a commit: a stop of any kind leaves the rows from before or those after.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from app.storage.run_rows import add_chunks, chunk_of
from app.storage.tables import run_chunks
from app.training.log import Chunk, EventKind, merged

# Few enough to be put together between two ticks, and enough that it is seldom done.
ROWS_A_COMPACTION = 128
LASTING_EPOCHS = 4_096

_OF_RUN = run_chunks.c.run == bindparam("run_id")
_ROWS = (
    select(run_chunks.c.first_id, run_chunks.c.last_id, run_chunks.c.kind)
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
_WITHIN = run_chunks.c.first_id.between(bindparam("begin"), bindparam("until"))
_PIECE = (
    select(*[column for column in run_chunks.c if column.name != "run"])
    .where(_OF_RUN, _WITHIN)
    .order_by(run_chunks.c.first_id)
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
        for piece in _pieces(connection.execute(_ROWS, {"run_id": run, "after": after}).all()):
            if len(piece) > 1:
                _put_together(connection, run, piece[0].first_id, piece[-1].last_id)
            # Only the last piece may still grow.
            self._settled[run] = piece[0].first_id - 1
        self._num_new[run] = (0, 0)


def _pieces(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Yield rows of epochs that follow each other, as many as make a row that lasts; any other row stays alone."""
    piece: list[Any] = []
    count = 0
    for row in rows:
        if piece and (row.kind != EventKind.EPOCHS or piece[-1].kind != row.kind or count >= LASTING_EPOCHS):
            yield piece
            piece, count = [], 0
        piece.append(row)
        count += row.last_id - row.first_id + 1
    if piece:
        yield piece


def _put_together(connection: Connection, run: str, begin: int, until: int) -> None:
    place = {"run_id": run, "begin": begin, "until": until}
    whole = merged([chunk_of(row) for row in connection.execute(_PIECE, place)])
    connection.execute(_DELETE, place)
    add_chunks(connection, run, [whole])
