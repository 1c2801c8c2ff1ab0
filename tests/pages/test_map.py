"""The map as the server draws it: what is drawn, where, and what its legend adds up to."""

import pytest
from torch import nn

from app.pages.icicle import LEAST_HEIGHT, Icicle, Panel, block_of
from app.pages.map_amounts import Amounts, Area
from app.pages.map_choices import MapAsked, asked_of
from app.pages.map_legend import legend
from app.pages.map_paints import Colour, Paints
from app.trees.index import TreeIndex
from tests.models import ZOO

PANEL = Panel(400, 600, is_labelled=True)


def encoder(layers: int = 12) -> TreeIndex:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    return TreeIndex.of(nn.Sequential(nn.Embedding(40, 8), nn.TransformerEncoder(layer, layers)))


@pytest.mark.parametrize("name", sorted(ZOO))
def test_heights_add_up_to_what_torch_counts_however_odd_the_model(name: str) -> None:
    index = TreeIndex.of(ZOO[name]())
    for area, total in ((Area.PARAMETERS, index.totals.num_parameters), (Area.BYTES, index.totals.num_bytes)):
        amounts = Amounts(index, area)
        assert amounts.between(0, len(index)) == total[0]
        places = Icicle(index, amounts).places(0, PANEL)
        assert bool(places) == bool(total[0])
        for place in places:
            assert place.height >= LEAST_HEIGHT
            assert 0 <= place.x < place.x + place.width <= PANEL.width + 1e-6
            assert place.y >= -1e-6
            assert place.y + place.height <= PANEL.height + 1e-6


def test_the_nearest_block_is_the_one_that_the_selection_is_in() -> None:
    index = encoder()
    places = Icicle(index, Amounts(index, Area.PARAMETERS)).places(0, PANEL)
    assert index.path(block_of(index, 0, places)) == "1.layers.0"
    assert index.path(block_of(index, index.row("1.layers.11.linear1"), places)) == "1.layers.11"
    assert block_of(TreeIndex.of(nn.Linear(2, 2)), 0, []) == 0


def test_like_siblings_that_are_too_low_are_drawn_once() -> None:
    index = encoder(300)
    places = Icicle(index, Amounts(index, Area.PARAMETERS)).places(0, PANEL)
    folded = [place for place in places if place.count > 1]
    assert [(index.path(place.row), place.count) for place in folded] == [("1.layers.0", 300)]


def test_the_legend_counts_what_torch_counts() -> None:
    index = encoder()
    amounts = Amounts(index, Area.PARAMETERS)
    of_classes = legend(index, amounts, Paints(index, Colour.CLASS), "t").entries
    of_layer = int(index.totals.num_parameters[index.row("1.layers.0")])
    found = {entry.name: (entry.num, entry.amount) for entry in of_classes}
    assert found["Embedding"] == ("1", "320")
    assert found["TransformerEncoderLayer"] == ("12", f"{12 * of_layer:,}")
    assert [entry.name for entry in legend(index, amounts, Paints(index, Colour.TRAINABLE), "t").entries] == [
        "trainable"
    ]
    by_dtype = legend(index, Amounts(index, Area.BYTES), Paints(index, Colour.DTYPE), "t").entries
    assert [(entry.name, entry.url) for entry in by_dtype] == [("float32", "/trees/t/search?q=dtype%3Dfloat32")]


def test_what_a_query_asks_that_nobody_knows_is_as_if_it_was_not_there() -> None:
    assert asked_of({"area": "bytes", "colour": "dtype", "zoom": "12", "tab": "repr"}) == MapAsked(
        Area.BYTES, Colour.DTYPE, 12, "repr"
    )
    assert asked_of({"area": "<b>", "colour": "heat", "zoom": "-1", "tab": "overview"}) == MapAsked()
    assert MapAsked(Area.FLOPS, zoom=3).query == {"tab": "", "area": "flops", "colour": "", "zoom": "3"}
