"""The knobs: documented, bounded, and read from one place."""

import re
from pathlib import Path

import pytest

from app.settings import Reach, SettingError, Settings, default_data_dir, env_name, load, load_as
from app.storage.database import Database

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*Settings.model_fields, *Reach.model_fields):
        monkeypatch.delenv(env_name(name), raising=False)


def test_every_setting_is_documented_in_one_line() -> None:
    for name, field in [*Settings.model_fields.items(), *Reach.model_fields.items()]:
        assert field.description, f"{name} has no documentation"
        assert "\n" not in field.description
        assert field.description.endswith(".")


def test_every_setting_stands_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in Settings.model_fields:
        assert f"--{name.replace('_', '-')}" in readme, f"README.md does not name --{name.replace('_', '-')}"


def test_nothing_else_reads_the_environment() -> None:
    readers = re.compile(r"\bos\.(environ|getenv)\b|\bfrom os import .*(environ|getenv)")
    found = {path.name for path in (ROOT / "app").rglob("*.py") if readers.search(path.read_text(encoding="utf-8"))}
    assert found <= {"settings.py", "worker_process.py", "environment.py"}


def test_defaults() -> None:
    settings = load({})
    assert (settings.host, settings.port, settings.token) == ("127.0.0.1", 8000, None)
    assert settings.data_dir == default_data_dir().expanduser()
    assert settings.database == f"sqlite:///{settings.data_dir}/moduletree.db"
    assert (settings.max_modules, settings.max_depth, settings.max_body) == (250_000, 20_000, 32 * 1024 * 1024)
    assert (settings.workers_for_runs, settings.max_queued_runs) == (1, 16)
    assert (settings.checkpoint_seconds, settings.resume_interrupted) == (30, False)


def test_an_option_wins_over_the_environment_and_that_over_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODULETREE_PORT", "9001")
    monkeypatch.setenv("MODULETREE_MAX_MODULES", "7")
    settings = load({"port": 9002, "max_modules": None, "root": ()})
    assert (settings.port, settings.max_modules) == (9002, 7)


def test_a_server_is_named_by_an_option_or_the_environment_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (load_as(Reach, {}).server, load_as(Reach, {"server": None}).is_named) == ("http://127.0.0.1:8000", False)
    monkeypatch.setenv("MODULETREE_SERVER", "http://trees.example.org")
    assert load_as(Reach, {}).is_named
    assert load_as(Reach, {"server": "http://lab:9000"}).server == "http://lab:9000"


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODULETREE_TOKEN", "")
    assert load({}).token is None


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODULETREE_ALLOW_HOST", "trees.example.org, lab:9000,")
    monkeypatch.setenv("MODULETREE_ROOT", "/models,/more")
    settings = load({})
    assert settings.allow_host == ("trees.example.org", "lab:9000")
    assert settings.root == (Path("/models"), Path("/more"))
    assert load({"allow_host": ("one", "two")}).allow_host == ("one", "two")


def test_a_folder_is_absolute_whatever_folder_the_server_is_started_in() -> None:
    assert load({"data_dir": Path("kept")}).data_dir == Path.cwd() / "kept"
    assert load({"data_dir": Path("~/kept")}).data_dir == Path.home() / "kept"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"port": "x"}, "port is 'x', expected: .*integer"),
        ({"port": 65536}, "port is 65536, expected: .*65535"),
        ({"max_modules": 0}, "max_modules is 0, expected: .*greater than or equal to 1"),
        ({"database": "mysql://h/d"}, "database is 'mysql://…', expected: a URL that begins with sqlite:///"),
        ({"port": -1, "max_depth": 0}, "port is -1.*; max_depth is 0"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(options: dict[str, object], said: str) -> None:
    with pytest.raises(SettingError, match=said) as caught:
        load(options)
    assert "\n" not in str(caught.value)
    assert "factory" not in str(caught.value)


def test_no_secret_is_told() -> None:
    with pytest.raises(SettingError) as caught:
        load({"token": "has a space", "database": "postgresql://someone:password@host/name"})
    assert "space" not in str(caught.value).replace("without spaces", "")
    assert "password" not in str(caught.value)
    assert "kept-secret" not in repr(load({"token": "kept-secret"}))


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("localhost", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.0.7", False),
        ("", False),
        ("localhost.example.org", False),
    ],
)
def test_loopback_is_what_only_this_machine_reaches(host: str, alone: bool) -> None:
    assert Settings(host=host).is_loopback is alone


def test_the_database_lies_in_a_data_folder_of_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "a b?c=1%20#d"

    Database.open(load({"data_dir": folder}).database).close()

    assert (folder / "moduletree.db").is_file()
