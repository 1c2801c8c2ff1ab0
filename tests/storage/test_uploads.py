"""Uploads: received whole or not at all, kept with their tree and gone with it, whatever stops the server."""

import io
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from app.errors import Invalid, ModuletreeError, TooLarge, UnreadableFile
from app.storage.records import TreeRecord
from app.storage.uploads import MAX_FILES, Received, Uploads
from app.trees.origin import Origin
from tests.storage.kept_trees import KeptTrees
from tests.storage.processes import outcome_of, running

ONE, TWO = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
INDEX = "model.safetensors.index.json"
LINEAR = save({"fc.weight": torch.arange(6.0).reshape(2, 3), "fc.bias": torch.tensor([7.0, 8.0])})


def shards() -> dict[str, bytes]:
    """An index and its two shards."""
    index = {"metadata": {}, "weight_map": {"a.weight": ONE, "b.weight": TWO}}
    return {
        TWO: save({"b.weight": torch.full((2,), 5.0)}),
        INDEX: json.dumps(index).encode(),
        ONE: save({"a.weight": torch.arange(3.0)}),
    }


def received(files: Mapping[str, bytes]) -> list[Received]:
    return [Received(name, io.BytesIO(data)) for name, data in files.items()]


def upload(kept: KeptTrees, files: Mapping[str, bytes], name: str | None = None) -> TreeRecord:
    """Upload files and open a tree from them."""
    return kept.trees.open_upload(kept.directory.uploads.receive(received(files), 1_000_000), name)


def left(kept: KeptTrees) -> set[str]:
    """All files of uploads, each as its folder and name."""
    folder = kept.directory.uploads.directory
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def values(kept: KeptTrees, tree_id: str, path: str) -> object:
    with kept.trees.reading(tree_id) as tree:
        return tree.index.data.page(tree.index.parameters, tree.index.parameter(path), 0, 100).values


def origin_of(kept: KeptTrees, tree_id: str) -> Origin:
    with kept.trees.reading(tree_id) as tree:
        return tree.origin


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path / "uploads")


def refusal(uploads: Uploads, files: list[Received], error: type[ModuletreeError] = Invalid) -> str:
    with pytest.raises(error) as caught:
        uploads.receive(files, 1_000)
    assert list(uploads.directory.iterdir()) == []
    return caught.value.detail


def test_an_upload_is_a_tree_with_the_name_of_its_file(kept: KeptTrees) -> None:
    record = upload(kept, {"model.safetensors": LINEAR})
    assert (record.name, record.facts.num_parameters, record.facts.can.edit) == ("model.safetensors", 8, False)
    assert record.source == {"kind": "checkpoint", "path": "model.safetensors", "upload": record.source["upload"]}
    assert values(kept, record.id, "fc.weight") == [0, 1, 2, 3, 4, 5]
    assert left(kept) == {f"{record.source['upload']}/model.safetensors"}
    assert upload(kept, {"model.safetensors": LINEAR}, "mine").name == "mine"


def test_an_index_finds_its_shards_whatever_the_order_they_come_in(kept: KeptTrees) -> None:
    record = upload(kept, shards())
    assert record.name == INDEX
    assert [stamp.name for stamp in origin_of(kept, record.id).files] == [ONE, TWO]
    assert values(kept, record.id, "a.weight") == [0, 1, 2]
    assert values(kept, record.id, "b.weight") == [5, 5]


def test_an_index_without_a_shard_is_refused_and_nothing_is_left(kept: KeptTrees) -> None:
    files = shards()
    del files[TWO]
    with pytest.raises(UnreadableFile, match=f"1 of 2 shards are not beside the index: '{TWO}'"):
        upload(kept, files)
    assert left(kept) == set()
    assert kept.trees.count() == 0


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/", "C:\\", "x\0.pt", "x\n.pt", "x\x7f.pt", "\ud800.pt", "\u202ep.pt", "é" * 100 + ".pt",
     "x" * 198 + ".pt"],
)  # fmt: skip
def test_what_is_no_name_of_a_file_is_refused(uploads: Uploads, name: str) -> None:
    assert refusal(uploads, received({name: b""})).endswith(" is not a name of a file.")


@pytest.mark.parametrize("name", ["/etc/x.pt", "../../x.pt", "a\\b\\x.pt", "C:\\x.pt", "u_aaaaaaaaaa/../x.pt"])
def test_of_a_path_the_last_part_is_the_name(uploads: Uploads, name: str) -> None:
    assert uploads.receive(received({name: b"x"}), 10).path.name == "x.pt"
    assert [path.name for path in uploads.directory.parent.rglob("*") if path.is_file()] == ["x.pt"]


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ([], "expected a file that ends in .safetensors, .pt, .pth, .bin or .ckpt, got none"),
        (["x.txt"], "got 'x.txt'"),
        (["pt"], "got 'pt'"),
        (["config.json"], "got none"),
        (["other.json", "x.pt"], "got 'other.json'"),
        (["pytorch_model.bin.index.json"], "got 'pytorch_model.bin.index.json'"),
        (["x.pt", "y.pt"], "expected one checkpoint, or one *.safetensors.index.json with its shards"),
        (["a" + INDEX, "b" + INDEX], "expected one checkpoint"),
        ([INDEX, "x.pt"], "expected one checkpoint"),
        (["x.pt", "folder/x.pt"], "two files have the same name"),
        ([f"{number}.safetensors" for number in range(MAX_FILES + 1)], f"expected at most {MAX_FILES:,} files"),
    ],
)
def test_files_that_do_not_say_which_to_open_are_refused(uploads: Uploads, names: list[str], says: str) -> None:
    assert says in refusal(uploads, [Received(name, io.BytesIO(b"")) for name in names])


def test_the_limit_is_of_all_files_together_and_is_told(uploads: Uploads) -> None:
    assert uploads.receive(received({"x.pt": b"x" * 900, "config.json": b"x" * 100}), 1_000).path.stat().st_size == 900
    shutil.rmtree(uploads.directory)
    uploads.directory.mkdir()
    with pytest.raises(TooLarge, match="more than 1,000 bytes") as caught:
        uploads.receive(received({"x.pt": b"x" * 901, "config.json": b"x" * 100}), 1_000)
    assert caught.value.limit == 1_000
    assert list(uploads.directory.iterdir()) == []


def test_a_sender_that_breaks_off_leaves_nothing(uploads: Uploads) -> None:
    class BreaksOff(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        uploads.receive([*received({"config.json": b"x"}), Received("x.pt", BreaksOff())], 10)  # type: ignore[arg-type]
    assert list(uploads.directory.iterdir()) == []


def test_a_refused_checkpoint_is_not_kept(kept: KeptTrees) -> None:
    for name, data in {"x.safetensors": LINEAR[:-1], "x.pt": b"\x80\x02N."}.items():
        with pytest.raises(UnreadableFile, match=name):
            upload(kept, {name: data})
    assert list(kept.directory.uploads.directory.iterdir()) == []
    assert kept.trees.count() == 0


def test_an_upload_goes_with_its_tree_and_no_other(kept: KeptTrees) -> None:
    records = [upload(kept, {"model.safetensors": LINEAR}) for _ in range(3)]
    kept.trees.delete(records[1].id)
    for _ in range(2):
        assert left(kept) == {f"{records[number].source['upload']}/model.safetensors" for number in (0, 2)}
        assert values(kept, records[2].id, "fc.bias") == [7, 8]
        kept.restart()


def test_an_upload_survives_a_restart_and_a_move_of_the_data(tmp_path: Path) -> None:
    kept = KeptTrees(tmp_path / "here")
    record = upload(kept, shards())
    before = origin_of(kept, record.id)
    kept.restart()
    assert origin_of(kept, record.id) == before
    assert values(kept, record.id, "a.weight") == [0, 1, 2]
    kept.close()
    # As a backup is brought back: other files of the same bytes, in another place.
    shutil.copytree(tmp_path / "here", tmp_path / "there", copy_function=shutil.copyfile)
    shutil.rmtree(tmp_path / "here")
    kept = KeptTrees(tmp_path / "there")
    assert values(kept, record.id, "a.weight") == [0, 1, 2]
    assert values(kept, record.id, "b.weight") == [5, 5]
    kept.trees.delete(record.id)
    assert left(kept) == set()
    kept.close()


def test_the_structure_outlives_the_files_and_their_absence_is_told(kept: KeptTrees) -> None:
    record = upload(kept, {"model.safetensors": LINEAR})
    shutil.rmtree(kept.directory.uploads.directory / str(record.source["upload"]))
    for _ in range(2):
        with pytest.raises(UnreadableFile, match="It was there when the tree was opened"):
            values(kept, record.id, "fc.weight")
        assert kept.trees.get(record.id).facts.num_parameters == 8
        kept.restart()
    kept.trees.delete(record.id)


RECEIVE = """
import io, sys
from pathlib import Path
from app.storage.data_directory import DataDirectory
from app.storage.uploads import Received

class Slow(io.RawIOBase):
    def read(self, size=-1):
        print("half", flush=True)
        sys.stdin.read()

uploads = DataDirectory(Path(sys.argv[1])).uploads
content = io.BytesIO(b"x") if sys.argv[2] == "whole" else Slow()
uploads.receive([Received("config.json", io.BytesIO(b"{}")), Received("x.pt", content)], 100)
print("whole", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("how_far", ["half", "whole"])
def test_what_a_kill_leaves_without_a_tree_is_swept_at_the_next_start(tmp_path: Path, how_far: str) -> None:
    with running(RECEIVE, tmp_path, how_far) as process:
        process.kill()
        process.wait()
        assert len(list((tmp_path / "uploads").iterdir())) == 1
    kept = KeptTrees(tmp_path)
    assert left(kept) == set()
    assert list(kept.directory.uploads.directory.iterdir()) == []
    kept.close()


DELETE_HALF = """
import os, sys
from pathlib import Path
from tests.storage.kept_trees import KeptTrees

kept = KeptTrees(Path(sys.argv[1]))
kept.directory.uploads.delete = lambda upload: os._exit(0)
kept.trees.delete(sys.argv[2])
"""


def test_what_a_kill_leaves_of_a_deleted_tree_is_swept_at_the_next_start(tmp_path: Path) -> None:
    kept = KeptTrees(tmp_path)
    kept_id, deleted_id = (upload(kept, {"model.safetensors": LINEAR}).id for _ in range(2))
    kept.close()
    outcome_of(DELETE_HALF, tmp_path, deleted_id)
    kept = KeptTrees(tmp_path)
    assert [record.id for record in kept.trees.newest(10)[0]] == [kept_id]
    assert len(left(kept)) == 1
    assert values(kept, kept_id, "fc.bias") == [7, 8]
    kept.close()


def test_sweeping_leaves_what_is_no_upload_alone(uploads: Uploads) -> None:
    (uploads.directory / "notes.txt").write_text("mine")
    (uploads.directory / "my folder").mkdir()
    uploads.receive(received({"x.pt": b"x"}), 10)
    uploads.sweep([])
    assert {path.name for path in uploads.directory.iterdir()} == {"notes.txt", "my folder"}


@pytest.mark.parametrize("name", ["..", "../tensors", "u_", "u_a/../../tensors", "", ".", "u_../x"])
def test_only_an_upload_can_be_deleted(kept: KeptTrees, name: str) -> None:
    kept.open_nested()
    before = kept.files()
    kept.directory.uploads.delete(name)
    assert (kept.files(), kept.directory.uploads.directory.is_dir()) == (before, True)
