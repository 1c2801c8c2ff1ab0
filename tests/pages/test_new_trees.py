"""Every way to a new tree, scripts off: what its form opens, and what comes back when it is refused."""

import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from safetensors.torch import save
from torch import ones

from app.pages.new_config import blank
from app.pages.new_desk import Asked, Desk
from app.pages.templating import render
from app.settings import Settings
from tests.live import LiveServer
from tests.pages.reader import HTML, Page, Reader

ODD = "tests.trees.sources.odd_models"
STATE = save({"fc.weight": ones(3, 2), "fc.bias": ones(3)})


@pytest.fixture
def reader(generous: LiveServer) -> Reader:
    """The server that may import and open what the others may not."""
    return Reader(generous.client)


def factory_page(reader: Reader, target: str) -> Page:
    return reader.get(f"/trees/new?kind=factory&target={target}")


def arguments(**typed: str) -> dict[str, str | None]:
    return {f"arg.{name}": text for name, text in typed.items()}


def facts(reader: Reader, page: Page) -> dict[str, object]:
    """The tree that a page is of."""
    found: dict[str, object] = reader.client.get(f"/api{urlsplit(page.url).path}").json()
    return found


def sent_files(reader: Reader, action: str, files: list[tuple[str, bytes]], **fields: str) -> Page:
    """The page that is answered to files chosen in a form, redirects followed."""
    name = "file"
    answer = reader.client.post(
        action,
        files=[(name, each) for each in files],
        data=fields,
        headers={**HTML, "origin": reader.origin},
        follow_redirects=True,
    )
    return Page(answer)


# Factories


def test_each_way_is_a_link_on_every_form_and_on_the_first_page(reader: Reader) -> None:
    ways = {f"/trees/new?kind={kind}" for kind in ("linear", "factory", "config", "checkpoint")}
    assert ways <= set(reader.get("/").links.values())
    for kind in ("linear", "spec", "grid", "factory", "config", "checkpoint"):
        assert ways <= set(reader.get(f"/trees/new?kind={kind}").links.values())


@pytest.mark.parametrize("path", ["/factories", "/trees/new?kind=factory"])
def test_factories_are_searched_and_lead_to_their_forms(reader: Reader, path: str) -> None:
    page = reader.send(reader.get(path).forms[0], q="encoder layer")
    assert page.links["TransformerEncoderLayer"] == "/trees/new?kind=factory&target=torch.nn%3ATransformerEncoderLayer"
    assert "TransformerEncoderLayer(d_model, nhead, dim_feedforward=2048" in page.text
    nothing = reader.send(page.forms[0], q="no such thing")
    assert 'Nothing matches "no such thing"' in nothing.text
    assert "Transformer" in reader.get(nothing.links["Clear the search"]).text


def test_the_list_of_factories_is_paged(reader: Reader) -> None:
    page = reader.get("/factories")
    second = reader.get(page.links["Next page"])
    assert not set(page.links) & set(second.links) - {"Next page", *reader.get("/factories?q=zzz").links}


def test_the_form_has_a_field_for_each_argument(reader: Reader) -> None:
    page = factory_page(reader, f"{ODD}:Net")
    form = page.form("/trees")
    names = [name for name, _ in form.fields if name.startswith("arg.")]
    assert names == [f"arg.{name}" for name in ("depth", "width", "kind", "rates", "act", "inner", "more", "word")]
    given = {given.get("name"): given for _, given in page.tags if str(given.get("name", "")).startswith("arg.")}
    assert given["arg.width"]["placeholder"] == "8"
    assert "required" in str(given["arg.depth"]["placeholder"])
    assert "how many layers there are, one after the other." in page.text
    values = [given.get("value") for tag, given in page.tags if tag == "option"]
    assert values[:3] == ["", "thin", "wide"]


def test_a_form_sent_as_it_is_leaves_every_default(reader: Reader) -> None:
    page = reader.send(factory_page(reader, "torch.nn:Transformer").form("/trees"), 200, **arguments(d_model="16"))
    assert facts(reader, page)["source"] == {
        "kind": "factory",
        "target": "torch.nn:Transformer",
        "kwargs": {"d_model": 16},
        "device": "meta",
    }
    assert "torch.nn:Transformer, meta" in page.text


def test_what_is_typed_is_read_as_the_argument_takes_it(reader: Reader) -> None:
    form = factory_page(reader, f"{ODD}:Net").form("/trees")
    inner = '{"target": "torch.nn:Linear", "kwargs": {"in_features": 2, "out_features": 3}}'
    typed = arguments(depth="2", kind="wide", rates="(0.5, 1)", inner=inner, more='{"a": 1}', word="wide")
    source = facts(reader, reader.send(form, 200, name="mine", **typed))["source"]
    assert isinstance(source, dict)
    assert source["kwargs"] == {
        "depth": 2,
        "kind": "wide",
        "rates": [0.5, 1],
        "inner": {"target": "torch.nn:Linear", "kwargs": {"in_features": 2, "out_features": 3}},
        "more": {"a": 1},
        "word": "wide",
    }


def test_many_arguments_are_a_list_and_further_names_an_object(reader: Reader) -> None:
    form = factory_page(reader, f"{ODD}:make_net").form("/trees")
    source = facts(reader, reader.send(form, 200, **arguments(sizes="[1, 2]", options='{"bias": true}')))["source"]
    assert isinstance(source, dict)
    assert source["kwargs"] == {"sizes": [1, 2], "bias": True}


def test_all_that_is_wrong_stands_at_its_field_and_nothing_is_lost(reader: Reader) -> None:
    form = factory_page(reader, f"{ODD}:Net").form("/trees")
    inner = '{"target": "torch.nn:Linear", "kwargs": {"in_features": "two"}}'
    typed = arguments(depth="ten", width="1.5", more="{", inner=inner)
    page = reader.send(form, 422, name="mine", **typed)
    for said in (
        "expected an integer, got 'ten'",
        "expected an integer, got 1.5",
        "This is not JSON",
        "kwargs.in_features: expected an integer, got 'two'",
        "kwargs.out_features: expected an integer: it has no default",
    ):
        assert said in page.text
    again = page.form("/trees")
    assert {name: again.get(name) for name in typed} == typed
    assert again.get("name") == "mine"
    invalid = [given["name"] for _, given in page.tags if given.get("aria-invalid")]
    assert invalid == ["arg.depth", "arg.width", "arg.inner", "arg.more"]


def test_what_needs_values_is_built_on_the_cpu_with_one_click(reader: Reader) -> None:
    page = reader.send(factory_page(reader, f"{ODD}:asks_for_values").form("/trees"), 422, name="kept")
    assert "it needs the values of a tensor while it is built" in page.text
    assert "Build it on the CPU" in page.text
    built = reader.send(page.form("/trees"), build_on="cpu")
    assert "Sequential" in built.text
    assert facts(reader, built)["name"] == "kept"


def test_what_is_too_large_for_the_cpu_is_built_on_meta_with_one_click(reader: Reader) -> None:
    form = factory_page(reader, f"{ODD}:large").form("/trees")
    page = reader.send(form, 413, device="cpu", **arguments(size="30000"))
    assert "the limit here is 500,000,000" in page.text
    assert page.form("/trees").get("device") == "cpu"
    assert "900,030,000" in reader.send(page.form("/trees"), build_on="meta").text


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [
        ("raises", 422, "raises raised KeyError: 'no such thing'"),
        ("lies", 422, "returned int, expected a torch.nn.Module"),
        ("crashes", 409, "was ended by signal"),
        ("contains_itself", 409, "contains itself"),
    ],
)
def test_what_fails_while_it_is_built_is_told_on_the_form(reader: Reader, name: str, status: int, says: str) -> None:
    page = reader.send(factory_page(reader, f"{ODD}:{name}").form("/trees"), status, name="mine")
    assert says in page.text
    assert page.form("/trees").get("name") == "mine"


def test_a_target_that_is_not_in_the_table_leads_to_the_list_and_the_option(reader: Reader) -> None:
    page = reader.get("/trees/new?kind=factory&target=os:system", 403)
    assert "--allow-import os adds it." in page.text
    assert "Transformer" in page.links
    assert "--allow-import" in reader.post("/trees", [("kind", "factory"), ("target", "os:system")], 403).text


# Configs


def test_an_example_is_one_link_and_one_button_away(reader: Reader) -> None:
    page = reader.get("/trees/new?kind=config")
    for key, count in (("gpt2", 124_439_808), ("bert-base", 109_482_240), ("llama-405b", 405_853_388_800)):
        filled = reader.get(f"/trees/new?kind=config&example={key}")
        assert f"/trees/new?kind=config&example={key}" in page.links.values()
        tree = sent_files(reader, "/trees", [], **dict(filled.form("/trees").fields))
        assert facts(reader, tree)["num_parameters"] == count


def test_a_config_is_sent_as_a_file(reader: Reader) -> None:
    config = b'{"model_type": "gpt2", "n_layer": 1}'
    page = sent_files(reader, "/trees", [("config.json", config)], kind="config", config="", architecture="GPT2Model")
    assert facts(reader, page)["class_name"] == "GPT2Model"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"model_type": ', "The config is not JSON"),
        ("", "paste a config.json here, or choose the file"),
        ("[1]", "expected the object of a config.json, got a list of 1"),
        ('{"model_type": "gptt2"}', "did you mean 'gpt2'"),
        ('{"model_type": "gpt2", "n_layer": 10000000}', "n_layer: expected at most 250,000"),
        ('{"model_type": "gpt2", "n_head": 7}', "must be divisible by num_heads"),
    ],
)
def test_what_is_wrong_with_a_config_is_told_and_its_text_kept(reader: Reader, text: str, says: str) -> None:
    page = sent_files(reader, "/trees", [], kind="config", config=text, name="mine")
    assert page.status == 422
    assert says in page.text
    assert (page.form("/trees").get("config"), page.form("/trees").get("name")) == (text, "mine")


def test_the_text_of_a_refused_file_is_in_the_field(reader: Reader) -> None:
    page = sent_files(reader, "/trees", [("config.json", b'{"model_type": "no"}')], kind="config", config="")
    assert page.form("/trees").get("config") == '{"model_type": "no"}'
    page = sent_files(reader, "/trees", [("config.json", b"\xff\xfe")], kind="config", config="kept")
    assert "'config.json' is not text in UTF-8" in page.text
    assert page.form("/trees").get("config") == "kept"


def test_without_transformers_one_line_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    desk = Desk(None, None, Settings(data_dir=tmp_path), "http://127.0.0.1:8000")  # type: ignore[arg-type]
    text = render(blank(desk, Asked("config")))
    assert "pip install &#39;moduletree[hf]&#39;" in text
    assert "<textarea" not in text


# Checkpoints


def test_files_under_the_roots_are_opened_with_one_click(reader: Reader) -> None:
    page = reader.get("/checkpoints")
    assert "gpt2/model.safetensors" in page.text
    opened = reader.post("/trees", [("kind", "checkpoint"), ("path", "big/model.safetensors.index.json")])
    assert facts(reader, opened)["num_parameters"] == 244
    found = reader.get("/trees/new?kind=checkpoint&q=last")
    assert "runs/last.pt" in found.text
    assert "gpt2/model" not in found.text
    assert 'Nothing matches "zzz"' in reader.get("/checkpoints?q=zzz").text


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("broken.safetensors", 422, "its header is said to have 16 bytes"),
        ("nothing.pt", 404, "There is no file"),
        ("/etc/passwd", 403, "--root"),
        ("", 422, "expected the path of a file"),
    ],
)
def test_a_path_that_cannot_be_opened_comes_back_with_the_reason(
    reader: Reader, path: str, status: int, says: str
) -> None:
    page = reader.post("/trees", [("kind", "checkpoint"), ("path", path), ("name", "mine")], status)
    assert says in page.text
    form = next(form for form in page.forms if form.get("path") is not None)
    assert (form.get("path"), form.get("name")) == (path, "mine")


def test_a_checkpoint_is_uploaded_by_its_form(reader: Reader) -> None:
    assert "268,435,456" in reader.get("/trees/new?kind=checkpoint").text
    page = sent_files(reader, "/trees/upload", [("model.safetensors", STATE)], name="mine")
    assert page.status == 200
    assert "model.safetensors, uploaded" in page.text
    assert facts(reader, page)["num_parameters"] == 9


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ([("", b"")], "choose a checkpoint"),
        ([("notes.txt", b"text")], "expected a file that ends in .safetensors"),
        ([("a.safetensors", STATE), ("b.safetensors", STATE)], "expected one checkpoint"),
        ([("model.safetensors", STATE[:20])], "'model.safetensors' is not a safetensors file"),
    ],
)
def test_an_upload_that_cannot_be_opened_comes_back_with_the_reason(
    reader: Reader, files: list[tuple[str, bytes]], says: str
) -> None:
    page = sent_files(reader, "/trees/upload", files, name="mine")
    assert page.status == 422
    assert says in page.text
    assert page.form("/trees/upload").get("name") == "mine"


def test_an_upload_from_another_site_is_refused(reader: Reader) -> None:
    headers = {**HTML, "origin": "http://elsewhere.example"}
    answer = reader.client.post("/trees/upload", files={"file": ("m.safetensors", STATE)}, headers=headers)
    assert answer.status_code == 403


def test_a_server_without_a_root_says_how_to_give_it_one(server: LiveServer) -> None:
    page = Reader(server.client).get("/trees/new?kind=checkpoint")
    assert "start it with --root DIR" in page.text
    assert [form.action.rpartition("/")[2] for form in page.forms] == ["upload"]


# All of them


def test_every_field_has_a_label(reader: Reader) -> None:
    for path in (
        "/trees/new?kind=factory",
        f"/trees/new?kind=factory&target={ODD}:Net",
        "/trees/new?kind=config",
        "/trees/new?kind=checkpoint",
        "/factories",
        "/checkpoints",
        "/",
    ):
        page = reader.get(path)
        labels = {given.get("for") for tag, given in page.tags if tag == "label"}
        for tag, given in page.tags:
            if tag in ("input", "select", "textarea") and given.get("type") not in ("hidden", "search"):
                assert given.get("id") in labels or given.get("aria-label"), (path, given)
        assert [tag for tag, _ in page.tags].count("h1") == 1, path


def test_what_comes_from_outside_never_becomes_markup(reader: Reader) -> None:
    evil = "<b>x</b>\u202e"
    for page in (
        reader.get(f"/factories?q={httpx.QueryParams({'q': evil})['q']}"),
        reader.post("/trees", [("kind", "checkpoint"), ("path", evil)], 404),
        sent_files(reader, "/trees", [], kind="config", config=evil),
        sent_files(reader, "/trees/upload", [("<b>x</b>.txt", b"")]),
        reader.get(f"/trees/new?kind=factory&target={evil}", 403),
    ):
        assert not re.search("<b>x|<b>", page.response.text)
