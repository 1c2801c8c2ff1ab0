"""The builder with scripts switched off: each row a form, each form one revision, back at the row."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.live import LiveServer
from tests.pages.reader import Page, PageForm, Reader

SPEC = {
    "weight": 0.5,
    "bias": 1,
    "buffers": {"buf": [4]},
    "children": {"a": {"children": {"x": {}}}, "b": {"weight": 0.1}},
}


@pytest.fixture
def reader(server: LiveServer) -> Reader:
    """A reader of the shared server."""
    return Reader(server.client)


@pytest.fixture
def tree(reader: Reader) -> str:
    """The address of a tree of four modules."""
    return reader.open_tree({"kind": "linear", "root": SPEC, "seed": 0}, "built")


def row(page: Page, number: int) -> PageForm:
    """The form of a row, in pre-order."""
    return [form for form in page.forms if urlsplit(form.action).path.endswith("/build")][number]


def names(reader: Reader, tree: str) -> list[str]:
    return [item["name"] for item in reader.client.get(f"/api{tree}/named_modules").json()["items"]]


def revision(reader: Reader, tree: str) -> int:
    found: int = reader.client.get(f"/api{tree}").json()["revision"]
    return found


def at(page: Page) -> str:
    """The row that the address of a page names."""
    return parse_qs(urlsplit(page.url).query).get("row", ["0"])[0]


def test_every_button_is_one_revision_and_leads_back_to_its_row(reader: Reader, tree: str) -> None:
    page = reader.get(f"{tree}/build")
    steps = [
        (1, "child", ["", "a", "a.x", "a.x2", "b"], "3"),
        (3, "up", ["", "a", "a.x2", "a.x", "b"], "2"),
        (2, "out", ["", "a", "a.x", "x2", "b"], "3"),
        (3, "down", ["", "a", "a.x", "b", "x2"], "4"),
        (4, "in", ["", "a", "a.x", "b", "b.x2"], "4"),
        (1, "duplicate", ["", "a", "a.x", "a2", "a2.x", "b", "b.x2"], "3"),
        (3, "remove", ["", "a", "a.x", "b", "b.x2"], "1"),
        (3, "sibling", ["", "a", "a.x", "b", "b.x2", "b2"], "5"),
        (0, "child", ["", "a", "a.x", "b", "b.x2", "b2", "b3"], "6"),
    ]
    for number, (place, act, expected, at_row) in enumerate(steps, start=2):
        page = reader.send(row(page, place), act=act)
        assert names(reader, tree) == expected
        assert (revision(reader, tree), at(page)) == (number, at_row)
    for _ in steps:
        page = reader.send(page.form("/build/undo"))
    assert names(reader, tree) == ["", "a", "a.x", "b"]
    page = reader.send(page.form("/build/redo"))
    assert names(reader, tree) == steps[0][2]


def test_all_that_was_typed_into_a_row_is_one_revision(reader: Reader, tree: str) -> None:
    form = row(reader.get(f"{tree}/build"), 3)
    assert [form.get(name) for name in ("name", "p0")] == ["b", "0.1"]
    page = reader.send(form, name="renamed", p0="−2.5", p1="7", act="set")
    assert (names(reader, tree)[-1], revision(reader, tree), at(page)) == ("renamed", 2, "3")
    found = {item["name"]: item["values"] for item in reader.client.get(f"/api{tree}/named_parameters").json()["items"]}
    assert (found["renamed.weight"], found["renamed.bias"]) == ([-2.5], [7])
    assert "move('b', 'renamed'); weight.copy_([-2.5]); bias.copy_([7])" in page.text
    assert "LinearModel(weight=-2.5, bias=7.0)" in page.text
    reader.send(row(page, 3), act="set")
    assert revision(reader, tree) == 2


def test_a_buffer_is_edited_in_place(reader: Reader, tree: str) -> None:
    form = row(reader.get(f"{tree}/build"), 0)
    assert form.get("b0") == "4"
    reader.send(form, b0="5", act="set")
    assert reader.client.get(f"/api{tree}/get_buffer?target=buf").json()["values"] == [5]
    refused = reader.send(row(reader.get(f"{tree}/build"), 0), 422, b0="[1, 2]", act="set")
    assert "expected the shape [1], got [2]" in refused.text


def test_what_is_refused_stands_at_its_row_with_every_problem_and_nothing_lost(reader: Reader, tree: str) -> None:
    form = row(reader.get(f"{tree}/build"), 1)
    page = reader.send(form, 422, name="b", p0="half", p1="[1, 2]", act="duplicate")
    for said in ("attribute 'b' already exists", "got 'half'", "expected the shape [1], got [2]"):
        assert said in page.text
    assert [row(page, 1).get(name) for name in ("name", "p0", "p1")] == ["b", "half", "[1, 2]"]
    assert revision(reader, tree) == 1
    into = reader.send(row(page, 1), 409, name="a", p0=form.get("p0"), p1=form.get("p1"), act="move", above="a.x")
    assert "a module cannot contain itself" in into.text
    assert 'module name can\'t contain ".", got: x.y' in reader.send(form, 422, name="x.y").text


def test_a_form_of_an_older_revision_changes_nothing(reader: Reader, tree: str) -> None:
    form = row(reader.get(f"{tree}/build"), 3)
    reader.client.post(f"/api{tree}/delete", json={"target": "a"})
    page = reader.send(form, 412, act="remove")
    assert "the tree is at revision 2" in page.text
    assert names(reader, tree) == ["", "b"]


def test_a_large_tree_shows_one_module_with_its_children(reader: Reader) -> None:
    tree = reader.open_tree({"kind": "grid", "branching": 20, "depth": 2, "seed": 0})
    page = reader.get(f"{tree}/build")
    assert "This tree has 421 modules" in page.text
    assert "too large for a link" in page.text
    below = reader.get(page.links["20 modules below"])
    assert below.text.count("= LinearModel(") == 21
    page = reader.send(row(below, 2), name="here", act="set")
    assert names(reader, tree)[1:4] == ["sub1", "sub1.sub1", "sub1.here"]
    assert row(page, 2).get("name") == "here"
    page = reader.send(row(reader.get(f"{tree}/build"), 2), act="child")
    assert row(page, 0).get("name") == "sub2"
    assert row(page, 21).get("name") == "sub21"


def test_a_long_buffer_is_spelled_out_nowhere_on_the_page(reader: Reader, tree: str) -> None:
    reader.client.post(f"/api{tree}/register_buffer", json={"name": "long", "value": [0.5] * 30_000})
    page = reader.get(f"{tree}/build")
    assert len(page.text) < 100_000
    assert "This is more than fits here." in page.text


def test_a_tree_that_cannot_be_changed_has_no_builder(reader: Reader) -> None:
    tree = reader.open_tree({"kind": "factory", "target": "torch.nn:ReLU"})
    assert "structure" in reader.get(f"{tree}/build", 409).text
    assert f"{tree}/build" not in reader.get(tree).links.values()


def test_the_workspace_leads_to_the_builder_at_the_module_that_is_selected(reader: Reader, tree: str) -> None:
    links = reader.get(f"{tree}/modules/a.x").links
    page = reader.get(links["Build"])
    assert at(page) == "2"
    assert page.links["To the workspace"].endswith("/modules/a.x")


def test_the_page_has_one_heading_and_every_field_a_label(reader: Reader, tree: str) -> None:
    page = reader.get(f"{tree}/build?row=2")
    assert [tag for tag, _ in page.tags].count("h1") == 1
    assert all(given.get("aria-label") for tag, given in page.tags if tag == "input" and given.get("type") != "hidden")
    focused = [given.get("aria-label") for _, given in page.tags if "autofocus" in given]
    assert focused == ["Name of a.x"]


# Links


def test_the_link_of_a_tree_opens_the_same_tree(reader: Reader, tree: str) -> None:
    form = row(reader.get(f"{tree}/build"), 3)
    page = reader.send(form, p0="0.30000001192092896", act="set")
    preview = reader.get(page.links["Open"])
    assert "What it builds: 4 modules" in preview.text
    assert "b weight 0.3 bias" in preview.text
    again = urlsplit(reader.send(preview.form("/trees")).url).path
    assert again != tree
    for view in ("named_parameters", "named_buffers"):
        items = [reader.client.get(f"/api{each}/{view}").json()["items"] for each in (tree, again)]
        assert items[0] == items[1]
    assert reader.client.get(f"/api{tree}/code").text == reader.client.get(f"/api{again}/code").text


def test_what_a_link_cannot_hold_is_said(reader: Reader, tree: str) -> None:
    reader.client.post(f"/api{tree}/requires_grad_", json={"target": "a", "requires_grad": False})
    reader.client.post(f"/api{tree}/register_parameter", json={"name": "weight2", "value": [2.0]})
    text = reader.get(f"{tree}/build").text
    assert "which parameters are frozen (4)" in text
    assert "parameters beside a weight and a bias of shape [1] and float32 (1)" in text


def test_the_forward_and_the_name_travel_in_the_link(reader: Reader) -> None:
    tree = reader.open_tree({"kind": "linear", "root": {}, "forward": "chain"}, "a & b")
    form = reader.get(reader.get(f"{tree}/build").links["Open"]).form("/trees")
    assert [form.get(name) for name in ("forward", "name")] == ["chain", "a & b"]


def test_the_spec_as_a_file_is_a_linear_spec(reader: Reader, tree: str) -> None:
    answer = reader.client.get(f"{tree}/build/spec.json")
    assert answer.headers["content-disposition"].startswith("attachment")
    found = json.loads(answer.text)
    assert (found["weight"], found["buffers"], list(found["children"])) == (0.5, {"buf": [4]}, ["a", "b"])


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("spec={", 422, "The spec is not JSON"),
        (
            'spec={"weight":"x","children":{"a":{"bias":true}}}',
            422,
            "children.a.bias: expected a number, got a boolean",
        ),
        ('spec={"children":{"a.b":{}}}', 409, 'module name can\'t contain ".", got: a.b'),
        ('spec={"weight":1e39}', 422, "too large for float32"),
        ("spec={}&forward=back", 422, "expected one of own, chain"),
        ("spec=" + '{"children":{"a":' * 400 + "{}" + "}}" * 400, 200, "More modules than a preview shows"),
        ("spec=[]", 422, "expected a LinearSpec"),
        ('spec={"buffers":{"seed":"x"}}', 422, "buffers.seed: expected a number"),
    ],
)
def test_a_spec_from_anybody_is_checked_and_what_is_wrong_stands_at_its_field(
    reader: Reader, query: str, status: int, said: str
) -> None:
    page = reader.get(f"/trees/new?{query}", status)
    assert said in page.text
    assert page.form("/trees").get("spec") == query.removeprefix("spec=").partition("&")[0]


def test_a_preview_leaves_what_is_drawn_to_the_draw(reader: Reader) -> None:
    page = reader.get('/trees/new?spec={"children":{"a":{"weight":2}}}')
    assert "level1 = LinearModel(weight=2.0)" in page.text
    assert "model = LinearModel()" in page.text
    seeded = reader.send(page.form("/trees"), seed="0", preview="1")
    assert "model = LinearModel(weight=0.49625658988952637, bias=0.7682217955589294)" in seeded.text


def test_a_new_tree_leads_to_the_builder_where_that_was_asked_for(reader: Reader) -> None:
    page = reader.send(reader.get("/trees/new").form("/trees"), then="build")
    assert page.url.endswith("/build")
