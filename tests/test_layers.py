"""Imports point one way: trees, training <- storage <- api, pages <- main <- cli; trees, client <- terminal <- cli."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

APP = Path(__file__).parent.parent / "app"

WORDS = {
    "allocation",
    "collector",
    "errors",
    "foreign_messages",
    "korean",
    "printable",
    "processes",
    "recognition",
    "settings",
    "tokens",
    "assets",
    "translation",
    "version",
}
SHELL = {"access", "body", "compression", "connection", "in_page", "languages", "metrics", "openapi", "static_files"}
CLI = {"cli", "commands", "options", "running"}

# What each part may import of the others; all may import the words.
MAY_IMPORT = {
    "trees": set[str](),
    "training": {"trees"},
    "storage": {"trees", "training"},
    "client": set[str](),
    "terminal": {"trees", "client"},
    "problems": set[str](),
    "api": {"trees", "training", "storage", "problems"},
    "pages": {"trees", "training", "storage", "problems", "api"},
    "shell": {"training", "storage", "problems", "api"},
    "main": {"trees", "training", "storage", "problems", "api", "pages", "shell"},
    "serve": {"shell"},
    "cli": {"main", "serve", "terminal", "client"},
    "__main__": {"cli"},
    "words": set[str](),
}
WEB = {"fastapi", "starlette", "uvicorn", "jinja2", "pydantic", "httpx", "typer"}
SQL = {"sqlalchemy", "alembic", "sqlite3"}
# What a part must not have heard of.
FORBIDDEN = {
    "trees": WEB | SQL,
    "training": WEB | SQL,
    "client": {"torch", "numpy"} | (WEB - {"httpx"}) | SQL,
    "terminal": WEB | SQL,
    "storage": WEB,
    "api": {"jinja2", "uvicorn", "typer"},
    "pages": {"uvicorn", "typer", *SQL},
    "words": {"torch", "fastapi", "starlette", *SQL},
}


def part_of(module: str) -> str:
    """The part that `app.<...>` belongs to."""
    name = module.split(".")[1]
    if name in WORDS:
        return "words"
    if name in CLI:
        return "cli"
    return "shell" if name in SHELL else name


def module_of(path: Path) -> str:
    parts = path.relative_to(APP.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> Iterator[str]:
    """Every module that the file names in an import, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path} imports relatively"
            if node.module == "app":
                yield from (f"app.{alias.name}" for alias in node.names)
            else:
                yield node.module


FILES = [path for path in sorted(APP.rglob("*.py")) if path != APP / "__init__.py"]


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_imports_point_one_way(path: Path) -> None:
    part = part_of(module_of(path))
    for name in imports_of(path):
        if name.split(".")[0] == "app" and name != "app":
            other = part_of(name)
            assert other in {part, "words"} | MAY_IMPORT[part], f"{module_of(path)} imports {name}"
        assert name.split(".")[0] not in FORBIDDEN.get(part, set()), f"{module_of(path)} imports {name}"


def test_every_module_has_its_place() -> None:
    assert {part_of(module_of(path)) for path in FILES} <= MAY_IMPORT.keys()


@pytest.mark.parametrize("name", ["errors", "settings"])
def test_errors_and_settings_import_nothing_of_the_application(name: str) -> None:
    assert not [module for module in imports_of(APP / f"{name}.py") if module.split(".")[0] == "app"]


def test_statuses_are_known_in_one_place() -> None:
    for path in FILES:
        if part_of(module_of(path)) in {"trees", "training", "storage"} or module_of(path) == "app.errors":
            text = path.read_text(encoding="utf-8")
            assert "status_code" not in text, f"{module_of(path)} knows HTTP"
