"""The rows of the tree: all of a small one, a window of a large one."""

from collections.abc import Iterator

from app.pages.tree_rows import Line, ModuleLine, MoreLine, tree_view
from app.trees.index import TreeIndex
from app.trees.limits import Limits
from app.trees.sources import open_source


def index_of(**source: object) -> TreeIndex:
    return TreeIndex.of(open_source({"kind": "grid", "seed": 0, **source}, Limits()))


def lines(line: Line) -> Iterator[Line]:
    todo = [line]
    while todo:
        each = todo.pop()
        yield each
        if isinstance(each, ModuleLine):
            todo.extend(each.items)


def names(line: ModuleLine) -> list[str]:
    return [item.name if isinstance(item, ModuleLine) else item.text for item in line.items]


def test_a_small_tree_is_whole_with_the_values_of_its_tensors() -> None:
    view = tree_view(index_of(branching=1, depth=2), "t_1", "linear_model1", 0)
    assert view.is_whole
    assert view.with_values
    assert [tensor.name for tensor in view.root.tensors] == ["weight", "bias"]
    assert view.no_grad == "4 of 6 parameters receive no gradient"


def test_every_module_that_forward_leaves_out_says_so_in_a_small_tree() -> None:
    view = tree_view(index_of(branching=1, depth=2), "t_1", "root", 0)
    marks = [[badge.word for badge in line.badges] for line in lines(view.root) if isinstance(line, ModuleLine)]
    assert marks == [[], ["no grad"], ["no grad"]]


def test_a_chain_leaves_nothing_out() -> None:
    view = tree_view(index_of(branching=1, depth=2, forward="chain"), "t_1", "root", 2)
    assert view.no_grad == ""
    assert not any(line.badges for line in lines(view.root) if isinstance(line, ModuleLine))


def test_a_large_tree_shows_the_way_to_the_selection_and_what_is_near() -> None:
    index = index_of(branching=10, depth=4)
    view = tree_view(index, "t_1", "grid", index.row("sub3.sub4"))
    assert not view.is_whole
    assert sum(1 for _ in lines(view.root)) == 1 + 10 + 10 + 10
    assert [line.is_ancestor for line in view.root.items if isinstance(line, ModuleLine)].count(True) == 1
    assert view.root.is_ancestor


def test_thousands_of_siblings_come_two_hundred_at_a_time() -> None:
    index = index_of(branching=3_000, depth=1)
    root = tree_view(index, "t_1", "wide", 0).root
    assert len(root.items) == 201
    more = root.items[-1]
    assert isinstance(more, MoreLine)
    assert more.text == "2,800 more, next 200"
    assert more.url == "/trees/t_1?from=200"
    second = tree_view(index, "t_1", "wide", 0, start=200).root
    assert names(second)[:2] == ["200 before", "sub201"]


def test_a_leaf_stands_among_its_siblings() -> None:
    index = index_of(branching=3_000, depth=1)
    root = tree_view(index, "t_1", "wide", index.row("sub1500")).root
    selected = [item.name for item in root.items if isinstance(item, ModuleLine) and item.is_selected]
    assert selected == ["sub1500"]
    assert names(root)[0] == "1,400 before, show 200"


def test_a_start_past_the_end_shows_the_last_sibling() -> None:
    root = tree_view(index_of(branching=500, depth=1), "t_1", "wide", 0, start=9_999).root
    assert names(root)[-1] == "sub500"


def test_twenty_thousand_levels_down_the_page_is_as_short() -> None:
    index = index_of(branching=1, depth=20_000)
    view = tree_view(index, "t_1", "chain", 15_000)
    found = list(lines(view.root))
    assert len(found) < 20
    assert names(view.root)[0] == "14,988 levels between"
    assert all(len(line.url) < 2_000 for line in found)


def test_many_tensors_of_one_module_are_cut() -> None:
    index = index_of(branching=1, depth=0)
    module = index.modules[0]
    for number in range(40):
        module.register_parameter(f"extra{number}", module.weight)  # type: ignore[arg-type]
    view = tree_view(TreeIndex.of(module), "t_1", "root", 0)
    assert len(view.root.tensors) == 12
    assert view.root.tensors[-1].badges[-1].word == "tied"
