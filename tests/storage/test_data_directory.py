"""The data directory belongs to one server at a time, and is free again however that one ends."""

import os
import stat
import threading
from pathlib import Path
from subprocess import Popen

import pytest

from app.storage.data_directory import DataDirectory, DirectoryInUse
from tests.storage.processes import line_of, running

HOLD_WHEN_TOLD = """
import sys
from pathlib import Path
from app.storage.data_directory import DataDirectory, DirectoryInUse
print("ready", flush=True)
for _ in sys.stdin:
    try:
        directory = DataDirectory(Path(sys.argv[1]))
        print("held", flush=True)
    except DirectoryInUse as error:
        print(error.detail, flush=True)
"""


def refusal(path: Path) -> str:
    with pytest.raises(DirectoryInUse) as refused:
        DataDirectory(path)
    assert "\n" not in refused.value.detail
    return refused.value.detail


def test_it_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    directory = DataDirectory(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert directory.tensors.directory.is_dir()
    directory.close()


def test_a_second_server_in_this_process_is_refused_until_the_first_closes(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    assert refusal(tmp_path) == (
        f"The data directory {tmp_path} is in use by another server (process {os.getpid()}): "
        "stop it, or name another directory with --data-dir."
    )
    directory.close()
    DataDirectory(tmp_path).close()


def test_another_process_is_refused_holds_it_once_free_and_frees_it_when_killed(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    with running(HOLD_WHEN_TOLD, tmp_path) as other:
        assert f"in use by another server (process {os.getpid()})" in answer_of(other)
        directory.close()
        assert answer_of(other) == "held"
        assert f"process {other.pid}" in refusal(tmp_path)
        other.kill()
        other.wait()
        DataDirectory(tmp_path).close()


def answer_of(process: Popen[str]) -> str:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return line_of(process.stdout)


def test_a_child_of_the_holder_does_not_hold_it(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    with running("import sys; print('there', flush=True); sys.stdin.read()"):
        directory.close()
        DataDirectory(tmp_path).close()


@pytest.mark.parametrize("name", ["", "tensors"])
def test_a_file_in_the_way_is_refused_and_nothing_stays_held(tmp_path: Path, name: str) -> None:
    path = tmp_path / "data"
    in_the_way = path / name
    in_the_way.parent.mkdir(exist_ok=True)
    in_the_way.write_text("")
    assert refusal(path).startswith(f"The data directory {path} cannot be used: ")
    in_the_way.unlink()
    DataDirectory(path).close()


def test_a_directory_that_is_given_free_a_moment_later_is_waited_for(tmp_path: Path) -> None:
    held = DataDirectory(tmp_path)
    threading.Timer(0.2, held.close).start()
    DataDirectory(tmp_path).close()
