"""Which trace of a tree was asked for last, so that the pages of its modules can show what it found."""

import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Hashable

import msgspec

from app.trees.kept import Kept
from app.trees.trace import Trace

MAX_TREES = 64
MAX_DECODED = 4

_decode = msgspec.json.Decoder(Trace).decode


class LatestTraces:
    """The last trace of each of the trees that were traced last. Thread-safe.

    Only its key is held, and some decoded ones: the bytes lie with the ready-made answers, and are gone with them.
    """

    def __init__(self) -> None:
        self._keys: OrderedDict[str, tuple[int, Hashable]] = OrderedDict()
        self._decoded: OrderedDict[Hashable, Trace] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, tree_id: str, revision: int, key: Hashable) -> None:
        """Say that a trace of a revision was asked for, and the key that its answer is kept under."""
        with self._lock:
            self._keys[tree_id] = (revision, key)
            self._keys.move_to_end(tree_id)
            while len(self._keys) > MAX_TREES:
                self._keys.popitem(last=False)

    def find(self, kept: Kept, tree_id: str, revision: int) -> Trace | None:
        """Return the last trace of a tree, None where it is of another revision or no longer kept."""
        with self._lock:
            noted, key = self._keys.get(tree_id, (-1, None))
            whole = (tree_id, revision, key, "identity")
            found = self._decoded.get(whole)
        if found is not None or noted != revision:
            return found if noted == revision else None
        body = kept.get(whole)
        if body is None:
            return None
        trace = _decode(body)
        with self._lock:
            self._decoded[whole] = trace
            while len(self._decoded) > MAX_DECODED:
                self._decoded.popitem(last=False)
        return trace


def place_in(trace: Trace, row: int) -> int | None:
    """Return where the columns of a trace have the module at a row, None where it was not called."""
    at = bisect_left(trace.row, row)
    return at if at < len(trace.row) and trace.row[at] == row else None
