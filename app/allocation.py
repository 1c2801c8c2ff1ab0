"""How the C library's `malloc` keeps memory for this process."""

import ctypes
import sys
from contextlib import suppress

# Of mallopt(3) in glibc.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
# Where glibc's own thresholds end up once it has seen blocks as large as it keeps.
LARGEST_KEPT = 32 * 1024 * 1024


def settle_malloc() -> None:
    """Let threads allocate from one place that keeps what is freed; to be called before there are other threads.

    Each thread would get a place of its own and keep what it freed there: some MB for a server that does little at a
    time but has many threads that wait. They seldom meet, for one at a time runs Python. And the pages of a long answer
    would each be given back to the system and asked for again, at a fault for every 4 kB. Nothing is done where there
    is no glibc.
    """
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):
            mallopt = ctypes.CDLL(None).mallopt
            mallopt(M_ARENA_MAX, 1)
            mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT)
            mallopt(M_TRIM_THRESHOLD, 2 * LARGEST_KEPT)
