"""The pages over HTTP, scripts off: everything that is not live is done with links and forms alone."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from tests.live import LiveServer
from tests.pages.reader import HTML, Page, Reader

LINEAR: dict[str, object] = {
    "kind": "linear",
    "root": {"weight": 1, "bias": 0, "children": {"sub1": {"weight": 2, "bias": 3, "children": {"sub2_1": {}}}}},
    "seed": 0,
}
STRANGE = ["<b>bold</b>", "a\nb", "\u202eevil", "한국어", "👩‍💻", " ", "a/b?c#d%20", "'\"", "x" * 300]
LOSSES = ["37.14", "6.440", "1.137", "0.2204", "0.06179", "0.03412", "0.02908", "0.02794", "0.02749", "0.02716"]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server of its own, that nobody has used yet."""
    with LiveServer(tmp_path_factory.mktemp("fresh")) as live:
        yield live


@pytest.fixture
def reader(server: LiveServer) -> Reader:
    """The shared server, read without scripts."""
    return Reader(server.client)


@pytest.fixture
def tree(reader: Reader) -> str:
    """The address of a new tree of three LinearModels."""
    return reader.open_tree(LINEAR, "linear_model1")


def run_of(page: Page) -> str:
    return str(httpx.URL(page.url).params["run"])


# The first minute


def test_the_tutorial_is_one_form_away_from_running_when_there_is_no_tree(fresh: LiveServer) -> None:
    reader = Reader(fresh.client)
    home = reader.get("/")
    assert "No trees yet. Build a LinearModel" in home.text
    page = reader.send(home.form("/trees"))
    reader.follow(run_of(page))
    page = reader.get(urlsplit(page.url).path)
    assert all(loss in page.text for loss in LOSSES)
    assert "21.1794" in page.text
    assert "Its parameters became revision 2." in page.text
    assert "linear_model1" in reader.get("/").text


def test_an_empty_server_says_that_there_are_no_runs(fresh: LiveServer) -> None:
    assert "All runs" not in Reader(fresh.client).get("/trees/new").text


def test_a_nested_tree_is_built_from_dotted_names(reader: Reader) -> None:
    form = reader.get("/trees/new?kind=linear").form("/trees")
    rows = [
        ("target", ""),
        ("weight", "0.5"),
        ("bias", ""),
        ("target", "a.b"),
        ("weight", ""),
        ("bias", "2"),
        ("target", "a"),
    ]
    page = reader.post(form.action, [("kind", "linear"), *rows, ("target", "a"), ("weight", "1"), ("bias", "")])
    assert page.text.count("LinearModel") > 3
    assert "0.5000" in page.text
    found = reader.client.get(f"/api{urlsplit(page.url).path}/named_modules").json()
    assert [item["name"] for item in found["items"]] == ["", "a", "a.b"]


def test_what_is_wrong_in_a_row_stands_at_that_row_and_nothing_is_lost(reader: Reader) -> None:
    fields = [("kind", "linear"), ("name", "mine"), ("target", ""), ("weight", "half"), ("bias", "")]
    page = reader.post("/trees", [*fields, ("target", "a"), ("weight", "1"), ("bias", ""), ("seed", "7")], 422)
    form = page.form("/trees")
    assert "weight: expected a number, got 'half'" in page.text
    assert (form.get("name"), form.get("weight"), form.get("seed")) == ("mine", "half", "7")
    assert ("target", "a") in form.fields


def test_more_rows_keep_what_was_typed(reader: Reader) -> None:
    form = reader.get("/trees/new").form("/trees")
    page = reader.send(form, more="1", name="kept")
    assert page.form("/trees").get("name") == "kept"


def test_a_spec_as_json_is_opened_and_a_broken_one_comes_back(reader: Reader) -> None:
    form = reader.get("/trees/new?kind=spec").form("/trees")
    assert "sub2_1" in reader.send(form).text
    broken = reader.send(form, 422, spec='{"weight": }')
    assert "The spec is not JSON" in broken.text
    assert broken.form("/trees").get("spec") == '{"weight": }'
    refused = reader.send(form, 409, spec='{"children": {"a.b": {}}}')
    assert 'module name can\'t contain ".", got: a.b' in refused.text


def test_a_grid_grows_and_one_too_large_says_the_limit(reader: Reader) -> None:
    form = reader.get("/trees/new?kind=grid").form("/trees")
    assert "7 modules" in reader.send(form, branching="2", depth="2", seed="0").text
    large = reader.send(form, 413, branching="10", depth="9")
    assert "more than 250,000 modules" in large.text
    assert large.form("/trees").get("depth") == "9"
    assert "expected a whole number, got 'ten'" in reader.send(form, 422, branching="ten").text


# Looking in


def test_every_json_view_has_its_page_at_the_same_path(reader: Reader, tree: str) -> None:
    run = reader.train(tree, module_stats_every=1)
    reader.client.post(f"/api{tree}/register_buffer", json={"name": "buf", "value": [4]})
    targets = {"get_parameter": "?target=weight", "get_buffer": "?target=buf"}
    paths = reader.client.get("/api/openapi.json").json()["paths"]
    views = [path.removeprefix("/api") for path, operations in paths.items() if "get" in operations]
    shown = {"/events", "/runs/{run_id}/events", "/apply_functions"}
    assert {"/trees/{tree_id}/named_parameters", "/trees", "/runs/{run_id}/epochs"} <= set(views)
    for view in set(views) - shown:
        if not view.startswith(("/trees", "/runs")):
            continue
        path = view.format(tree_id=tree.removeprefix("/trees/"), run_id=run) + targets.get(view.rpartition("/")[2], "")
        page = reader.get(path)
        assert "curl -s" in page.text, path


def test_a_lens_shows_what_torch_prints_the_total_and_the_next_page(reader: Reader) -> None:
    tree = reader.open_tree({"kind": "grid", "branching": 3, "depth": 3, "seed": 0})
    page = reader.get(f"{tree}/named_parameters?limit=50&target=sub2")
    assert "26 items" in page.text
    assert 'for name, parameter in model.get_submodule("sub2").named_parameters():' in page.text
    assert "weight Parameter containing:" in page.text
    whole = reader.get(f"{tree}/named_modules?limit=30")
    assert "40 items, from 1" in whole.text
    assert "40 items, from 31" in reader.get(whole.links["Next page"]).text


def test_the_arguments_of_a_lens_are_torchs(reader: Reader, tree: str) -> None:
    page = reader.get(f"{tree}/named_parameters?recurse=false")
    assert "2 items" in page.text
    assert "model.named_parameters(recurse=False)" in page.text
    assert reader.send(page.form("/named_parameters"), recurse="true").text.count("sub1.sub2_1.weight") > 0


def test_a_target_that_is_not_there_is_torchs_message(reader: Reader, tree: str) -> None:
    assert "LinearModel has no attribute `nope`" in reader.get(f"{tree}/modules/sub1.nope", 404).text
    assert "`weight` is not an nn.Module" in reader.get(f"{tree}/named_modules?target=weight", 404).text


def test_the_inspector_says_what_is_known_and_how(reader: Reader, tree: str) -> None:
    text = reader.get(f"{tree}/modules/sub1").text
    for said in ("x * weight + bias", "2 x + 3", "2 own + 2", "4 × 4, float32", "66.7\u2009%", "[2.]", "[3.]"):
        assert said.replace("\u2009", " ") in text.replace("\u2009", " ")
    assert 'model.get_submodule("sub1")' in text
    assert f"/api{tree}/get_submodule?target=sub1" in text
    assert "(sub2_1): LinearModel()" in text


def test_children_that_forward_leaves_out_are_named(reader: Reader, tree: str) -> None:
    assert "No gradient reaches sub1: forward never calls it." in reader.get(tree).text
    assert "4 of 6 parameters receive no gradient" in reader.get(tree).text
    chain = reader.open_tree({**LINEAR, "forward": "chain"})
    assert "No gradient" not in reader.get(chain).text


# Changing


def test_a_buffer_is_registered_undone_and_redone(reader: Reader, tree: str) -> None:
    form = reader.get(f"{tree}/modules/sub1?tab=change").form("/register_buffer")
    page = reader.send(form, name="buf", value="[4]")
    assert urlsplit(page.url).path == f"{tree}/modules/sub1"
    assert "buf" in page.text
    assert "[4]" in page.text
    assert "sub1.register_buffer('buf')" in page.text
    undone = reader.send(page.form("/undo"))
    assert "[4]" not in undone.text
    assert "[4]" in reader.send(undone.form("/redo")).text


def test_a_name_that_torch_refuses_stands_at_its_field_with_all_that_was_typed(reader: Reader, tree: str) -> None:
    form = reader.get(f"{tree}?tab=change").form("/register_buffer")
    page = reader.send(form, 409, name="weight", value="[1, 2]", dtype="float64", persistent=None)
    assert "attribute 'weight' already exists" in page.text
    again = page.form("/register_buffer")
    assert (again.get("name"), again.get("value"), again.get("dtype")) == ("weight", "[1, 2]", "float64")
    assert again.get("persistent") is None


@pytest.mark.parametrize(
    ("action", "typed", "status", "said"),
    [
        ("register_buffer", {"name": "b", "value": "four"}, 422, "expected a number or nested lists of numbers"),
        ("register_parameter", {"name": "a.b", "value": "[1]"}, 409, 'can\'t contain "."'),
        ("register_parameter", {"name": "p", "value": "[1]", "dtype": "int64"}, 422, "only a floating-point parameter"),
        ("add_module", {"name": "", "weight": "", "bias": ""}, 409, "can't be empty string"),
        ("add_module", {"name": "s", "weight": "[1]", "bias": ""}, 422, "expected a number"),
        ("apply", {"fn": "make_new_weight", "name": "w", "value": "x"}, 422, "expected nested numbers"),
        ("rename", {"name": " "}, 422, "expected 1 to 200 characters"),
    ],
)
def test_what_a_form_gets_wrong_is_said_at_the_form(
    reader: Reader, tree: str, action: str, typed: dict[str, str | None], status: int, said: str
) -> None:
    page = reader.send(reader.get(f"{tree}?tab=change").form(f"/{action}"), status, **typed)
    assert said in page.text
    assert page.form(f"/{action}").get("name") == typed["name"]


def test_modules_parameters_and_functions_go_through_their_forms(reader: Reader, tree: str) -> None:
    change = f"{tree}?tab=change"
    assert "7 of 9" not in reader.send(reader.get(change).form("/add_module"), name="sub3", weight="2", bias="").text
    page = reader.send(reader.get(change).form("/register_parameter"), name="extra", value="[[1, 2], [3, 4]]")
    assert "[[1., 2.], [3., 4.]]" in page.text
    reader.send(reader.get(f"{change}&fn=make_new_weight").form("/apply"))
    names = [item["name"] for item in reader.client.get(f"/api{tree}/named_parameters").json()["items"]]
    assert {"weight2", "sub1.sub2_1.weight2", "sub3.weight2"} <= set(names)


def test_the_arguments_of_a_function_follow_its_choice(reader: Reader, tree: str) -> None:
    form = reader.get(f"{tree}?tab=change&fn=uniform_").form("/apply")
    assert {"fn", "a", "b"} <= {name for name, _ in form.fields}
    reader.send(form, a="5", b="5", seed="1")
    values = [item["values"] for item in reader.client.get(f"/api{tree}/named_parameters").json()["items"]]
    assert values == [[5.0]] * 6


def test_freezing_and_modes_are_one_button(reader: Reader, tree: str) -> None:
    frozen = reader.send(reader.get(f"{tree}/modules/sub1").form("/requires_grad_"))
    assert "frozen" in frozen.text
    assert "Unfreeze" in frozen.text
    assert "eval mode" in reader.send(frozen.form("/eval")).text


def test_a_value_is_edited_and_a_tensor_deleted(reader: Reader, tree: str) -> None:
    page = reader.get(f"{tree}?tab=parameters")
    form = page.form("/register_parameter")
    assert form.get("value") == "[1.0]"
    assert "[7.]" in reader.send(form, value="[7]").text
    assert "No parameters of its own" not in reader.send(page.form("/delete")).text
    names = [item["name"] for item in reader.client.get(f"/api{tree}/parameters").json()["items"] if "name" in item]
    assert names == []
    assert reader.client.get(f"/api{tree}/get_parameter?target=weight").status_code == 404


def test_a_deleted_module_selects_its_parent(reader: Reader, tree: str) -> None:
    page = reader.send(reader.get(f"{tree}/modules/sub1.sub2_1?tab=change").form("/delete"))
    assert urlsplit(page.url).path == f"{tree}/modules/sub1"
    assert "sub2_1" not in page.form("/undo").action


def test_a_tree_is_renamed_and_deleted_and_its_runs_stay(reader: Reader, tree: str) -> None:
    run = reader.train(tree)
    renamed = reader.send(reader.get(f"{tree}?tab=change").form("/rename"), name="<i>mine</i>")
    assert "<i>mine</i>" in renamed.text
    assert "<i>mine" not in renamed.response.text
    reader.send(reader.get(f"{tree}?tab=change").form("/delete_tree"))
    reader.get(tree, 404)
    assert "the tree is gone, the run is kept" in reader.get(f"/runs/{run}").text


def test_an_undo_of_what_is_selected_selects_the_module_above(reader: Reader, tree: str) -> None:
    reader.send(reader.get(f"{tree}?tab=change").form("/add_module"), name="new")
    page = reader.send(reader.get(f"{tree}/modules/new").form("/undo"))
    assert urlsplit(page.url).path == tree


def test_asking_for_the_address_of_a_form_leads_to_its_page(reader: Reader, tree: str) -> None:
    page = reader.get(f"{tree}/register_buffer?target=sub1")
    assert urlsplit(page.url).path == f"{tree}/modules/sub1"
    assert page.form("/register_buffer").get("persistent") == "on"
    reader.get(f"{tree}/nothing", 404)


# Names from outside


@pytest.fixture(scope="module")
def strange(server: LiveServer) -> str:
    """The address of a tree whose every module has a strange name, one below the other and beside."""
    children: dict[str, object] = {name: {"buffers": {name: [1]}} for name in STRANGE}
    root: dict[str, object] = {"children": {**children, "deep": {"children": {name: {} for name in STRANGE}}}}
    return Reader(server.client).open_tree({"kind": "linear", "root": root, "seed": 0}, "<script>alert(1)</script>")


@pytest.mark.parametrize("name", STRANGE)
@pytest.mark.parametrize("tab", ["overview", "buffers", "change"])
def test_a_strange_name_has_a_page_and_never_becomes_markup(reader: Reader, strange: str, name: str, tab: str) -> None:
    page = reader.get(f"{strange}/modules/{quoted(name)}?tab={tab}")
    assert not re.search("<b>bold|<script>alert|[\u202e\x00-\x08]", page.response.text)
    assert not any(tag == "b" and given.get("class") == "bold" for tag, given in page.tags)


@pytest.mark.parametrize("name", STRANGE)
def test_forms_reach_a_module_of_any_name(reader: Reader, strange: str, name: str) -> None:
    form = reader.get(f"{strange}/modules/deep.{quoted(name)}?tab=change").form("/register_buffer")
    page = reader.send(form, name="here", value="1")
    assert "here" in page.text
    found = reader.client.get(f"/api{strange}/get_buffer", params={"target": f"deep.{name}.here"})
    assert found.status_code == 200


@pytest.mark.parametrize("name", STRANGE)
def test_a_tensor_of_any_name_is_given_a_value_and_deleted(reader: Reader, strange: str, name: str) -> None:
    page = reader.get(f"{strange}/modules/{quoted(name)}?tab=buffers")
    assert "[9]" in reader.send(page.form("/register_buffer"), value="[9]").text
    assert "Buffers 0" in reader.send(page.form("/delete")).text


@pytest.mark.parametrize("path", ["", "/named_modules", "/named_buffers", "/state_dict", "/repr", "/code", "/summary"])
def test_strange_names_are_shown_safely_in_every_view(reader: Reader, strange: str, path: str) -> None:
    html = reader.get(f"{strange}{path}").response.text
    assert not re.search("<b>bold|<script>alert|\u202e", html)


def quoted(name: str) -> str:
    return "".join(f"%{byte:02X}" for byte in name.encode())


# Large trees


def test_the_page_of_a_hundred_thousand_modules_is_small(reader: Reader) -> None:
    tree = reader.open_tree({"kind": "grid", "branching": 10, "depth": 5, "seed": 0})
    for path in (
        "",
        "/modules/sub3.sub4.sub5",
        "/modules/sub10.sub10.sub10.sub10.sub10",
        "/named_parameters",
        "/named_modules",
    ):
        page = reader.get(f"{tree}{path}")
        assert len(page.response.content) < 300_000
    assert "111,111" in page.text


def test_twenty_thousand_levels_down_there_still_is_a_page_and_its_forms_work(reader: Reader) -> None:
    tree = reader.open_tree({"kind": "grid", "branching": 1, "depth": 20_000, "seed": 0})
    page = reader.get(f"{tree}?row=15000&tab=change")
    assert len(page.response.content) < 300_000
    done = reader.send(page.form("/register_buffer"), name="deep", value="[1]")
    assert "deep" in done.text
    stale = reader.send(page.form("/register_buffer"), 412, name="deeper", value="[1]")
    assert "revision" in stale.text
    for path in ("/repr", "/code", "/summary", "/named_modules", "/named_buffers"):
        assert len(reader.get(f"{tree}{path}").response.content) < 600_000


def test_a_large_tree_can_be_gone_through_by_target(reader: Reader) -> None:
    tree = reader.open_tree({"kind": "grid", "branching": 10, "depth": 3, "seed": 0})
    page = reader.send(reader.get(tree).form("/search"), q="sub7.sub8")
    assert page.links["Open sub7.sub8"] == f"{tree}/modules/sub7.sub8"
    assert "Open sub99" not in reader.send(page.form("/search"), q="sub99").links
    assert urlsplit(reader.get(f"{tree}/select?target=sub7.sub8").url).path == f"{tree}/modules/sub7.sub8"


def test_thousands_of_siblings_are_paged(reader: Reader) -> None:
    tree = reader.open_tree({"kind": "grid", "branching": 3_000, "depth": 1, "seed": 0})
    page = reader.get(tree)
    assert "(sub1–sub3000) 3,000 × LinearModel" in page.text
    (turn,) = [given for _, given in page.tags if "data-tree-turn" in given]
    page = reader.get(str(turn["href"]))
    assert len(page.response.content) < 300_000
    following = reader.get(page.links["2,800 more, next 200"])
    assert "sub201" in following.text
    assert "sub401" not in following.text


# Runs


def test_hyperparameters_that_do_not_fit_come_back_in_the_form(reader: Reader, tree: str) -> None:
    form = reader.get(tree).form("/runs")
    page = reader.send(form, 422, epochs="ten", lr="-", count="5")
    assert "expected a whole number, got 'ten'" in page.text
    assert page.form("/runs").get("count") == "5"
    assert "expected from 1 to" in reader.send(form, 422, epochs="0").text


def test_a_run_is_started_shown_and_listed(reader: Reader, tree: str) -> None:
    page = reader.send(reader.get(tree).form("/runs"), epochs="20", lr="0.001", seed="1")
    run = run_of(page)
    reader.follow(run)
    shown = reader.get(f"/runs/{run}")
    assert "20 of 20 done" in shown.text
    assert "SGD, lr 0.001" in shown.text
    assert any(tag == "path" and given.get("class") == "chart-line" for tag, given in shown.tags)
    assert run in str(reader.get(f"/runs?tree={tree.removeprefix('/trees/')}").links.values())
    assert run in reader.get(f"/runs/{run}/epochs").response.text


def test_epochs_are_paged_and_downloaded(reader: Reader, tree: str) -> None:
    run = reader.train(tree, epochs=250, lr=0.001)
    page = reader.get(f"/runs/{run}/epochs?limit=100")
    second = reader.get(page.links["Next page"])
    assert re.search(r"\b199\b", second.text)
    assert "epoch loss change slope intercept 100 " in second.text
    csv = reader.client.get(f"/runs/{run}/epochs.csv")
    assert csv.text.splitlines()[0] == "epoch,loss,at,slope,intercept,validation_loss,lr"
    assert len(csv.text.splitlines()) == 251


def test_a_run_is_paused_resumed_and_cancelled_by_buttons(reader: Reader, tree: str) -> None:
    page = reader.send(reader.get(tree).form("/runs"), epochs="5000000", lr="1e-9")
    run = run_of(page)
    running = reader.get(f"{tree}?run={run}")
    paused = reader.send(running.form("/pause"))
    assert "paused" in paused.text
    running = reader.send(paused.form("/resume"))
    cancelled = reader.send(running.form("/cancel"))
    assert "cancelled" in cancelled.text
    assert urlsplit(cancelled.url).path == tree
    assert "/cancel" not in str([form.action for form in cancelled.forms])
    reader.send(reader.get(f"/runs/{run}").form("/delete"))
    reader.get(f"/runs/{run}", 404)


def test_the_result_for_a_tree_that_moved_on_is_applied_by_a_button(reader: Reader, tree: str) -> None:
    run = run_of(reader.send(reader.get(tree).form("/runs"), epochs="20000", lr="0.001"))
    reader.send(reader.get(f"{tree}?tab=change").form("/add_module"), name="meanwhile")
    reader.follow(run)
    page = reader.get(f"/runs/{run}")
    assert "The tree was changed meanwhile: the parameters stay with the run." in page.text
    assert "Its parameters became revision" in reader.send(page.form("/apply")).text


def test_the_prediction_box_answers_and_says_what_is_no_number(reader: Reader, tree: str) -> None:
    form = reader.get(tree).form("/forward")
    assert "5." in reader.send(form, x="5").text
    assert "[[1.], [2.]]" in reader.send(form, x="[[1], [2]]").text
    wrong = reader.send(form, 422, x="ten")
    assert "expected a number or nested lists of numbers, got 'ten'" in wrong.text
    assert wrong.form("/forward").get("x") == "ten"


def test_past_runs_are_drawn_over_the_one_that_is_open(reader: Reader, tree: str) -> None:
    first = reader.train(tree, lr=0.001)
    reader.train(tree, lr=0.002)
    third = reader.train(tree)
    page = reader.get(tree)
    assert [given["d"] is not None for _, given in page.tags if given.get("class") == "chart-other"] == [True, True]
    assert "#1, lr 0.001" in page.text
    chosen = reader.get(f"{tree}?run={third}&runs={first}")
    assert len([given for _, given in chosen.tags if given.get("class") == "chart-other"]) == 1
    assert not [given for _, given in reader.get(f"{tree}?runs=none").tags if given.get("class") == "chart-other"]


def test_what_stands_around_a_tree_is_to_be_had_alone(reader: Reader, tree: str) -> None:
    run = reader.train(tree)
    page = reader.get(f"{tree}/parts?run={run}&target=sub1")
    areas = {given["data-swap-area"] for _, given in page.tags if "data-swap-area" in given}
    assert areas == {"crumbs", "facts", "dock", "strip", "insights", "start", "fit", "epochs"}
    assert any(given.get("data-revision") == "2" for _, given in page.tags)
    assert page.form("/undo").action.endswith("/undo?target=sub1")
    reader.get("/trees/t_nothere/parts", 404)


def test_a_run_that_goes_on_elsewhere_is_said(reader: Reader, tree: str) -> None:
    other = reader.open_tree(LINEAR, "elsewhere")
    run = run_of(reader.send(reader.get(other).form("/runs"), epochs="5000000", lr="1e-9"))
    assert any(given.get("data-live-run") == run for _, given in reader.get(tree).tags)
    reader.client.post(f"/api/runs/{run}/cancel")
    assert not any(given.get("data-live-run") == run for _, given in reader.get(tree).tags)


def test_losses_that_grow_past_every_number_are_said_by_their_words(reader: Reader, tree: str) -> None:
    run = reader.train(tree, epochs=30, lr=9.0)
    page = reader.get(f"{tree}?run={run}")
    assert "inf at" in page.text
    assert "nan" in page.text


def test_a_run_of_another_tree_is_not_shown_on_this_one(reader: Reader, tree: str) -> None:
    other = reader.open_tree(LINEAR)
    run = reader.train(other)
    assert "No runs on this tree yet" in reader.get(f"{tree}?run={run}").text
    reader.get(f"{tree}?run=r_nothere", 404)


def test_a_tree_without_a_gradient_cannot_be_trained_and_says_so(reader: Reader, tree: str) -> None:
    reader.send(reader.get(tree).form("/requires_grad_"))
    page = reader.get(tree)
    assert "None on this tree: no parameter of it requires a gradient." in page.text
    assert not any(form.action.endswith("/runs") for form in page.forms)


# All pages


def test_no_page_has_an_inline_script_style_or_handler(reader: Reader, tree: str) -> None:
    run = reader.train(tree)
    for path in (
        "/",
        "/trees",
        "/trees/new",
        "/runs",
        f"/runs/{run}",
        tree,
        f"{tree}?tab=change",
        f"{tree}/named_modules",
    ):
        page = reader.get(path)
        for tag, given in page.tags:
            assert tag != "style", path
            assert tag != "script" or given.get("src"), path
            assert not any(name == "style" or name.startswith("on") for name in given), (path, tag)


def test_every_page_has_one_heading_of_the_first_rank_a_title_and_a_way_past_the_bar(reader: Reader, tree: str) -> None:
    run = reader.train(tree)
    paths = ["/", "/trees", "/trees/new", "/runs", f"/runs/{run}", f"/runs/{run}/epochs", tree, f"{tree}/named_modules"]
    for path in paths:
        page = reader.get(path)
        assert [tag for tag, _ in page.tags].count("h1") == 1, path
        assert page.links["Skip to the content"] == "#main"


def test_every_input_has_a_label(reader: Reader, tree: str) -> None:
    for path in (
        "/trees/new",
        "/trees/new?kind=spec",
        "/trees/new?kind=grid",
        f"{tree}?tab=change",
        f"{tree}/named_parameters",
    ):
        page = reader.get(path)
        labels = {given.get("for") for tag, given in page.tags if tag == "label"}
        for tag, given in page.tags:
            if tag in ("input", "select", "textarea") and given.get("type") != "hidden":
                inside = "lens-field" in page.response.text and "id" not in given
                assert given.get("id") in labels or given.get("aria-label") or inside, (path, given)


def test_unknown_queries_are_answered_with_a_page_that_says_so(reader: Reader, tree: str) -> None:
    assert "tab: expected one of overview" in reader.get(f"{tree}?tab=nope", 422).text
    assert "kind: expected one of linear" in reader.get("/trees/new?kind=nope", 422).text
    for path in (
        f"{tree}?row=99999",
        f"{tree}/named_modules?limit=0",
        f"{tree}/named_modules?cursor=x",
        "/trees?cursor=x",
    ):
        reader.get(path, 422)


def test_pages_answer_head_as_they_answer_get(server: LiveServer, tree: str) -> None:
    for path in (
        "/",
        "/trees",
        "/trees/new",
        "/runs",
        tree,
        f"{tree}/modules/sub1",
        f"{tree}/named_modules",
        f"{tree}/repr",
    ):
        answer = server.client.head(path, headers=HTML)
        assert (answer.status_code, answer.content) == (200, b""), path


def test_a_program_that_asks_for_a_page_that_is_not_there_gets_a_problem(server: LiveServer) -> None:
    found = server.client.get("/trees/t_nothere")
    assert found.headers["content-type"] == "application/problem+json"
    assert server.client.get("/trees/t_nothere", headers=HTML).headers["content-type"].startswith("text/html")
