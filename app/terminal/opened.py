"""A named source, opened in this process and kept nowhere."""

from contextlib import closing
from pathlib import Path

from app.terminal.named import Named
from app.trees.index import TreeIndex
from app.trees.limits import Limits
from app.trees.origin import Origin
from app.trees.sources.checkpoint.readings import Readings
from app.trees.sources.opening import Sources
from app.trees.sources.workshop import Workshop


def open_named(named: Named) -> tuple[TreeIndex, Origin]:
    """Return the index of what was named and what its source said of it; raises as the source does.

    A callable is imported and called as a server would: in a limited process of its own.
    """
    allowed = () if named.allow_import is None else (named.allow_import,)
    roots: tuple[Path, ...] = () if named.file is None else (named.file,)
    with closing(Workshop(allowed)) as workshop, closing(Readings()) as readings:
        sources = Sources(Limits(), workshop, readings, roots=roots)
        opened = sources.open(named.document)
        assert opened.description is not None, "what can be named is described, not live"
        return sources.index(opened.description, opened.origin), opened.origin
