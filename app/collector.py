"""The garbage collector, held back while what is made is going to stay."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

LARGE = 10_000


def leave_to_reference_counts(num_modules: int) -> None:
    """Take a large tree that was just made out of all later collections.

    Modules hold no cycles: their last reference frees them. Left in, each full collection would stop every thread for
    as long as it takes to look through the tree, more than a second for 111,111 modules.
    """
    if num_modules >= LARGE:
        gc.freeze()


@contextmanager
def collector_paused() -> Iterator[None]:
    """Hold cyclic garbage collection back for the block.

    Making 111,111 modules makes half a million tracked objects and no garbage, and importing torch makes as many: left
    on, the collector rescans all of them again and again, for more than the work itself costs.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
