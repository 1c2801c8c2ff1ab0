"""Trees in small, drawn once a revision: a tree is not opened again only to be drawn."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from weakref import WeakKeyDictionary

from app.pages.thumbnail import Thumbnail, thumbnail
from app.storage.records import TreeRecord
from app.storage.trees import OpenTree, Trees
from app.trees.gradient import Reach

OPENED_TO_DRAW = 2_000
MOST_KEPT = 500


@dataclass(frozen=True, slots=True)
class Drawing:
    """A tree in small, None for a large one that nobody opened yet; whether a child gets no gradient."""

    thumb: Thumbnail | None
    has_no_grad: bool


class Drawings:
    """The drawings of all trees, the ones asked for longest ago forgotten first. Safe to share between threads."""

    def __init__(self, trees: Trees) -> None:
        self._trees = trees
        self._kept: OrderedDict[tuple[str, int, str], Drawing] = OrderedDict()
        self._lock = Lock()

    def get(self, record: TreeRecord) -> Drawing:
        """Return the drawing of a tree; a large tree is not opened for it. Raises `NotFound`."""
        with self._lock:
            drawing = self._kept.get(_key(record))
        if drawing is not None:
            return drawing
        if record.facts.num_modules > OPENED_TO_DRAW:
            return Drawing(None, False)
        with self._trees.reading(record.id) as opened:
            return self.keep(opened)

    def keep(self, opened: OpenTree) -> Drawing:
        """Draw a tree that is open anyway, unless it was drawn before."""
        key = _key(opened.record)
        with self._lock:
            drawing = self._kept.get(key)
        if drawing is None:
            has_no_grad = len(opened.index) > 1 and not Reach(opened.index)(1)
            drawing = Drawing(thumbnail(opened), has_no_grad)
            with self._lock:
                self._kept[key] = drawing
                if len(self._kept) > MOST_KEPT:
                    self._kept.popitem(last=False)
        return drawing


def _key(record: TreeRecord) -> tuple[str, int, str]:
    return record.id, record.revision, record.name


_of_trees: WeakKeyDictionary[Trees, Drawings] = WeakKeyDictionary()
_guard = Lock()


def drawings_of(trees: Trees) -> Drawings:
    """Return the drawings of a server's trees."""
    with _guard:
        return _of_trees.setdefault(trees, Drawings(trees))
