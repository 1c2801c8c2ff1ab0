"""What was costly to make and may be asked for again, kept up to a number of bytes."""

import threading
from collections import OrderedDict
from collections.abc import Hashable


class Kept:
    """Bytes by key, the least recently asked for dropped first; never more than `max_bytes` of them.

    A key names all that decides the bytes, so nothing here is ever stale.
    Safe to share between threads.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.num_bytes = 0
        self._bodies: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._bodies)

    def get(self, key: Hashable) -> bytes | None:
        """Return what was kept under the key, or None."""
        with self._lock:
            body = self._bodies.get(key)
            if body is not None:
                self._bodies.move_to_end(key)
            return body

    def put(self, key: Hashable, body: bytes) -> None:
        """Keep the body; one of more than `max_bytes` alone is not kept."""
        with self._lock:
            self._drop(key)
            if len(body) > self.max_bytes:
                return
            self._bodies[key] = body
            self.num_bytes += len(body)
            while self.num_bytes > self.max_bytes:
                self._drop(next(iter(self._bodies)))

    def _drop(self, key: Hashable) -> None:
        body = self._bodies.pop(key, None)
        if body is not None:
            self.num_bytes -= len(body)
