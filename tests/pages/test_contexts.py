"""Each page's template gets exactly its Context: no name that is not there, no field that nobody uses."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
from jinja2 import meta

import app.main  # noqa: F401 (imports every page)
from app.assets import TEMPLATES
from app.pages.templating import Context, environment

GLOBALS = {"LANGUAGES", "_", "gettext", "language", "module_url", "ngettext", "words_url"}


def contexts() -> list[type[Context]]:
    return sorted(Context.__subclasses__(), key=lambda context: context.__name__)


def parts_of(template: str) -> set[str]:
    """A template and all that it extends, includes or imports."""
    todo, seen = [template], set[str]()
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            found = meta.find_referenced_templates(environment().parse(source_of(name)))
            todo += [each for each in found if each is not None]
    return seen


def source_of(template: str) -> str:
    return (TEMPLATES / template).read_text(encoding="utf-8")


def used_in(template: str) -> set[str]:
    """The names that a template and its parts take from outside."""
    return {
        name
        for part in parts_of(template)
        for name in meta.find_undeclared_variables(environment().parse(source_of(part)))
    }


def handed_in(template: str) -> set[str]:
    """The names that a template or a part of it gives to another: macros, and what stands in a `with`."""
    given: set[str] = set()
    for part in parts_of(template):
        for names in re.findall(r'{% from "[^"]+" import ([^%]+) %}', source_of(part)):
            given |= {name.strip() for name in names.split(",")}
        for pairs in re.findall(r"{% with ([^%]+) %}", source_of(part)):
            given |= {pair.split("=")[0].strip() for pair in pairs.split(",")}
    return given


@pytest.mark.parametrize("context", contexts(), ids=lambda context: context.__name__)
def test_a_template_uses_every_field_of_its_context_and_nothing_else(context: type[Context]) -> None:
    expected = {field.name for field in fields(context)}  # type: ignore[arg-type]
    used, handed = used_in(context.template) - GLOBALS, handed_in(context.template)
    assert used - handed <= expected
    assert expected <= used


def test_every_template_is_reached_from_a_page() -> None:
    reached = set().union(*(parts_of(context.template) for context in contexts()))
    assert {path.name for path in TEMPLATES.glob("*.html")} == reached


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_templates_hold_no_inline_script_no_inline_style_and_no_handler(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)", source)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|\|\s*safe\b", source)


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_templates_do_no_arithmetic(path: Path) -> None:
    for expression in re.findall(r"{[{%](.*?)[%}]}", path.read_text(encoding="utf-8"), re.DOTALL):
        assert not re.search(r"[\w\])]\s(?:[*/+]|-)\s[\w\[(]", re.sub(r'"[^"]*"', "", expression)), expression
