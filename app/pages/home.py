"""The first page: the trees, the latest runs, the ways to a new tree, and the tutorial's example."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar

from fastapi import APIRouter, Query, Request, Response

from app.api.cursors import cursor_of, numbers_of
from app.api.dependencies import RunsDep, TreesDep
from app.errors import NotFound
from app.pages import new_tree
from app.pages.calls import origin_of, posted
from app.pages.drawings import drawings_of
from app.pages.hues import HUES, fnv1a
from app.pages.links import tree_url, with_query
from app.pages.marks import swatch_of
from app.pages.new_checkpoint import UploadForm, upload_form
from app.pages.new_desk import DeskDep
from app.pages.run_line import RunLine, run_line
from app.pages.sparkline import Spark, Sparks
from app.pages.templating import READING, Context, page
from app.pages.thumbnail import Thumbnail
from app.pages.tree_head import source_text
from app.storage.records import TreeRecord
from app.storage.trees import Trees
from app.trees.sources.factories import DEFAULT

router = APIRouter(include_in_schema=False)
router.include_router(new_tree.router)

MOST_CARDS = 12
MOST_RUNS = 8
PAGE = 60


@dataclass(frozen=True, slots=True)
class TreeCard:
    """A tree as a card; `thumb` is its map, None for a large one that was not opened lately."""

    name: str
    url: str
    class_name: str
    swatch: str
    source: str
    revision: int
    num_parameters: int
    num_modules: int
    num_bytes: int
    updated_at: datetime
    thumb: Thumbnail | None
    has_no_grad: bool


@dataclass(frozen=True, slots=True)
class RunCard:
    """A run of the list with its loss in small."""

    line: RunLine
    spark: Spark | None


@dataclass(frozen=True, slots=True)
class HomePage(Context):
    """What the server keeps, newest first."""

    template: ClassVar[str] = "home.html"

    trees: tuple[TreeCard, ...]
    num_trees: int
    all_trees: str
    runs: tuple[RunCard, ...]
    num_runs: int
    upload: UploadForm
    imports: tuple[str, ...]
    roots: tuple[str, ...]
    curl: str


@dataclass(frozen=True, slots=True)
class TreesPage(Context):
    """A page of all trees."""

    template: ClassVar[str] = "trees.html"

    trees: tuple[TreeCard, ...]
    num_trees: int
    next_url: str
    curl: str


@router.api_route("/", methods=READING)
def home(desk: DeskDep, trees: TreesDep, runs: RunsDep) -> Response:
    """The first page."""
    records, _ = trees.newest(MOST_CARDS)
    num_trees = trees.count()
    listed, _ = runs.list(None, MOST_RUNS)
    sparks = Sparks(runs)
    return page(
        HomePage(
            trees=tuple(card for record in records if (card := _card(trees, record))),
            num_trees=num_trees,
            all_trees="/trees" if num_trees > MOST_CARDS else "",
            runs=tuple(RunCard(run_line(run), sparks.of(run)) for run in listed),
            num_runs=runs.count(),
            upload=upload_form(desk),
            imports=(DEFAULT, *desk.settings.allow_import),
            roots=tuple(map(str, desk.settings.root)),
            curl=posted(desk.origin, "/api/trees", '{"source": {"kind": "factory", "target": "torch.nn:Transformer"}}'),
        )
    )


@router.api_route("/trees", methods=READING)
def list_trees(
    request: Request,
    trees: TreesDep,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
) -> Response:
    """All trees, newest first."""
    records, before = trees.newest(limit, None if cursor is None else numbers_of(cursor, 1)[0])
    following = "" if before is None else with_query("/trees", cursor=cursor_of(before), limit=str(limit))
    cards = tuple(card for record in records if (card := _card(trees, record)))
    return page(TreesPage(cards, trees.count(), following, f"curl -s {origin_of(request)}/api/trees"))


def _card(trees: Trees, record: TreeRecord) -> TreeCard | None:
    facts = record.facts
    try:
        drawn = drawings_of(trees).get(record)
    except NotFound:
        # Deleted by somebody else since it was listed.
        return None
    return TreeCard(
        name=record.name,
        url=tree_url(record.id),
        class_name=facts.class_name or "?",
        swatch=swatch_of(facts.class_name, {facts.class_name: fnv1a(facts.class_name) % HUES}, 1),
        source=source_text(record),
        revision=record.revision,
        num_parameters=facts.num_parameters,
        num_modules=facts.num_modules,
        num_bytes=facts.num_bytes,
        updated_at=record.updated_at,
        thumb=drawn.thumb,
        has_no_grad=drawn.has_no_grad,
    )
