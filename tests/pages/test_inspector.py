"""The inspector over HTTP: by itself and in its page, its tabs, modules side by side, and what the last form made."""

import re
from typing import Any

import pytest

from tests.live import LiveServer
from tests.pages.reader import HTML, Page, PageForm, Reader

NAMED: dict[str, object] = {
    "weight": 0.5,
    "bias": 1.0,
    "children": {"sub1": {"weight": 2.0, "bias": 3.0, "children": {"sub2_1": {}}}},
}
LINEAR: dict[str, object] = {"kind": "linear", "root": NAMED, "seed": 0}


@pytest.fixture(scope="module")
def reader(server: LiveServer) -> Reader:
    """The shared server, read without scripts."""
    return Reader(server.client)


@pytest.fixture(scope="module")
def tree(reader: Reader) -> str:
    """The address of a tree with a matrix and a line of values, which nobody changes."""
    made = reader.open_tree(LINEAR, "values")
    for method, name, value in (
        ("register_parameter", "kernel", [[float(row * column) for column in range(9)] for row in range(6)]),
        ("register_buffer", "line", [float(at) for at in range(200)]),
    ):
        change(reader, made, method, target="sub1", name=name, value=value)
    return made


@pytest.fixture(scope="module")
def encoder(reader: Reader) -> str:
    """The address of a model on the meta device, which can be traced."""
    kwargs = {"d_model": 8, "nhead": 2, "dim_feedforward": 16, "batch_first": True}
    return reader.open_tree({"kind": "factory", "target": "torch.nn:TransformerEncoderLayer", "kwargs": kwargs}, "enc")


def change(reader: Reader, tree: str, method: str, **body: Any) -> None:
    reader.client.post(f"/api{tree}/{method}", json=body).raise_for_status()


def places(page: Page) -> list[str | None]:
    """Where the buttons to copy stand: what each copies."""
    return [given.get("data-copy") for tag, given in page.tags if tag == "button" and "data-copy" in given]


class TestPart:
    def test_it_is_what_the_page_has_of_the_module_and_nothing_else(self, reader: Reader, tree: str) -> None:
        part = reader.get(f"{tree}/inspector?target=sub1")
        assert [tag for tag, _ in part.tags if tag in ("html", "main", "header")] == []
        assert part.response.text in reader.get(f"{tree}/modules/sub1").response.text

    def test_a_row_is_of_its_revision(self, reader: Reader, tree: str) -> None:
        assert 'data-row="2"' in reader.get(f"{tree}/inspector?row=2&revision=3").response.text
        refused = reader.client.get(f"{tree}/inspector?row=2&revision=2", headers=HTML)
        assert refused.status_code == 412

    def test_it_is_no_operation_of_the_api(self, reader: Reader) -> None:
        assert not [path for path in reader.client.get("/api/openapi.json").json()["paths"] if "inspector" in path]

    def test_the_head_leads_up_and_to_both_neighbours(self, reader: Reader, tree: str) -> None:
        part = reader.get(f"{tree}/inspector?target=sub1.sub2_1")
        assert part.links["sub1"] == f"{tree}/modules/sub1"
        rels = {given.get("rel"): given["href"] for tag, given in part.tags if tag == "a" and given.get("rel")}
        assert rels == {"prev": f"{tree}/modules/sub1"}
        assert f"{reader.origin}{tree}/modules/sub1.sub2_1" in places(part)

    def test_like_places_are_counted_with_the_first_and_the_last(self, reader: Reader) -> None:
        root: dict[str, object] = {"children": {f"h{at}": {"children": {"a": {}}} for at in range(12)}}
        twelve = reader.open_tree({"kind": "linear", "root": root, "seed": 0})
        text = reader.get(f"{twelve}/inspector?target=h3.a").text
        assert re.search(r"Same shape 12 places h0 to h11, shape id [0-9a-f]{6}", text)


class TestValues:
    def test_a_tensor_is_chosen_by_its_name_and_leads_to_its_pages(self, reader: Reader, tree: str) -> None:
        page = reader.get(f"{tree}/modules/sub1?tensor=kernel")
        (glance,) = [given["data-glance"] for _, given in page.tags if "data-glance" in given]
        assert glance == f"{tree}/inspector/values?target=sub1.kernel"
        assert page.links["Heat map"] == f"{tree}/heat_map?target=sub1.kernel"
        assert reader.get(page.links["line"]).links["Statistics"] == f"{tree}/stats?target=sub1.line"

    def test_statistics_and_both_drawings_come_together(self, reader: Reader, tree: str) -> None:
        part = reader.get(f"{tree}/inspector/values?target=sub1.kernel")
        assert "all 54 values, read in" in part.text
        assert "max 40.00" in part.text
        images = [given["alt"] for tag, given in part.tags if tag == "img" and given.get("alt")]
        assert images[0] == "Heat map of sub1.kernel: 6 rows by 9 columns, from 0 to 40."
        line = reader.get(f"{tree}/inspector/values?target=sub1.line")
        assert not [tag for tag, _ in line.tags if tag == "img"]

    def test_a_tree_without_values_says_why_and_asks_for_none(self, reader: Reader, encoder: str) -> None:
        page = reader.get(f"{encoder}/modules/linear1")
        assert "This tree has no values: it was built on the meta device." in page.text
        assert not [given for _, given in page.tags if "data-glance" in given]
        refused = reader.get(f"{encoder}/inspector/values?target=linear1.weight")
        assert "only the structure is known" in refused.text


class TestTrace:
    def test_a_trace_shows_on_every_module_until_the_tree_changes(self, reader: Reader, encoder: str) -> None:
        assert "Output not traced" in reader.get(f"{encoder}/modules/linear1").text
        page = reader.get(f"{encoder}/modules/linear1?tab=trace")
        traced = reader.send(page.form("/linear1"), input="1,5,8", dtype="float32")
        assert "Output [1, 5, 16]" in traced.text
        overview = reader.get(f"{encoder}/modules/linear2").text
        assert "Output [1, 5, 8] for [1, 5, 8], on meta" in overview
        assert "FLOPs 1,280 640 MACs" in overview
        assert "linear1 [1, 5, 16]" in reader.get(f"{encoder}?tab=trace").text

    def test_what_cannot_be_read_comes_back_in_the_form(self, reader: Reader, encoder: str) -> None:
        refused = reader.get(f"{encoder}/inspector?tab=trace&input=1,x", 422)
        assert "expected sizes such as 2,3,224,224" in refused.text
        assert refused.forms[0].get("input") == "1,x"


class TestRuns:
    def test_a_run_says_what_it_made_of_the_modules_own_parameters(self, reader: Reader) -> None:
        made = reader.open_tree({"kind": "linear", "root": NAMED, "seed": 0}, "trained")
        assert "No run has touched this module." in reader.get(f"{made}?tab=runs").text
        reader.train(made, epochs=3)
        text = reader.get(f"{made}?tab=runs").text
        assert "Run 1 succeeded SGD, lr 0.01" in text
        assert "revision 1 became 2" in text
        assert re.search(r"weight \[0\.5000\] → \[\d\.\d+\] bias", text)
        assert (
            "weight [2.] → [2.] unchanged: no gradient reached it" in reader.get(f"{made}/modules/sub1?tab=runs").text
        )


class TestComparing:
    def test_modules_stand_side_by_side_and_what_differs_is_said(self, reader: Reader, tree: str) -> None:
        page = reader.get(f"{tree}/compare?target=sub1&target=sub1.sub2_1")
        assert "2 shapes in 2 modules: what differs is marked." in page.text
        assert "≠ Modules , differs 2 1" in page.text
        assert "Buffers , differs 200 0" in page.text
        assert "kernel , differs [6, 9] float32 mean 10, std" in page.text
        assert "Class LinearModel LinearModel" in page.text

    def test_one_more_is_set_beside_them_and_any_is_left_out(self, reader: Reader, tree: str) -> None:
        page = reader.get(f"{tree}/compare?and=sub1")
        assert page.form("/compare").filled() == [("target", "sub1"), ("and", "")]
        page = reader.send(page.form("/compare"))
        assert {"sub1", "values"} <= set(page.links)
        without = [given["href"] for _, given in page.tags if "data-without" in given]
        assert [str(url) for url in without] == [f"{tree}/compare?target=", f"{tree}/compare?target=sub1"]
        missing = reader.get(f"{tree}/compare?target=sub1&and=nope", 404)
        assert "LinearModel has no attribute `nope`" in missing.text

    def test_equal_shapes_are_said_to_be(self, reader: Reader) -> None:
        twins = reader.open_tree({"kind": "linear", "root": {"children": {"a": {}, "b": {}}}, "seed": 0})
        text = reader.get(f"{twins}/compare?target=a&target=b").text
        assert re.search("The same shape, id [0-9a-f]{6}: class, extra_repr, tensors and children are equal.", text)

    def test_paths_too_long_for_an_address_stand_in_none(self, reader: Reader) -> None:
        chain = reader.open_tree({"kind": "grid", "branching": 1, "depth": 2_000})
        part = reader.get(
            f"{chain}/inspector?row=2000&tab=compare" + "".join(f"&with={row}" for row in range(1990, 1997))
        )
        assert len(part.text) < 100_000

    def test_the_selection_is_compared_in_the_inspector(self, reader: Reader, tree: str) -> None:
        assert "Compare" not in reader.get(f"{tree}/inspector?row=1").links
        part = reader.get(f"{tree}/inspector?row=1&with=0&with=2&tab=compare")
        assert part.links["Compare 3"] == f"{tree}/modules/sub1?tab=compare"
        assert "3 shapes in 3 modules" in part.text


class TestForms:
    @pytest.fixture
    def mine(self, reader: Reader) -> str:
        return reader.open_tree(LINEAR)

    def sent(self, reader: Reader, form: PageForm, status: int = 200, tab: str = "change", **typed: str) -> Page:
        return reader.post(f"{form.action}&part=inspector&tab={tab}", form.filled(**typed), status)

    def test_what_was_made_is_said_with_its_undo(self, reader: Reader, mine: str) -> None:
        form = reader.get(f"{mine}/modules/sub1?tab=change").form("/register_buffer")
        part = self.sent(reader, form, name="buf", value="[4]")
        assert "sub1.register_buffer('buf') made revision 2. Undo" in part.text
        assert not [tag for tag, _ in part.tags if tag == "html"]
        undone = self.sent(reader, part.form("/undo"))
        assert "made revision" not in undone.text
        assert 'data-revision="1"' in undone.response.text

    def test_without_scripts_the_page_says_it_too(self, reader: Reader, mine: str) -> None:
        page = reader.send(reader.get(f"{mine}/modules/sub1").form("/requires_grad_"))
        assert "sub1.requires_grad_(False) made revision 2." in page.text
        again = reader.send(page.form("/undo"))
        assert "made revision" not in again.text

    def test_what_is_refused_comes_back_in_its_own_form(self, reader: Reader, mine: str) -> None:
        page = reader.get(f"{mine}/modules/sub1?tab=parameters")
        form = next(form for form in page.forms if "register_parameter" in form.action and "bias" in form.action)
        part = self.sent(reader, form, 422, "parameters", value="[1, x]")
        (again,) = [form for form in part.forms if form.get("value") == "[1, x]"]
        assert again.action.endswith("name=bias")
        assert 'data-tab="parameters"' in part.response.text
