"""The wheel serves what the checkout serves, and the project declares and pins what it needs."""

import ast
import json
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
from collections.abc import Iterator
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from app.assets import STATIC
from tests.live import ROOT, LiveServer

# Found by name where they are installed: uvicorn's loop and parser, Starlette's parser of forms.
NEVER_IMPORTED = {"httptools", "python-multipart", "uvloop"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `moduletree` command of a wheel, installed where the checkout cannot be seen.

    The other packages are read from where the tests have them, so that nothing is downloaded.
    """
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder), cwd=ROOT)
    (wheel,) = folder.glob("moduletree-*.whl")
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv" / "bin" / "python"
    paths = {"base": str(folder / "venv"), "platbase": str(folder / "venv")}
    packages = Path(sysconfig.get_path("purelib", vars=paths))
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    pip = (sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet")
    run(*pip, "--no-deps", "--no-index", "--force-reinstall", str(wheel), cwd=folder)
    where = run(str(python), "-c", "import app; print(app.__file__)", cwd=folder)
    assert Path(where.strip()).is_relative_to(folder)
    return folder / "venv" / "bin" / "moduletree"


def run(*command: str, cwd: Path) -> str:
    """What `command` printed; it must succeed."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed_server(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("served")
    with LiveServer(folder / "data", command=(str(installed),), cwd=folder) as live:
        yield live


def test_installed_wheel_serves_the_same_home_page(installed_server: LiveServer, tmp_path: Path) -> None:
    with LiveServer(tmp_path / "data") as checkout:
        expected = checkout.client.get("/").raise_for_status().text.replace(checkout.url, "")
    assert installed_server.client.get("/").raise_for_status().text.replace(installed_server.url, "") == expected


def test_installed_wheel_serves_every_static_file(installed_server: LiveServer) -> None:
    files = [file for file in STATIC.rglob("*") if file.is_file() and not file.name.startswith(".")]
    assert {"css", "js", "vendor"} <= {file.relative_to(STATIC).parts[0] for file in files}
    for file in files:
        answer = installed_server.client.get(f"/static/{file.relative_to(STATIC).as_posix()}")
        assert answer.status_code == 200, file
        assert answer.content == file.read_bytes(), file


def test_installed_wheel_speaks_korean(installed_server: LiveServer) -> None:
    page = installed_server.client.get("/", headers={"accept-language": "ko", "accept": "text/html"}).raise_for_status()
    assert "<h1>PyTorch 모델의 속을 들여다보기</h1>" in page.text


def test_every_font_that_a_stylesheet_names_is_there() -> None:
    for sheet in (STATIC / "css" / "fonts.css", STATIC / "vendor" / "noto-sans-kr.css"):
        text = sheet.read_text(encoding="utf-8")
        fonts = re.findall(r"url\(\"?([^\")]+)\"?\)", text)
        assert len(fonts) == text.count("@font-face") > 0
        assert text.count("font-display:") == len(fonts)
        for font in fonts:
            file = STATIC / font.removeprefix("/static/") if font.startswith("/") else sheet.parent / font
            assert file.read_bytes()[:4] == b"wOF2", font


def test_installed_command_tells_its_version(installed: Path, tmp_path: Path) -> None:
    assert project()["version"] in run(str(installed), "--version", cwd=tmp_path)


def test_every_icon_is_a_symbol_of_the_sprite() -> None:
    sprite = ET.parse(STATIC / "vendor" / "icons.svg").getroot()
    assert [symbol.get("id") for symbol in sprite] == json.loads((ROOT / "package.json").read_text())["icons"]
    assert {(symbol.get("viewBox"), symbol.get("stroke-width")) for symbol in sprite} == {("0 0 24 24", "1.75")}
    assert all(len(symbol) for symbol in sprite)


def test_every_import_is_declared_and_every_dependency_is_used() -> None:
    packages = packages_distributions()
    tops = {top for file in (ROOT / "app").rglob("*.py") for top in imported(file)}
    used = {canonicalize_name(packages[top][0]) for top in tops - sys.stdlib_module_names - {"app"}}
    declared = {canonicalize_name(Requirement(line).name) for line in project()["dependencies"]}
    assert used == declared - NEVER_IMPORTED


def imported(file: Path) -> Iterator[str]:
    """The top names of everything that the file imports."""
    for statement in ast.walk(ast.parse(file.read_text())):
        if isinstance(statement, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and statement.module:
            yield statement.module.partition(".")[0]


def test_every_package_that_is_installed_is_pinned() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {canonicalize_name(line.partition("==")[0]) for line in lines if "==" in line}
    metadata = project()
    wanted = [*metadata["dependencies"], *metadata["optional-dependencies"]["dev"]]
    assert required(wanted) <= pinned


def required(lines: list[str]) -> set[str]:
    """All packages that the requirements bring, but for those that another pins exactly, as torch does its CUDA."""
    found: set[str] = set()
    pending = [(Requirement(line), "") for line in lines]
    while pending:
        requirement, extra = pending.pop()
        name = canonicalize_name(requirement.name)
        exact = any(part.operator == "==" for part in requirement.specifier)
        if exact or name in found or (requirement.marker and not requirement.marker.evaluate({"extra": extra})):
            continue
        found.add(name)
        extras = ("", *requirement.extras)
        pending += [(Requirement(line), extra) for line in distribution(name).requires or () for extra in extras]
    return found


def project() -> dict[str, Any]:
    """The `project` table of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return table
