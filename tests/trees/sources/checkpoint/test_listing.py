"""The checkpoints under roots: which are listed, and how far they are looked for."""

from pathlib import Path

import pytest

from app.trees.sources.checkpoint.listing import WalkLimits, list_checkpoints
from app.trees.sources.roots import find_under


def paths(*roots: Path, q: str = "") -> list[str]:
    return [file.path for file in list_checkpoints(roots, q).files]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a file of each kind."""
    for name in ("b/one.pt", "a.safetensors", "b/two.ckpt", "b/config.json", "b/c/three.PT", ".cache/four.pt"):
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"12345")
    return tmp_path / "root"


def test_files_are_listed_by_how_they_end_and_with_their_size(root: Path) -> None:
    assert paths(root) == ["a.safetensors", "b/one.pt", "b/two.ckpt"]
    first = list_checkpoints([root]).files[0]
    assert (first.name, first.root, first.kind, first.num_bytes) == ("a.safetensors", str(root), "safetensors", 5)


def test_every_word_of_a_search_is_in_the_path(root: Path) -> None:
    assert paths(root, q="B/ ONE") == ["b/one.pt"]
    assert paths(root, q="one two") == []


def test_an_index_hides_the_shards_beside_it_and_no_others(root: Path) -> None:
    for name in ("m-00001-of-00002", "m-00002-of-00002", "n-00001-of-00002"):
        (root / f"{name}.safetensors").write_bytes(b"123")
    (root / "m.safetensors.index.json").write_bytes(b"{}")
    found = list_checkpoints([root], "of-0000 .safetensors").files
    assert [file.path for file in found] == ["n-00001-of-00002.safetensors"]
    (index,) = list_checkpoints([root], "index").files
    assert (index.kind, index.num_bytes) == ("shards", 8)


def test_links_are_not_followed(root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.pt").write_bytes(b"")
    (root / "link.pt").symlink_to(tmp_path / "outside.pt")
    (root / "around").symlink_to(root)
    (root / "dangling.pt").symlink_to(root / "nothing")
    assert paths(root) == ["a.safetensors", "b/one.pt", "b/two.ckpt"]


def test_a_file_that_an_earlier_root_hides_is_listed_by_its_whole_path(root: Path, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "a.safetensors").write_bytes(b"")
    (tmp_path / "more" / "z.pt").write_bytes(b"")
    listed = paths(root, tmp_path / "more")
    assert listed[-2:] == [str(tmp_path / "more" / "a.safetensors"), "z.pt"]


def test_a_link_to_nowhere_in_an_earlier_root_hides_a_file_as_it_does_when_it_is_opened(
    root: Path, tmp_path: Path
) -> None:
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    (earlier / "a.safetensors").symlink_to("nowhere")
    listed = [str(root / "a.safetensors"), "b/one.pt", "b/two.ckpt"]
    assert paths(earlier, root) == listed
    assert [find_under([earlier, root], path).parent for path in listed] == [root, root / "b", root / "b"]


def test_a_folder_under_two_roots_is_listed_once(root: Path) -> None:
    assert paths(root, root / "b") == ["a.safetensors", "b/one.pt", "b/two.ckpt"]


def test_a_root_that_is_not_there_has_nothing(tmp_path: Path) -> None:
    assert list_checkpoints([tmp_path / "nowhere"]).files == []


@pytest.mark.parametrize("limits", [WalkLimits(max_entries=2), WalkLimits(max_files=1), WalkLimits(max_depth=0)])
def test_a_limit_ends_the_walk_and_that_is_told(root: Path, limits: WalkLimits) -> None:
    found = list_checkpoints([root], limits=limits)
    assert not found.is_whole
    assert len(found.files) < 3
    assert list_checkpoints([root]).is_whole


def test_no_time_left_ends_the_walk(root: Path) -> None:
    assert list_checkpoints([root], limits=WalkLimits(max_s=-1)).files == []


def test_a_name_that_is_no_text_is_passed_over(root: Path) -> None:
    (root / "\udcff.pt").write_bytes(b"")
    (root / "\udcfe").mkdir()
    (root / "\udcfe" / "x.pt").write_bytes(b"")
    assert paths(root) == ["a.safetensors", "b/one.pt", "b/two.ckpt"]
