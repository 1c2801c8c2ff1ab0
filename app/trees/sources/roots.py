"""The folders that checkpoints may be opened from, and what a path under them names."""

import os
from collections.abc import Sequence
from pathlib import Path

from app.errors import NotAllowed
from app.translation import said
from app.trees.sources.checkpoint.shards import INDEX_SUFFIX


def find_under(roots: Sequence[Path], text: str) -> Path:
    """Return where a file lies, be it there or not; a relative path is looked for in each root in turn.

    Links are followed, and must end under a root: a cache of models has names that are links to what it holds. What is
    returned is where they end, to be opened as a file that is no link, whatever has become of it since. The index of a
    checkpoint in shards stands for its folder: a link to one is left to who opens it, and refuses it. Raises
    `NotAllowed`, which does not tell whether there is such a file.
    """
    if not roots:
        raise NotAllowed(
            said("Checkpoints are opened from folders that the server was given, and it was given none: --root.")
        )
    given = os.path.expanduser(text)  # noqa: PTH111  Path's raises where there is no such user
    real_roots = [Path(os.path.realpath(root)) for root in roots]
    places = dict.fromkeys(_real(root / given) for root in real_roots)
    allowed = [place for place in places if any(place.is_relative_to(root) for root in real_roots)]
    found = next((place for place in allowed if os.path.lexists(place)), None)
    if found is None and len(allowed) < len(places):
        raise NotAllowed(said("%(text)r is not under a folder that the server was given with --root.", text=text))
    return found or allowed[0]


def _real(path: Path) -> Path:
    # Path.resolve raises where links go round. What is left of them here cannot be opened either.
    if path.name.endswith(INDEX_SUFFIX):
        return Path(os.path.realpath(path.parent), path.name)
    return Path(os.path.realpath(path))
