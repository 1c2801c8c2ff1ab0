"""The places that the C library's `malloc` keeps for threads."""

import ctypes
import sys
from contextlib import suppress

# Of mallopt(3) in glibc.
M_ARENA_MAX = -8


def share_one_arena() -> None:
    """Let all threads of this process allocate from one place; to be called before there are others.

    Each would get one of its own and keep what it freed there: some MB for a server that does little at a time but has
    many threads that wait. They seldom meet, for one at a time runs Python. Nothing is done where there is no glibc.
    """
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):
            ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
