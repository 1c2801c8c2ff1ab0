"""Every word that a person sees is in the Korean catalogue, and nothing else is."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from jinja2 import nodes

from app.assets import TEMPLATES
from app.pages.templating import environment
from app.translation import LANGUAGES, catalogue
from tests.live import ROOT

FOLDERS = ("app", "static/js", "templates")
PLACEHOLDER = re.compile(r"%\((\w+)\)([sr])")
LETTERS = re.compile(r"[A-Za-z]{2,}")
SEEN_ATTRIBUTE = re.compile(r"\s(?:aria-label|title|placeholder|alt|data-label)=\"([^\"]*)\"")
TAG = re.compile(r"<(?:\"[^\"]*\"|[^<>\"])*>|\sdata-[\w-]+(?:=\"[^\"]*\")?", re.DOTALL)
# Where a script gives the page a text that no function made.
WRITTEN = re.compile(
    r"(?:\.(?:textContent|title|placeholder|ariaLabel) = |\"(?:aria-label|title|placeholder)\", )([\"`][^\"`]*[\"`])"
)
# Blocks that stand inside a tag.
IN_TAGS = {"body_class", "main_attributes"}
# What stands in the typeface of code is code.
CODE = re.compile(r"<(?:code|samp|kbd)\b[^<>]*>[^<]*|<\w+[^<>]*\sclass=\"[^\"]*\b(?:name|mono)\b[^\"]*\"[^<>]*>[^<]*")

# What torch, Python, files and programs call themselves is the same in every language.
NAMES = {
    "__metadata__", "API", "api", "apply", "B", "bf16", "bias", "bool", "class", "config.json", "CSV", "Ctrl",
    "Ctrl+K", "device", "dtype", "epoch", "eval", "False", "false", "FLOPs", "folded", "forward", "HTTP", "index",
    "JSON", "json", "kB", "Linear", "loss", "lr", "MAC", "MACs", "model", "Moduletree", "MSELoss", "named_buffers",
    "named_children", "named_modules", "named_parameters", "numel>1e6", "openapi.json", "origin", "parameter",
    "params>1M", "persistent", "pt", "Python", "PyTorch", "receipt", "repr", "requires_grad", "root", "safetensors",
    "SGD", "shape", "shapes", "SI", "skeleton", "state_dict", "sub1", "sub1.sub2_1", "sub1.weight", "target",
    "torch", "torch.rand", "trace", "train", "True", "true", "UTC", "weight",
}  # fmt: skip


@cache
def extracted() -> dict[str, tuple[str, ...]]:
    """All messages of code and pages, each with its forms."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["babel"]
    methods = [(each["pattern"], each["method"]) for each in table["mappings"]]
    options = {
        each["pattern"]: {key: value for key, value in each.items() if key not in {"pattern", "method"}}
        for each in table["mappings"]
    }
    found: dict[str, tuple[str, ...]] = {}
    for _, _, message, _, _ in extract_from_dir(
        ROOT,
        methods,
        options,
        keywords={**DEFAULT_KEYWORDS, "said": None},
        directory_filter=lambda folder: any(
            f"{name}/".startswith(f"{Path(folder).relative_to(ROOT).as_posix()}/")
            or f"{Path(folder).relative_to(ROOT).as_posix()}/".startswith(f"{name}/")
            for name in FOLDERS
        ),
    ):
        forms = (message,) if isinstance(message, str) else tuple(message)
        found[forms[0]] = max(forms, found.get(forms[0], ()), key=len)
    return found


def forms_of(message: Message) -> tuple[str, ...]:
    return tuple(message.id) if isinstance(message.id, list | tuple) else (message.id,)


def translations_of(message: Message) -> tuple[str, ...]:
    return tuple(message.string) if isinstance(message.string, list | tuple) else (message.string or "",)


@cache
def korean() -> Catalog:
    return catalogue("ko")


def test_the_catalogue_holds_exactly_what_code_and_pages_say() -> None:
    known = {forms[0]: forms for message in korean() if (forms := forms_of(message))[0]}
    assert known == extracted()
    assert not korean().obsolete


def test_every_message_is_translated_with_its_variables() -> None:
    for message in korean():
        if message.id:
            assert not message.fuzzy, message.id
            for said in translations_of(message):
                assert said.strip(), message.id
                assert set(PLACEHOLDER.findall(said)) == set(PLACEHOLDER.findall(forms_of(message)[-1])), message.id


def test_korean_ends_as_english_does() -> None:
    for message in korean():
        for said in translations_of(message):
            assert said.endswith((":", "…")) == forms_of(message)[0].endswith((":", "…")), message.id


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_no_word_of_a_template_stands_outside_the_catalogues(path: Path) -> None:
    tree = environment().parse(path.read_text(encoding="utf-8"))
    for block in tree.find_all(nodes.Block):
        if block.name in IN_TAGS:
            block.body = []
    written = "".join(pieces(tree))
    seen = [*SEEN_ATTRIBUTE.findall(written), TAG.sub(" ", CODE.sub(" ", written))]
    assert not [word for text in seen for word in words(text) if word not in NAMES]


def pieces(tree: nodes.Node) -> Iterator[str]:
    """The HTML of a template, with nothing where an expression stands; texts in expressions as they are."""
    yield from (node.data for node in tree.find_all(nodes.TemplateData))
    for node in tree.find_all(nodes.CondExpr):
        for each in (node.expr1, node.expr2):
            if isinstance(each, nodes.Const) and isinstance(each.value, str) and " " in each.value.strip():
                yield f" {each.value} "


def words(text: str) -> Iterator[str]:
    for word in re.split(r"[\s,;:()=&|/]+", re.sub(r"&#?\w+;", " ", text)):
        if LETTERS.search(word):
            yield word.strip(".…\"'!?{}[]<>*")


@pytest.mark.parametrize("path", sorted((ROOT / "static" / "js").rglob("*.js")), ids=lambda path: path.name)
def test_no_script_writes_words_that_stand_outside_the_catalogues(path: Path) -> None:
    code = re.sub(r"\$\{[^}]*\}|\\u\w{4}|Moduletree", "", path.read_text(encoding="utf-8"))
    assert not [text for text in WRITTEN.findall(code) if LETTERS.search(text)]


def test_a_start_in_english_reads_no_catalogue() -> None:
    for path in (ROOT / "app").rglob("*.py"):
        assert not re.search(r"^(?:from|import) babel", path.read_text(encoding="utf-8"), re.MULTILINE), path


def test_every_language_but_english_has_its_catalogue() -> None:
    assert {path.stem for path in (ROOT / "app" / "translations").glob("*.po")} == LANGUAGES.keys() - {"en"}
