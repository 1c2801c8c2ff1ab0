"""New trees from the `config.json` of a Hugging Face model: pasted, chosen as a file, or one of the examples."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from app.errors import Invalid, Misfit, ModuletreeError
from app.pages.calls import posted
from app.pages.config_examples import EXAMPLES, ConfigExample
from app.pages.forms import Field, Form, invalid
from app.pages.new_desk import Asked, Desk, Sent, document_of, name_field, name_of
from app.pages.templating import Context
from app.storage.records import TreeRecord
from app.translation import gettext as _
from app.translation import said
from app.trees.sources.config import WITHOUT, has_transformers

MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ConfigPage(Context):
    """The form for a config; `without` says what the server lacks to open one, "" where it lacks nothing."""

    template: ClassVar[str] = "new_config.html"

    kind: str
    without: str
    form: Form
    example: str
    examples: tuple[ConfigExample, ...]
    curl: str


def blank(desk: Desk, asked: Asked) -> ConfigPage:
    """Return the form, empty or filled with an example."""
    if asked.example and asked.example not in EXAMPLES:
        raise invalid(
            [
                (
                    "example",
                    _("expected one of %(known)s, got %(given)s", known=", ".join(EXAMPLES), given=repr(asked.example)),
                )
            ]
        )
    example = EXAMPLES.get(asked.example)
    return _page(desk, _form(example), asked.example)


def open_tree(desk: Desk, sent: Sent) -> TreeRecord:
    """Return the tree of the config that was pasted or sent as a file; raises what is wrong, at its fields."""
    name, architecture = name_of(sent.typed), sent.typed.get("architecture", "").strip()
    config = document_of("config", _text(sent))
    source = {"kind": "config", "config": config, **({"architecture": architecture} if architecture else {})}
    try:
        return desk.trees.open(source, name)
    except Invalid as error:
        raise Invalid(error.detail, tuple(map(_at_field, error.errors))) from error


def refused(desk: Desk, sent: Sent, error: ModuletreeError) -> ConfigPage:
    """Return the form as it was filled in, a file's text in the field for it, with each problem at its field."""
    return _page(desk, _form(None).refused(_with_file(sent), error), "")


def _page(desk: Desk, form: Form, example: str) -> ConfigPage:
    body = {"source": {"kind": "config", "config": {"model_type": "gpt2"}}}
    curl = posted(desk.origin, "/api/trees", json.dumps(body))
    without = "" if has_transformers() else WITHOUT
    return ConfigPage("config", without, form, example, tuple(EXAMPLES.values()), curl)


def _form(example: ConfigExample | None) -> Form:
    name, text = (example.name, example.text) if example else ("", "")
    fields = (
        replace(name_field(_("as its class")), value=name),
        Field("config", "config.json", text, "long", placeholder='{"model_type": "gpt2", "n_layer": 12, …}', rows=14),
        Field("file", _("or the file"), kind="file", placeholder=".json,application/json"),
        Field(
            "architecture", "architecture", hint=_("its class in transformers; empty: the first of its architectures")
        ),
    )
    return Form("config", "config", "/trees", _("Build it on meta"), fields)


def _text(sent: Sent) -> str:
    file = sent.files.get("file")
    if file is None:
        text = sent.typed.get("config", "")
        if not text.strip():
            raise invalid([("config", _("paste a config.json here, or choose the file"))])
        return text
    if (size := file.size or 0) > MAX_BYTES:
        raise invalid(
            [
                (
                    "file",
                    _(
                        "%(file)s has %(num)s bytes, expected at most %(most)s",
                        file=repr(file.filename),
                        num=f"{size:,}",
                        most=f"{MAX_BYTES:,}",
                    ),
                )
            ]
        )
    try:
        return file.file.read().decode()
    except UnicodeDecodeError:
        raise invalid([("file", _("%(file)s is not text in UTF-8", file=repr(file.filename)))]) from None


def _with_file(sent: Sent) -> Mapping[str, str]:
    file = sent.files.get("file")
    if file is None:
        return sent.typed
    file.file.seek(0)
    try:
        return {**sent.typed, "config": _text(sent)}
    except Invalid:
        return sent.typed


def _at_field(misfit: Misfit) -> Misfit:
    match misfit.loc:
        case ("source", "config", *path) if path:
            return Misfit(("config",), said("%(place)s: %(msg)s", place=".".join(map(str, path)), msg=misfit.msg))
        case ("source", "config" | "architecture" as name):
            return Misfit((name,), misfit.msg)
        case ("source", *_):
            return Misfit((), misfit.msg)
    return misfit
