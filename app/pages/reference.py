"""The API's document in the reader's language: what it says is translated, names and examples stay.

Its sentences have a catalogue of their own, read when the first of its readers comes: no page shows any of them.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from app.translation import catalogue

CATALOGUE = "reference"

_SENTENCES = {"description", "summary"}
# Under these are names, whatever they look like, each with a part of the document.
_NAMED = {"content", "headers", "paths", "properties", "responses", "schemas"}
# What programs send and get.
_KEPT = {"const", "default", "enum", "example", "mapping", "value"}


def told(part: Any, say: Callable[[str], str]) -> Any:
    """Return a part of the document with each of its sentences as `say` has it."""
    if isinstance(part, list):
        return [told(each, say) for each in part]
    return {key: _told(key, value, say) for key, value in part.items()} if isinstance(part, dict) else part


def _told(key: str, value: Any, say: Callable[[str], str]) -> Any:
    if key in _SENTENCES and isinstance(value, str):
        return say(value)
    # Those of a schema are values in a list, those of a body stand under names and are told of.
    is_kept = key in _KEPT or (key == "examples" and isinstance(value, list))
    if key in _NAMED or (key == "examples" and not is_kept):
        return {name: told(each, say) for name, each in value.items()}
    return value if is_kept else told(value, say)


def sentences(document: Mapping[str, Any]) -> dict[str, str]:
    """Return every sentence of the document, with the first operation or schema that says it."""
    found = dict.fromkeys(_tags(document), "tags")
    for place, part in _parts(document):
        _note(part, place, found)
    return found


def _note(part: Any, place: str, found: dict[str, str]) -> None:
    told(part, lambda sentence: found.setdefault(sentence, place))


def _parts(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for item in document["paths"].values():
        yield from ((operation["operationId"], operation) for operation in item.values())
    components = document["components"]
    yield from components["schemas"].items()
    yield "components", {**components, "schemas": {}}


def _tags(document: Mapping[str, Any]) -> list[str]:
    operations = (operation for item in document["paths"].values() for operation in item.values())
    return list(dict.fromkeys(tag for operation in operations for tag in operation["tags"]))


def in_language(document: dict[str, Any], code: str) -> dict[str, Any]:
    """Return the document in a language that has a catalogue.

    A tag keeps its name, which stands in addresses within the page; what it is called goes where Redoc looks for it.
    """
    words = {str(message.id): str(message.string) for message in catalogue(code, CATALOGUE) if message.id}

    def say(sentence: str) -> str:
        return words.get(sentence, sentence)

    tags = [{"name": tag, "x-displayName": say(tag)} for tag in _tags(document)]
    return {**told(document, say), "tags": tags}
