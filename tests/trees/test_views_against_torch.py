"""Every view of random trees and of the zoo, at every target, against torch's own answer."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from app.errors import TargetNotFound
from app.trees import views
from app.trees.index import TreeIndex
from app.trees.views import MAX_LIMIT, Page
from tests.models import ZOO, Maker, nested_linear_models
from tests.trees.oracle import Oracle
from tests.trees.strategies import modules

in_the_zoo = pytest.mark.parametrize("make", ZOO.values(), ids=ZOO)


@settings(max_examples=100)
@given(modules())
def test_every_view_of_a_random_tree_is_torchs(module: nn.Module) -> None:
    Oracle(module).check()


@in_the_zoo
def test_every_view_of_the_zoo_is_torchs(make: Maker) -> None:
    Oracle(make()).check()


@settings(max_examples=50)
@given(modules(), st.data())
def test_targets_that_may_be_missing_are_answered_in_torchs_words(module: nn.Module, data: st.DataObject) -> None:
    oracle = Oracle(module)
    paths = [*oracle.modules, *oracle.parameters, *oracle.buffers]
    steps = sorted({step for path in paths for step in path.split(".")} | {"", "missing", "training", "_modules"})
    for _ in range(10):
        oracle.check_target(".".join(data.draw(st.lists(st.sampled_from(steps), max_size=4))))


@settings(max_examples=50)
@given(modules(), st.integers(1, 5), st.booleans(), st.booleans())
def test_pages_of_any_size_joined_are_the_whole(
    module: nn.Module, limit: int, recurse: bool, remove_duplicate: bool
) -> None:
    index = TreeIndex.of(module)
    for page_of in (
        partial(views.named_modules, index, remove_duplicate=remove_duplicate),
        partial(views.named_children, index),
        partial(views.named_parameters, index, recurse=recurse, remove_duplicate=remove_duplicate),
        partial(views.named_buffers, index, recurse=recurse, remove_duplicate=remove_duplicate),
    ):
        whole = page_of(limit=MAX_LIMIT)
        assert whole.next is None
        assert repr(joined(page_of, limit)) == repr(whole.items)
        assert whole.total == len(whole.items)


def joined(page_of: Callable[..., Page[Any]], limit: int) -> list[object]:
    rows: list[object] = []
    start: int | None = 0
    while start is not None:
        page = page_of(start=start, limit=limit)
        assert 0 < len(page.items) <= limit or page.total == 0
        rows.extend(page.items)
        assert page.next is None or page.next == len(rows)
        start = page.next
    return rows


def test_a_page_past_the_end_is_empty() -> None:
    index = TreeIndex.of(nn.Linear(1, 1))
    page = views.named_parameters(index, start=100)
    assert (page.items, page.total, page.next) == ([], 2, None)


@pytest.mark.parametrize("get", [views.get_submodule, views.get_parameter, views.get_buffer])
def test_a_missing_target_is_named_whole(get: Callable[[TreeIndex, str], object]) -> None:
    index = TreeIndex.of(nested_linear_models())
    with pytest.raises(TargetNotFound, match=re.escape("LinearModel has no attribute `sub3`")) as missing:
        get(index, "sub1.sub3.weight")
    assert missing.value.target == "sub1.sub3.weight"
