"""Depth is not limited by Python's recursion, as torch's own walks are."""

import pytest
import torch
from torch import nn

from app.errors import CannotDo, TooLarge
from app.trees import snapshot, views
from app.trees.apply import apply
from app.trees.code import python_of
from app.trees.edit import forward, requires_grad_, train
from app.trees.index import TreeIndex
from app.trees.limits import Limits
from app.trees.linear import LinearModel
from app.trees.skeleton import skeleton
from app.trees.sources import open_source
from app.trees.state_dict import load_state_dict, state_dict, to_safetensors
from app.trees.summary import SummaryFormat, summarise, write
from app.trees.texts import repr_of
from app.trees.views import MAX_LIMIT, MAX_PAGE_CHARS
from tests.models import chain_of

DEEP, DEEPEST = 3_000, 20_000


def chain(depth: int) -> LinearModel:
    source = {"kind": "grid", "branching": 1, "depth": depth, "seed": 0, "forward": "chain"}
    return open_source(source, Limits())


@pytest.fixture(scope="module")
def deep() -> LinearModel:
    return chain(DEEP)


@pytest.fixture(scope="module")
def deep_index(deep: LinearModel) -> TreeIndex:
    return TreeIndex.of(deep)


@pytest.fixture(scope="module")
def deepest() -> LinearModel:
    return chain(DEEPEST)


@pytest.fixture(scope="module")
def deepest_index(deepest: LinearModel) -> TreeIndex:
    return TreeIndex.of(deepest)


def path_of(depth: int) -> str:
    return ".".join(["sub1"] * depth)


def test_torch_itself_does_not_answer_at_that_depth(deep: LinearModel) -> None:
    for ask in (repr, lambda module: list(module.named_modules()), nn.Module.state_dict):
        with pytest.raises(RecursionError):
            ask(deep)


def test_views_answer_at_3000(deep: LinearModel, deep_index: TreeIndex) -> None:
    page = views.named_modules(deep_index, limit=2_000)
    assert (page.total, len(page.items), page.next) == (DEEP + 1, 2_000, 2_000)
    page = views.named_modules(deep_index, start=2_000, limit=2_000)
    assert (page.items[-1].path, page.next) == (path_of(DEEP), None)
    assert views.named_modules(deep_index, path_of(DEEP - 1)).items[1].name == "sub1"
    assert [row.path for row in views.named_children(deep_index, path_of(10)).items] == [path_of(11)]
    parameters = views.named_parameters(deep_index, limit=MAX_LIMIT)
    assert parameters.items[0].values == [deep.weight.item()]
    assert parameters.total == 2 * (DEEP + 1)
    assert views.named_buffers(deep_index).total == 0
    assert views.get_submodule(deep_index, path_of(DEEP)).num_children == 0
    assert views.get_parameter(deep_index, path_of(DEEP) + ".weight").shape == [1]


def test_texts_answer_at_3000(deep_index: TreeIndex) -> None:
    lines = repr_of(deep_index).split("\n")
    assert len(lines) == 2 * DEEP + 1
    assert lines[DEEP] == "  " * DEEP + "(sub1): LinearModel()"
    assert lines[-1] == ")"
    assert summarise(deep_index, depth=DEEP).rows[-1].path == path_of(DEEP)
    for form in SummaryFormat:
        assert write(summarise(deep_index), form)
    assert skeleton(deep_index, 1).count(b'"sub1"') == DEEP
    compile(python_of(deep_index), "model.py", "exec")


def test_the_state_dict_answers_at_3000(deep: LinearModel, deep_index: TreeIndex) -> None:
    entries = list(state_dict(deep_index))
    assert len(entries) == 2 * (DEEP + 1)
    assert entries[-1].name == path_of(DEEP) + ".bias"
    file = to_safetensors(deep_index)
    other = chain(DEEP)
    apply(other, "", "zero_", {})
    assert load_state_dict(TreeIndex.of(other), file).is_clean
    assert other.get_parameter(path_of(DEEP) + ".bias") == deep.get_parameter(path_of(DEEP) + ".bias")


def test_changes_reach_the_bottom_at_3000() -> None:
    model = chain(DEEP)
    bottom = model.get_submodule(path_of(DEEP))
    assert apply(model, "", "make_new_weight", {}) == DEEP + 1
    requires_grad_(model, "", False)
    train(model, "", False)
    assert bottom.get_parameter("weight2").tolist() == [2.0]
    assert not bottom.get_parameter("weight2").requires_grad
    assert not bottom.training


def test_20000_levels_open_and_are_listed(deepest_index: TreeIndex) -> None:
    assert len(deepest_index) == DEEPEST + 1
    assert max(deepest_index.depth) == DEEPEST
    assert deepest_index.totals.num_parameters[0] == 2 * (DEEPEST + 1)
    assert skeleton(deepest_index, 1).count(b'"sub1"') == DEEPEST
    page = views.named_modules(deepest_index)
    assert (page.total, len(page.items), page.next) == (DEEPEST + 1, 1_000, 1_000)
    last = views.named_parameters(deepest_index, start=2 * DEEPEST + 1).items
    assert [row.name for row in last] == [path_of(DEEPEST) + ".bias"]


def test_the_forward_of_20000_levels_is_a_plain_loop(deepest: LinearModel, deepest_index: TreeIndex) -> None:
    x = torch.tensor([[0.5], [-3.0]])
    expected = x
    for module in deepest_index.modules:
        expected = expected * module.get_parameter("weight") + module.get_parameter("bias")
    assert torch.equal(forward(deepest, x.tolist()), expected)


def test_20000_levels_are_kept_and_loaded_again(deepest: LinearModel, deepest_index: TreeIndex) -> None:
    taken = snapshot.take(deepest_index)
    loaded = TreeIndex.of(snapshot.load(taken.structure, taken.tensors))
    assert loaded.shapes == deepest_index.shapes
    assert all(map(torch.equal, loaded.parameters.tensor, deepest_index.parameters.tensor))
    assert all(module.chain for module in loaded.modules)


def test_what_grows_with_the_square_of_the_depth_is_refused_with_the_limit(deepest_index: TreeIndex) -> None:
    for ask in (
        repr_of,
        to_safetensors,
        lambda index: list(state_dict(index)),
        lambda index: summarise(index, depth=DEEPEST),
        lambda index: load_state_dict(index, to_safetensors(TreeIndex.of(LinearModel()))),
    ):
        with pytest.raises(TooLarge, match="further down") as refused:
            ask(deepest_index)
        assert refused.value.limit == 64_000_000
    assert repr_of(deepest_index, DEEPEST - 1) == "LinearModel(\n  (sub1): LinearModel()\n)"


def test_a_page_of_long_paths_ends_early_but_goes_on(deepest_index: TreeIndex) -> None:
    page = views.named_modules(deepest_index, start=10_000, limit=MAX_LIMIT)
    assert page.next == 10_000 + len(page.items)
    assert 0 < sum(len(row.path) for row in page.items) <= MAX_PAGE_CHARS


def test_long_names_count_as_deep_ones_do() -> None:
    root = chain_of(0)
    module = root
    for _ in range(30):
        child = chain_of(0)
        module.add_module("n" * 100_000, child)
        module = child
    module.register_buffer("buffer", torch.zeros(1))
    module.register_parameter("p" * 5_000_000, nn.Parameter(torch.zeros(1)))
    index = TreeIndex.of(root)
    page = views.named_modules(index, limit=MAX_LIMIT)
    assert 1 < len(page.items) < 31
    assert len(views.named_parameters(index).items) == 1


def test_line_breaks_in_names_cannot_blow_up_the_text() -> None:
    model = chain_of(1_000)
    model.get_submodule(path_of(1_000)).add_module("\n" * 1_000_000, nn.Identity())
    with pytest.raises(TooLarge):
        repr_of(TreeIndex.of(model))


def test_a_class_that_prints_itself_by_recursion_is_refused_where_that_ends() -> None:
    model = nn.ModuleList()
    for _ in range(DEEP):
        model = nn.ModuleList([model])
    index = TreeIndex.of(model)
    with pytest.raises(CannotDo, match="A ModuleList prints itself"):
        repr_of(index)
    assert repr_of(index, DEEP) == "ModuleList()"


def test_a_tree_deeper_than_allowed_is_refused() -> None:
    TreeIndex.of(chain_of(5), max_depth=5)
    with pytest.raises(TooLarge, match="more than 4 levels") as refused:
        TreeIndex.of(chain_of(5), max_depth=4)
    assert refused.value.limit == 4
