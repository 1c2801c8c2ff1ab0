"""Tensor files: whole, or not there at all."""

from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from app.storage.tensor_files import TensorFiles
from app.trees.values import DTYPES
from tests.storage.processes import line_of, outcome_of, running
from tests.trees.comparing import told_of
from tests.trees.strategies import tensors


@pytest.fixture
def files(tmp_path: Path) -> TensorFiles:
    return TensorFiles(tmp_path / "tensors")


def names(files: TensorFiles) -> set[str]:
    return {path.name for path in files.directory.iterdir()}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.text(max_size=5), tensors(tuple(DTYPES.values())), max_size=3))
def test_tensors_come_back_as_they_were_saved(files: TensorFiles, saved: dict[str, Tensor]) -> None:
    loaded = files.load(files.save(saved))
    assert {name: told_of(tensor) for name, tensor in loaded.items()} == {
        name: told_of(tensor) for name, tensor in saved.items()
    }


def test_what_was_loaded_is_not_the_file(files: TensorFiles) -> None:
    name = files.save({"a": torch.zeros(1)})
    files.load(name)["a"].fill_(1)
    assert files.load(name)["a"].item() == 0


def test_every_file_has_a_name_of_its_own_and_nothing_else_is_left(files: TensorFiles) -> None:
    saved = {files.save({"a": torch.zeros(1)}) for _ in range(20)}
    assert len(saved) == 20
    assert names(files) == saved
    assert all(name.endswith(".safetensors") and files.path(name).is_file() for name in saved)


def test_a_sweep_leaves_what_is_kept_and_what_is_not_ours(files: TensorFiles) -> None:
    kept, unused = files.save({}), files.save({})
    for name in ("x.safetensors.partial", "notes.txt", "README"):
        (files.directory / name).write_text("")
    files.sweep([kept, "never-was.safetensors"])
    assert names(files) == {kept, "notes.txt", "README"}
    assert unused not in names(files)


def test_deleting_a_file_that_is_gone_is_no_error(files: TensorFiles) -> None:
    name = files.save({})
    files.delete([name, name])
    assert names(files) == set()


NO_ROOM = """
import resource, sys
from pathlib import Path
import torch
from app.errors import CannotStore
from app.storage.tensor_files import TensorFiles
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
files = TensorFiles(Path(sys.argv[1]))
kept = files.save({"a": torch.ones(10)})
try:
    files.save({"a": torch.ones(1_000_000)})
except CannotStore as error:
    print(error.detail)
print([path.name for path in files.directory.iterdir()] == [kept], files.load(kept)["a"].sum().item())
"""


def test_a_disk_that_is_full_leaves_what_was_there(tmp_path: Path) -> None:
    assert outcome_of(NO_ROOM, tmp_path) == "The tensors cannot be written: File too large.\nTrue 10.0\n"


SAVE_FOR_EVER = """
import sys
from pathlib import Path
import torch
from app.storage.tensor_files import TensorFiles
files = TensorFiles(Path(sys.argv[1]))
while True:
    print(files.save({"a": torch.ones(200_000)}), flush=True)
"""


def test_a_process_that_is_killed_while_it_saves_leaves_only_whole_files(files: TensorFiles) -> None:
    with running(SAVE_FOR_EVER, files.directory) as process:
        told = [line_of(process.stdout) for _ in range(5)]
        process.kill()
        process.wait()
    whole = [name for name in names(files) if name.endswith(".safetensors")]
    assert set(told) <= set(whole)
    assert all(files.load(name)["a"].sum().item() == 200_000 for name in whole)
    files.sweep(told)
    assert names(files) == set(told)
