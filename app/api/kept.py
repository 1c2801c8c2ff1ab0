"""Ready-made answers: what was encoded or compressed once for a revision is kept, up to a number of bytes."""

from typing import Annotated

from fastapi import Depends, Request

from app.trees.kept import Kept

MAX_BYTES = 256 * 1024 * 1024


async def _kept(request: Request) -> Kept:
    state = request.app.state
    if not hasattr(state, "kept"):
        state.kept = Kept(MAX_BYTES)
    kept: Kept = state.kept
    return kept


KeptDep = Annotated[Kept, Depends(_kept)]
