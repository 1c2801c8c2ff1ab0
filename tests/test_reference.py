"""The API's document in Korean: every sentence, and nothing but the sentences."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from babel.messages.catalog import Catalog

from app.korean import has_korean, particled
from app.main import create_app
from app.pages.reference import CATALOGUE, sentences, told
from app.settings import Settings
from app.translation import CATALOGUES, LANGUAGES, catalogue
from tests.live import LiveServer

CODE = re.compile(r"`[^`]+`")
EXAMPLES = {"const", "default", "enum", "example", "value"}


@cache
def document() -> dict[str, Any]:
    return create_app(Settings()).openapi()


@cache
def korean() -> Catalog:
    return catalogue("ko", CATALOGUE)


def translations() -> Iterator[tuple[str, str]]:
    return ((str(message.id), str(message.string)) for message in korean() if message.id)


def test_the_catalogue_holds_exactly_what_the_document_says() -> None:
    assert {english for english, _ in translations()} == sentences(document()).keys()
    assert not korean().obsolete


def test_every_sentence_is_translated_with_its_names() -> None:
    for message in korean():
        assert not message.fuzzy, message.id
    for english, said in translations():
        assert has_korean(said) or not CODE.sub("", english).strip("."), english
        assert said == said.strip() == particled(said), english
        assert sorted(CODE.findall(said)) == sorted(CODE.findall(english)), english
        assert said.count("\n\n") == english.count("\n\n"), english
        assert said.endswith(".") == english.endswith("."), english


def test_every_language_but_english_has_a_reference() -> None:
    assert {path.stem for path in (CATALOGUES / CATALOGUE).glob("*.po")} == LANGUAGES.keys() - {"en"}


def test_names_and_examples_are_no_sentences() -> None:
    part = {
        "summary": "A tree",
        "properties": {
            "summary": {"description": "Its table", "default": {"summary": "kept"}},
            "value": {"description": "A number", "examples": [{"summary": "kept"}]},
        },
        "examples": {"description": {"summary": "A small one", "value": {"description": "kept"}}},
        "items": [{"description": "A module", "const": "kept"}, "kept"],
    }
    assert told(part, str.upper) == {
        "summary": "A TREE",
        "properties": {
            "summary": {"description": "ITS TABLE", "default": {"summary": "kept"}},
            "value": {"description": "A NUMBER", "examples": [{"summary": "kept"}]},
        },
        "examples": {"description": {"summary": "A SMALL ONE", "value": {"description": "kept"}}},
        "items": [{"description": "A MODULE", "const": "kept"}, "kept"],
    }


def differences(one: Any, other: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Where two documents differ, with what the other has there."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key in one:
            yield from differences(one[key], other[key], (*path, key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (each, its) in enumerate(zip(one, other, strict=True)):
            yield from differences(each, its, (*path, str(number)))
    elif one != other:
        yield path, other


def test_who_reads_korean_is_told_the_same_in_korean(server: LiveServer) -> None:
    english = server.client.get("/api/openapi.json", headers={"accept-language": "ko"}).json()
    answer = server.client.get("/docs/openapi.json", headers={"accept-language": "ko"})
    in_korean = answer.json()
    tags = {each["name"]: each["x-displayName"] for each in in_korean.pop("tags")}
    assert all(map(has_korean, tags.values()))
    assert tags.keys() == {tag for item in english["paths"].values() for each in item.values() for tag in each["tags"]}
    changed = dict(differences(english, in_korean))
    assert len(changed) > 1_000
    for path, said in changed.items():
        assert path[-1] in {"summary", "description"}, path
        assert EXAMPLES.isdisjoint(path) or "properties" in path, path
        assert has_korean(said), path


@pytest.mark.parametrize("code", ["en", "ko"])
def test_the_answer_says_in_which_language_it_is(server: LiveServer, code: str) -> None:
    headers = {"accept-language": code}
    answer = server.client.get("/docs/openapi.json", headers=headers)
    assert answer.headers["content-language"] == code
    assert {"Accept-Language", "Cookie"} <= {each.strip() for each in answer.headers["vary"].split(",")}
    again = server.client.get("/docs/openapi.json", headers={**headers, "if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_who_reads_english_is_told_what_programs_are_told(server: LiveServer) -> None:
    assert server.client.get("/docs/openapi.json").json() == server.client.get("/api/openapi.json").json()
