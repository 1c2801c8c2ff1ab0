"""Pages of trees that are known by their structure only: each says what is not there, and none offers it."""

from urllib.parse import quote

import pytest

from tests.live import LiveServer
from tests.models import ZOO
from tests.pages.reader import Reader

ODD = "tests.trees.sources.odd_models"
WHY = "only its structure is known"
TABS = ("overview", "parameters", "buffers", "children", "repr", "change")
PAGES = (
    "named_modules", "named_parameters", "named_buffers", "named_children", "get_submodule", "state_dict", "repr",
    "code", "summary", "skeleton", "origin", "folded", "shapes", "receipt", "search",
)  # fmt: skip


@pytest.fixture
def reader(generous: LiveServer) -> Reader:
    """The server that may import and open what the others may not."""
    return Reader(generous.client)


@pytest.fixture
def checkpoint(reader: Reader) -> str:
    """The page of a tree that a file's keys spell."""
    return reader.open_tree({"kind": "checkpoint", "path": "gpt2/model.safetensors"})


@pytest.fixture
def gpt2(reader: Reader) -> str:
    """The page of a GPT-2 of two blocks."""
    config = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_layer": 2}
    return reader.open_tree({"kind": "config", "config": config}, "gpt2")


@pytest.mark.parametrize("tab", TABS)
def test_no_form_changes_or_trains_it_and_the_page_says_why(reader: Reader, checkpoint: str, tab: str) -> None:
    page = reader.get(f"{checkpoint}/modules/0?tab={tab}")
    assert WHY in page.text
    assert [form.action for form in page.forms if form.method == "post" and "/language" not in form.action] == []


def test_the_tree_itself_is_renamed_and_deleted(reader: Reader, checkpoint: str) -> None:
    page = reader.send(reader.get(f"{checkpoint}?tab=change").form("/rename"), name="mine")
    assert "mine" in page.text
    reader.send(reader.get(f"{checkpoint}?tab=change").form("/delete_tree"))
    reader.get(checkpoint, 404)


def test_a_form_that_is_sent_all_the_same_is_refused_with_a_page(reader: Reader, checkpoint: str) -> None:
    for action, fields in (
        ("forward", [("x", "1")]),
        ("runs", [("epochs", "3")]),
        ("register_buffer", [("name", "b"), ("value", "1")]),
        ("requires_grad_", [("requires_grad", "false")]),
    ):
        assert WHY in reader.post(f"{checkpoint}/{action}", fields, 409).text


def test_there_is_no_program_and_nothing_to_download(reader: Reader, checkpoint: str) -> None:
    assert f"{checkpoint}/code" not in reader.get(checkpoint).links.values()
    code = reader.get(f"{checkpoint}/code")
    assert "Only a tree of LinearModels has a program that rebuilds it." in code.text
    assert not any("/api/" in url and "code" in url for url in code.links.values())
    assert "safetensors" not in reader.get(f"{checkpoint}/state_dict").links


def test_a_class_that_is_not_known_is_a_question_mark_and_one_that_is_inferred_says_so(
    reader: Reader, checkpoint: str
) -> None:
    page = reader.get(checkpoint)
    titles = [given.get("title") for tag, given in page.tags if tag == "abbr"]
    assert set(titles) == {"class not known"}
    assert "3 inferred" in page.links
    assert "Linear inferred" in reader.get(f"{checkpoint}/modules/0").text
    assert "class not known" in reader.get("/").response.text


def test_values_that_are_not_here_say_where_they_are(reader: Reader, checkpoint: str, gpt2: str) -> None:
    page = reader.get(f"{checkpoint}/modules/0")
    assert page.links["Values"].startswith(f"{checkpoint}/values?target=0.")
    assert "Device file values are read when asked for" in page.text
    meta = reader.get(f"{gpt2}/modules/{quote('transformer.h.0.ln_1', safe='')}")
    assert "This tree has no values: it was opened from a config on the meta device." in meta.text
    assert "Device meta shapes, no values" in meta.text
    assert "too many to list" not in page.text + meta.text


def test_the_origin_shows_files_notes_inputs_and_metadata_as_text(reader: Reader, checkpoint: str, gpt2: str) -> None:
    page = reader.get(f"{checkpoint}/origin")
    for said in ("Format safetensors", "odd\\u202ekey", '"name": "<b>x</b>"', "two lines", '"kind": "checkpoint"'):
        assert said in page.text
    assert "<b>x" not in page.response.text
    link = reader.get(f"{gpt2}/origin").links["Trace it"]
    assert link.startswith(f"{gpt2}/trace?input=input_ids%3D1%2C16%3Aint64")
    talks = reader.open_tree({"kind": "factory", "target": f"{ODD}:talks"})
    assert reader.get(talks).links["1 note"] == f"{talks}/origin"
    assert "mind the step" in reader.get(f"{talks}/origin").text


def test_what_is_tied_has_its_badge_and_height_at_its_first_place_only(reader: Reader, gpt2: str) -> None:
    page = reader.get(gpt2)
    assert "tied to wte" in page.text
    assert "+ 38,597,376 − 38,597,376 tied" in page.text
    assert "height at its first place only, not in lm_head." in page.text
    rects = [given for tag, given in page.tags if tag == "rect" and "cell" in str(given.get("class"))]
    assert rects
    assert all(float(str(given["y"]).removesuffix("%")) >= 0 for given in rects)


@pytest.mark.parametrize("name", sorted(ZOO))
def test_no_page_of_an_odd_model_breaks(reader: Reader, name: str) -> None:
    source: dict[str, object] = {
        "kind": "factory",
        "target": f"{ODD}:from_the_zoo",
        "kwargs": {"name": name},
        "device": "cpu",
    }
    tree = reader.open_tree(source)
    listed = reader.client.get(f"/api{tree}/named_modules?limit=4").json()["items"]
    for path in (f"/{page}" for page in PAGES):
        reader.get(f"{tree}{path}")
    for tab in TABS:
        reader.get(f"{tree}?tab={tab}")
    for item in listed[1:]:
        reader.get(f"{tree}/modules/{quote(item['path'], safe='')}")
