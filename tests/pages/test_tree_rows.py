"""The rows of the tree: all of a small one, a window of a large one."""

from collections.abc import Iterator

from torch import nn

from app.pages.tree_rows import Line, ModuleLine, MoreLine, RunLine, tree_view
from app.trees.index import TreeIndex
from app.trees.limits import Limits
from app.trees.linear import LinearModel
from app.trees.sources import open_source
from tests.models import holding


def index_of(**source: object) -> TreeIndex:
    return TreeIndex.of(open_source({"kind": "grid", "seed": 0, **source}, Limits()))


def lines(line: Line) -> Iterator[Line]:
    todo = [line]
    while todo:
        each = todo.pop()
        yield each
        if not isinstance(each, MoreLine):
            todo.extend(each.items)


def names(line: ModuleLine | RunLine) -> list[str]:
    return [name(item) for item in line.items]


def name(line: Line) -> str:
    match line:
        case ModuleLine():
            return line.name
        case RunLine():
            return f"{line.label} {line.count} x"
        case MoreLine():
            return line.text


def run_in(line: ModuleLine) -> RunLine:
    found = [item for item in line.items if isinstance(item, RunLine)]
    assert len(found) == 1
    return found[0]


def test_a_small_tree_is_whole_with_the_values_of_its_tensors() -> None:
    view = tree_view(index_of(branching=1, depth=2), "t_1", "linear_model1", 0)
    assert view.is_whole
    assert view.with_values
    assert [tensor.name for tensor in view.root.tensors] == ["weight", "bias"]
    assert view.no_grad == "4 of 6 parameters receive no gradient"


def test_a_tree_whose_tensors_are_all_long_has_no_column_of_values() -> None:
    assert not tree_view(TreeIndex.of(nn.Linear(3, 2)), "t_1", "root", 0).with_values


def test_every_module_that_forward_leaves_out_says_so_in_a_small_tree() -> None:
    view = tree_view(index_of(branching=1, depth=2), "t_1", "root", 0)
    marks = [[badge.word for badge in line.badges] for line in lines(view.root) if isinstance(line, ModuleLine)]
    assert marks == [[], ["no grad"], ["no grad"]]


def test_a_chain_leaves_nothing_out() -> None:
    view = tree_view(index_of(branching=1, depth=2, forward="chain"), "t_1", "root", 2)
    assert view.no_grad == ""
    assert not any(line.badges for line in lines(view.root) if isinstance(line, ModuleLine))


def test_a_large_tree_shows_the_way_to_the_selection_and_folds_what_is_like_it() -> None:
    index = index_of(branching=10, depth=4)
    view = tree_view(index, "t_1", "grid", index.row("sub3.sub4"))
    assert not view.is_whole
    assert names(view.root) == ["sub1", "sub2", "sub3", "(sub4–sub10) 7 x"]
    assert [line.is_ancestor for line in view.root.items if isinstance(line, ModuleLine)] == [False, False, True]
    way = view.root.items[2]
    assert isinstance(way, ModuleLine)
    assert names(way) == ["(sub1–sub3) 3 x", "sub4", "(sub5–sub10) 6 x"]
    assert sum(1 for _ in lines(view.root)) == 1 + 4 + 3 + 1
    assert view.root.is_ancestor


def test_a_run_has_the_count_of_all_of_it_and_opens_its_first() -> None:
    index = index_of(branching=10, depth=2)
    run = run_in(tree_view(index, "t_1", "grid", 0).root)
    assert (run.label, run.count, run.class_name, run.share.exact) == ("(sub1–sub10)", 10, "LinearModel", "220")
    assert (run.url, run.turn_url, run.items) == ("/trees/t_1/modules/sub1", "/trees/t_1?unfold=1", ())


def test_a_run_is_listed_on_demand_and_stays_so_from_one_to_the_next() -> None:
    index = index_of(branching=10, depth=2)
    run = run_in(tree_view(index, "t_1", "grid", 0, unfold=1).root)
    assert run.is_open
    assert names(run) == [f"sub{number}" for number in range(1, 11)]
    assert run.turn_url == "/trees/t_1"
    assert isinstance(run.items[6], ModuleLine)
    assert run.items[6].url == "/trees/t_1/modules/sub7?unfold=1"
    within = run_in(tree_view(index, "t_1", "grid", index.row("sub7.sub2"), unfold=1).root)
    chosen = within.items[6]
    assert isinstance(chosen, ModuleLine)
    assert chosen.is_ancestor
    assert names(chosen) == ["sub1", "sub2", "(sub3–sub10) 8 x"]


def test_two_alike_stay_two_rows() -> None:
    assert names(tree_view(index_of(branching=2, depth=4), "t_1", "grid", 0).root) == ["sub1", "sub2"]


def test_a_tree_that_shows_its_values_folds_nothing() -> None:
    assert names(tree_view(index_of(branching=5, depth=1), "t_1", "grid", 0).root) == [f"sub{n}" for n in range(1, 6)]


def test_thousands_of_siblings_are_one_row_and_come_two_hundred_at_a_time() -> None:
    index = index_of(branching=3_000, depth=1)
    assert names(tree_view(index, "t_1", "wide", 0).root) == ["(sub1–sub3000) 3000 x"]
    run = run_in(tree_view(index, "t_1", "wide", 0, unfold=1).root)
    assert len(run.items) == 201
    more = run.items[-1]
    assert isinstance(more, MoreLine)
    assert more.text == "2,800 more, next 200"
    assert more.url == "/trees/t_1?from=200&unfold=1"
    second = run_in(tree_view(index, "t_1", "wide", 0, start=200, unfold=1).root)
    assert names(second)[:2] == ["200 before", "sub201"]


def test_siblings_that_differ_come_two_hundred_at_a_time() -> None:
    children = {f"sub{number}": LinearModel() if number % 2 else nn.Identity() for number in range(500)}
    root = tree_view(TreeIndex.of(holding(**children)), "t_1", "wide", 0).root
    assert names(root)[-1] == "300 more, next 200"
    more = root.items[-1]
    assert isinstance(more, MoreLine)
    assert more.url == "/trees/t_1?from=200"


def test_a_leaf_stands_among_its_siblings() -> None:
    index = index_of(branching=3_000, depth=1)
    root = tree_view(index, "t_1", "wide", index.row("sub1500")).root
    assert names(root) == ["(sub1–sub1499) 1499 x", "sub1500", "(sub1501–sub3000) 1500 x"]
    run = run_in(tree_view(index, "t_1", "wide", index.row("sub1500"), unfold=1).root)
    selected = [item.name for item in run.items if isinstance(item, ModuleLine) and item.is_selected]
    assert selected == ["sub1500"]
    assert names(run)[0] == "1,400 before, show 200"


def test_a_start_past_the_end_shows_the_last_sibling() -> None:
    root = tree_view(index_of(branching=500, depth=1), "t_1", "wide", 0, start=9_999, unfold=1).root
    assert names(run_in(root))[-1] == "sub500"


def test_a_run_of_one_module_says_so() -> None:
    model = holding(**dict.fromkeys((f"same{number}" for number in range(20)), nn.ReLU()))
    badges = run_in(tree_view(TreeIndex.of(model), "t_1", "same", 0).root).badges
    assert [badge.word for badge in badges] == ["1 distinct"]


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
