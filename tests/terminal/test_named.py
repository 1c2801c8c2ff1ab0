"""What a person may name as SOURCE."""

from pathlib import Path

import pytest

from app.errors import Invalid, NotFound, TooLarge
from app.terminal.named import MAX_CONFIG, named, told


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text("{}")


def test_a_callable_is_called_with_its_arguments() -> None:
    found = named("mypackage.models:Net.make", '{"depth": 12}', "cpu")
    assert found.document == {
        "kind": "factory",
        "target": "mypackage.models:Net.make",
        "kwargs": {"depth": 12},
        "device": "cpu",
    }
    assert (found.allow_import, found.file) == ("mypackage.models:Net.make", None)
    assert named("a:b").document == {"kind": "factory", "target": "a:b", "kwargs": {}, "device": "meta"}


def test_a_file_with_a_colon_in_its_name_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a:b")
    monkeypatch.chdir(tmp_path)
    assert named("a:b").file == tmp_path / "a:b"


@pytest.mark.parametrize("name", ["model.safetensors", "model.safetensors.index.json", "state.pt", "anything"])
def test_a_checkpoint_is_one_file_by_its_full_path(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, name)
    monkeypatch.chdir(tmp_path)
    found = named(name)
    assert found.document == {"kind": "checkpoint", "path": str(tmp_path / name)}
    assert (found.file, found.allow_import) == (tmp_path / name, None)


def test_a_link_is_followed_to_the_checkpoint(tmp_path: Path) -> None:
    touch(tmp_path, "blob")
    (tmp_path / "model.safetensors").symlink_to("blob")
    assert named(str(tmp_path / "model.safetensors")).file == tmp_path / "blob"


def test_a_config_is_read(tmp_path: Path) -> None:
    (tmp_path / "gpt2.json").write_text('{"model_type": "gpt2"}')
    found = named(str(tmp_path / "gpt2.json"))
    assert found.document == {"kind": "config", "config": {"model_type": "gpt2"}}
    assert found.file is None


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["config.json"], "config"),
        (["config.json", "model.safetensors"], "checkpoint"),
        (["config.json", "model.safetensors.index.json", "model-1.safetensors"], "checkpoint"),
        (["pytorch_model.bin"], "checkpoint"),
    ],
)
def test_a_folder_is_what_it_holds(names: list[str], kind: str, tmp_path: Path) -> None:
    touch(tmp_path, *names)
    assert named(str(tmp_path)).document["kind"] == kind


@pytest.mark.parametrize("text", ["", "[1]", "{", "nan", '{"a": NaN}', "[" * 100_000])
def test_arguments_are_an_object_of_json(text: str) -> None:
    with pytest.raises(Invalid, match=r"--kwargs is .*, expected a JSON object"):
        named("a:b", text)


def test_arguments_are_for_callables_only(tmp_path: Path) -> None:
    touch(tmp_path, "model.pt")
    for kwargs, device in (("{}", None), (None, "cpu")):
        with pytest.raises(Invalid, match="--kwargs and --device are for a callable"):
            named(str(tmp_path / "model.pt"), kwargs, device)


def test_a_device_is_one_of_two() -> None:
    with pytest.raises(Invalid, match="--device is 'cuda', expected one of meta, cpu"):
        named("a:b", None, "cuda")


@pytest.mark.parametrize("text", ["", "nosuch", "nosuch.pt", "~nosuch/model.pt", "a:", ":b", "a b:c", "C:\\model.pt"])
def test_what_is_not_there_is_told(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFound, match="There is no"):
        named(text)


def test_a_name_that_no_file_can_have_is_refused() -> None:
    with pytest.raises(Invalid, match="cannot be read: File name too long"):
        named("x" * 5000)


def test_only_regular_files_are_read() -> None:
    with pytest.raises(Invalid, match="'/dev/null' is not a regular file"):
        named("/dev/null")


@pytest.mark.parametrize("text", ["[]", "{", "\xff", ""])
def test_a_config_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(text, encoding="latin-1")
    with pytest.raises(Invalid, match=r"'config.json' is not a config.json"):
        named(str(tmp_path))


def test_a_config_is_small(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(b" " * (MAX_CONFIG + 1))
    with pytest.raises(TooLarge, match="1,048,577 bytes"):
        named(str(tmp_path))


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        ("--allow-import a:b: a cannot be imported.", "a:b: a cannot be imported."),
        ("source.kwargs.depth: expected an integer.", "--kwargs.depth: expected an integer."),
        ('It may be built with "device": "cpu".', "It may be built with --device cpu."),
        ("q, character 3: expected a number.", "--find, character 3: expected a number."),
    ],
)
def test_errors_are_in_the_words_of_the_command_line(detail: str, words: str) -> None:
    assert told(detail) == words
