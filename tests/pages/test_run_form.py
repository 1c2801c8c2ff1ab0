"""The form of a run without scripts: what a run was asked stands in it, is read back, and is refused at its field."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Invalid, Misfit
from app.pages.data_fields import KINDS
from app.pages.run_form import Around, RunForm, start_form
from app.pages.run_typed import MOST_WATCHED, config_of
from app.training.config import EarlyStopping, RunConfig
from app.training.data import LineData, PolynomialData, SineData, TableData
from app.trees.tutorial import SOURCE
from tests.live import LiveServer
from tests.pages.reader import HTML, Page, Reader
from tests.test_data_api import PEOPLE

numbers = st.floats(-1e6, 1e6)
rows = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=3).map(tuple)
names = st.from_regex(r"[a-z]\w{0,5}", fullmatch=True)
values = st.booleans() | st.none() | st.integers(-99, 99) | numbers | names | st.lists(numbers, min_size=1, max_size=2)
arguments = st.dictionaries(names, values, max_size=3)
datas = st.one_of(
    st.builds(LineData, numbers, numbers, st.integers(1, 99), numbers, st.integers(0, 99)),
    st.builds(PolynomialData, st.lists(numbers, min_size=1, max_size=3).map(tuple), numbers, numbers),
    st.builds(SineData, numbers, numbers, numbers, numbers, numbers, numbers, st.integers(1, 9)),
    st.builds(TableData, rows, rows),
)
configs = st.builds(
    RunConfig,
    epochs=st.integers(1, 99),
    lr=numbers,
    optimizer=st.sampled_from(["SGD", "Adam"]),
    optimizer_args=arguments,
    loss=st.sampled_from(["MSELoss", "L1Loss"]),
    loss_args=arguments,
    lr_scheduler=st.none() | st.just("StepLR"),
    lr_scheduler_args=arguments,
    seed=st.none() | st.integers(0, 99),
    data=datas,
    batch_size=st.none() | st.integers(1, 99),
    shuffle=st.booleans(),
    validation_split=st.floats(0, 0.9),
    early_stopping=st.none() | st.builds(EarlyStopping, st.integers(1, 9), numbers, st.just("validation_loss")),
    frozen=st.lists(st.just("") | names, max_size=2).map(tuple),
    module_stats_every=st.integers(0, 9),
    checkpoint_every=st.integers(0, 9),
    step=st.sampled_from(["autograd", "fused"]),
)


def sent(form: RunForm) -> dict[str, str]:
    """What a browser sends of the form."""
    fields = [*form.fields, form.kind, *(each.field for each in form.data)]
    fields += [field for group in form.more for field in group.fields]
    return {each.name: each.value for each in fields if each.kind != "check" or each.value}


@given(configs, st.sampled_from([3, MOST_WATCHED, MOST_WATCHED + 1]))
def test_what_a_run_was_asked_is_read_back_from_its_form(config: RunConfig, num_modules: int) -> None:
    form = start_form(Around("t_1", num_modules), config)
    assert config_of(sent(form), num_modules) == config


@pytest.mark.parametrize(
    ("typed", "num_modules", "every"),
    [
        ({}, 3, 1),
        ({"epochs": "500"}, 3, 1),
        ({"epochs": "1,000"}, MOST_WATCHED, 2),
        ({"epochs": "1,000,001"}, 3, 2_001),
        ({"epochs": "500"}, MOST_WATCHED + 1, 0),
        ({"module_stats_every": "0"}, 3, 0),
        ({"module_stats_every": "7"}, MOST_WATCHED + 1, 7),
        ({"module_stats_every": " "}, 3, 1),
        ({"epochs": "-1,000"}, 3, 0),
        ({"epochs": "1" + "0" * 30}, 3, 20_000),
    ],
)
def test_statistics_of_modules_are_kept_as_suits_where_nothing_is_typed(
    typed: Mapping[str, str], num_modules: int, every: int
) -> None:
    assert config_of(typed, num_modules).module_stats_every == every


@pytest.mark.parametrize(
    ("typed", "where"),
    [
        ({"epochs": "ten"}, "epochs"),
        ({"optimizer_args": "momentum"}, "optimizer_args"),
        ({"kind": "polynomial", "coefficients": "1, x"}, "coefficients"),
        ({"kind": "table", "table_x": "1\na"}, "table_x"),
        ({"kind": "cubic"}, "kind"),
        ({"patience": "1.5"}, "patience"),
    ],
)
def test_what_cannot_be_read_is_said_at_its_field(typed: Mapping[str, str], where: str) -> None:
    with pytest.raises(Invalid) as caught:
        config_of(typed, 3)
    assert [misfit.loc for misfit in caught.value.errors] == [(where,)]


@pytest.mark.parametrize(
    ("loc", "kind", "name"),
    [
        (("optimizer_args", "momentum"), "line", "optimizer_args"),
        (("lr_scheduler_args", "patience"), "line", "lr_scheduler_args"),
        (("early_stopping", "patience"), "line", "patience"),
        (("data", "x", 0, 1), "table", "table_x"),
        (("data", "y"), "csv", "csv_y"),
        (("data", "upload"), "csv", "upload"),
        (("data", "coefficients", 2), "polynomial", "coefficients"),
        (("data",), "sine", "kind"),
        (("frozen", 1), "line", "frozen"),
        (("step",), "line", "step"),
    ],
)
def test_a_misfit_of_the_config_stands_at_its_field(loc: tuple[str | int, ...], kind: str, name: str) -> None:
    error = Invalid("No.", (Misfit(loc, "no"),))
    form = start_form(Around("t_1", 3), RunConfig()).filled({"kind": kind}, error)
    fields = [*form.fields, form.kind, *(each.field for each in form.data)]
    fields += [field for group in form.more for field in group.fields]
    found = {field.name: field.problem for field in fields if field.problem}
    # Without a file there are no fields for its columns.
    assert found == {name: found.get(name, "")} or name.startswith("csv_")


def test_every_kind_of_data_has_fields() -> None:
    form = start_form(Around("t_1", 3), RunConfig())
    assert {kind for each in form.data for kind in each.kinds} == set(KINDS)


@pytest.fixture
def reader(server: LiveServer) -> Reader:
    return Reader(server.client)


@pytest.fixture
def tree(reader: Reader) -> str:
    return reader.open_tree(SOURCE)


def with_file(reader: Reader, tree: str, content: str, **typed: str) -> Page:
    """The page that is answered to a file."""
    fields = dict(reader.get(tree).form("/runs").fields) | typed
    files = {"file": ("people.csv", content.encode())}
    headers = {**HTML, "origin": reader.origin}
    return Page(reader.client.post(f"{tree}/run_data", data=fields, files=files, headers=headers))


def test_a_file_is_sent_its_columns_chosen_and_a_run_started(reader: Reader, tree: str) -> None:
    page = with_file(reader, tree, PEOPLE, epochs="7", optimizer_args="momentum=0.5")
    form = page.form("/runs")
    assert (page.status, form.get("kind"), form.get("epochs")) == (200, "csv", "7")
    refused = reader.send(form, 422, csv_x="age", csv_y="height")
    assert "row 4, column 'age': no value" in refused.text
    done = reader.send(refused.form("/runs"), csv_x="age", csv_y="height", missing="drop")
    assert "2 rows of people.csv, 2 left out" in done.text
    form = done.form("/runs")
    kept = {"optimizer_args": "momentum=0.5", "csv_x": "age", "csv_y": "height", "missing": "drop"}
    assert {name: form.get(name) for name in kept} == kept


def test_a_file_that_is_no_table_is_said_at_its_field(reader: Reader, tree: str) -> None:
    page = with_file(reader, tree, "a,b\n1\n", epochs="7")
    assert (page.status, page.form("/runs").get("epochs")) == (422, "7")
    assert "expected 2 cells as in the first row, got 1" in page.text


def test_only_a_tree_whose_step_can_be_fused_is_offered_that(reader: Reader, tree: str) -> None:
    assert "fused" in reader.get(tree).text
    linear = {"target": "torch.nn:Linear", "kwargs": {"in_features": 1, "out_features": 1}}
    other = reader.open_tree({"kind": "factory", "device": "cpu", **linear})
    assert "fused" not in reader.get(other).text
    assert reader.send(reader.get(other).form("/runs"), kind="sine").status == 200


def started(reader: Reader, page: Page) -> tuple[dict[str, Any], str | None]:
    """The run that a page leads to, at its end, and the statistic by which the page is coloured."""
    query = httpx.URL(page.url).params
    reader.follow(query["run"])
    return reader.client.get(f"/api/runs/{query['run']}").json(), query.get("heat")


def test_a_run_has_statistics_that_colour_the_tree_by_itself_and_0_means_never(reader: Reader, tree: str) -> None:
    run, heat = started(reader, reader.send(reader.get(tree).form("/runs"), epochs="3"))
    assert (run["config"]["module_stats_every"], run["num_module_stats"], heat) == (1, 3, "gradient_norm")
    form = reader.get(tree).form("/runs")
    assert form.get("module_stats_every") == ""
    run, heat = started(reader, reader.send(form, epochs="3", module_stats_every="0", step="fused"))
    assert (run["config"]["module_stats_every"], heat) == (0, None)
    form = reader.get(tree).form("/runs")
    assert (form.get("module_stats_every"), form.get("step")) == ("0", "fused")
    run, _heat = started(reader, reader.send(form, epochs="1000", module_stats_every=""))
    assert (run["step"], run["num_module_stats"]) == ("fused", 500)


def test_the_tutorials_run_from_the_first_page_has_statistics(reader: Reader) -> None:
    form = next(form for form in reader.get("/").forms if form.get("kind") == "tutorial")
    run, heat = started(reader, reader.send(form))
    assert (run["epochs"], run["num_module_stats"], heat) == (10, 10, "gradient_norm")
