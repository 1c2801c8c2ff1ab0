"""Which files a source may name: those under the roots, whatever links and dots say."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from app.errors import Invalid, ModuletreeError, NotAllowed, NotFound, UnreadableFile
from app.trees.limits import Limits
from app.trees.sources.checkpoint.readings import Readings
from app.trees.sources.opening import Sources
from app.trees.sources.roots import find_under
from app.trees.sources.workshop import Workshop


def sources_of(*roots: Path) -> Sources:
    return Sources(Limits(max_modules=1_000, max_depth=100), Workshop(), Readings(), roots=roots)


def opened(sources: Sources, path: object) -> list[str]:
    """The names of the tensors of the checkpoint at a path."""
    description = sources.open({"kind": "checkpoint", "path": path}).description
    assert description is not None
    return description.parameters.name


def refusal(sources: Sources, path: object, kind: type[ModuletreeError]) -> str:
    with pytest.raises(kind) as caught:
        opened(sources, path)
    assert type(caught.value) is kind
    return caught.value.detail


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """Two roots, and a folder beside them, each with a checkpoint that holds one tensor named after its place."""
    for place in ("one", "two", "one/deep", "outside", "one-more"):
        (tmp_path / place).mkdir(exist_ok=True)
        save_file({place.rpartition("/")[2]: torch.zeros(1)}, tmp_path / place / "x.safetensors")
    save_file({"only": torch.zeros(1)}, tmp_path / "two" / "y.safetensors")
    return tmp_path


@pytest.fixture
def sources(places: Path) -> Sources:
    return sources_of(places / "one", places / "two")


def test_a_file_under_a_root_is_opened_by_either_way_to_say_where(sources: Sources, places: Path) -> None:
    assert opened(sources, "x.safetensors") == ["one"]
    assert opened(sources, "./deep/../deep/x.safetensors") == ["deep"]
    assert opened(sources, str(places / "two" / "x.safetensors")) == ["two"]
    assert opened(sources, f"{places}/outside/../one/x.safetensors") == ["one"]


def test_a_relative_path_is_looked_for_in_each_root_in_turn(sources: Sources) -> None:
    assert opened(sources, "y.safetensors") == ["only"]


def test_what_is_missing_is_said_to_be_missing(sources: Sources, places: Path) -> None:
    for path in ("z.safetensors", "deep/../z.safetensors", str(places / "two" / "z.safetensors")):
        assert refusal(sources, path, NotFound) == "There is no file 'z.safetensors'."
    assert refusal(sources, "nowhere/z.safetensors", NotFound) == "There is no folder 'nowhere'."


@pytest.mark.parametrize(
    "path",
    ["../outside/x.safetensors", "deep/../../outside/x.safetensors", "../one-more/x.safetensors", "..", "deep/../..",
     "{}/outside/x.safetensors", "{}/one-more/x.safetensors", "{}/one/../outside/x.safetensors", "/", "/etc/passwd",
     "{}/one/..", "{}/outside/missing.safetensors", "../missing.safetensors"],
)  # fmt: skip
def test_a_path_that_leaves_the_roots_is_not_allowed_be_there_a_file_or_not(
    sources: Sources, places: Path, path: str
) -> None:
    text = path.format(places)
    detail = f"{text!r} is not under a folder that the server was given with --root."
    assert refusal(sources, text, NotAllowed) == detail


@pytest.mark.parametrize("way", ["link/x.safetensors", "link/missing.safetensors", "chain/x.safetensors", "link/.."])
def test_a_link_inside_a_root_leads_nowhere_outside(places: Path, way: str) -> None:
    sources = sources_of(places / "one")
    (places / "one" / "link").symlink_to(places / "outside")
    (places / "one" / "chain").symlink_to("link")
    for path in (way, str(places / "one" / way), f"deep/../{way}"):
        assert "is not under a folder" in refusal(sources, path, NotAllowed)


def test_a_link_that_stays_under_a_root_is_followed(sources: Sources, places: Path) -> None:
    (places / "one" / "there").symlink_to("deep")
    (places / "one" / "other").symlink_to(places / "two")
    (places / "one" / "file.safetensors").symlink_to("x.safetensors")
    (places / "one" / "far.safetensors").symlink_to(places / "two" / "x.safetensors")
    (places / "two" / "chain.safetensors").symlink_to(places / "one" / "far.safetensors")
    assert opened(sources, "there/x.safetensors") == ["deep"]
    assert opened(sources, "other/x.safetensors") == ["two"]
    assert opened(sources, "file.safetensors") == ["one"]
    assert opened(sources, "far.safetensors") == ["two"]
    assert opened(sources, "chain.safetensors") == ["two"]


def test_a_model_in_a_cache_is_opened_by_the_name_that_is_a_link_to_its_file(sources: Sources, places: Path) -> None:
    model = places / "one" / "models--gpt2"
    (model / "blobs").mkdir(parents=True)
    (model / "snapshots" / "607a30").mkdir(parents=True)
    save_file({"wte": torch.zeros(2)}, model / "blobs" / "248dfc3911869ec4")
    (model / "snapshots" / "607a30" / "model.safetensors").symlink_to("../../blobs/248dfc3911869ec4")
    assert opened(sources, "models--gpt2/snapshots/607a30/model.safetensors") == ["wte"]


@pytest.mark.parametrize("target", ["../outside/x.safetensors", "chained", "{}/outside/missing"])
def test_a_name_that_is_a_link_out_of_the_roots_is_not_allowed(places: Path, target: str) -> None:
    sources = sources_of(places / "one")
    (places / "one" / "chained").symlink_to(places / "outside" / "x.safetensors")
    (places / "one" / "file.safetensors").symlink_to(target.format(places))
    assert "is not under a folder" in refusal(sources, "file.safetensors", NotAllowed)


def test_a_link_is_refused_that_came_after_it_was_looked_where_it_leads(sources: Sources, places: Path) -> None:
    path = find_under(sources.roots, "x.safetensors")
    path.unlink()
    path.symlink_to(places / "outside" / "x.safetensors")
    with pytest.raises(UnreadableFile, match="is a link"):
        sources.open_checkpoint(path)


def test_an_index_that_is_a_link_is_refused(sources: Sources, places: Path) -> None:
    (places / "one" / "model.safetensors.index.json").symlink_to("x.safetensors")
    assert "is a link" in refusal(sources, "model.safetensors.index.json", UnreadableFile)
    (places / "one" / "folder.safetensors").symlink_to("deep")
    assert refusal(sources, "folder.safetensors", UnreadableFile) == "'deep' is not a regular file."


def test_a_link_that_leads_outside_one_root_does_not_hide_a_file_of_another(sources: Sources, places: Path) -> None:
    (places / "one" / "link").symlink_to(places / "outside")
    assert "is not under a folder" in refusal(sources, "link/x.safetensors", NotAllowed)
    (places / "two" / "link").symlink_to(places / "one" / "deep")
    assert opened(sources, "link/x.safetensors") == ["deep"]


def test_a_link_outside_that_leads_into_a_root_is_followed(sources: Sources, places: Path) -> None:
    (places / "outside" / "into").symlink_to(places / "one")
    assert opened(sources, str(places / "outside" / "into" / "x.safetensors")) == ["one"]


def test_a_root_may_itself_be_a_link(places: Path) -> None:
    (places / "alias").symlink_to("one")
    sources = sources_of(places / "alias")
    for path in ("x.safetensors", str(places / "alias" / "x.safetensors"), str(places / "one" / "x.safetensors")):
        assert opened(sources, path) == ["one"]
    assert "is not under a folder" in refusal(sources, str(places / "outside" / "x.safetensors"), NotAllowed)


def test_a_tilde_is_the_home_of_the_server(sources: Sources, places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(places / "one"))
    assert opened(sources, "~/x.safetensors") == ["one"]
    monkeypatch.setenv("HOME", str(places / "outside"))
    assert "'~/x.safetensors' is not under a folder" in refusal(sources, "~/x.safetensors", NotAllowed)
    assert "There is no folder '~nobody-of-this-name'" in refusal(sources, "~nobody-of-this-name/x", NotFound)


def test_links_that_go_round_and_names_too_long_are_refused(sources: Sources, places: Path) -> None:
    (places / "one" / "round").symlink_to("round")
    (places / "one" / "back").symlink_to("forth")
    (places / "one" / "forth").symlink_to("back")
    for path in ("round/x.safetensors", str(places / "one" / "back" / "x.safetensors")):
        with pytest.raises((NotFound, NotAllowed)):
            opened(sources, path)
    assert "'round' is a link" in refusal(sources, "round", UnreadableFile)
    for path in ("x" * 5_000, "x/" * 5_000, str(places / "one" / ("x" * 300))):
        with pytest.raises((NotFound, UnreadableFile)):
            opened(sources, path)


def test_a_folder_and_a_pipe_are_no_checkpoints(sources: Sources, places: Path) -> None:
    os.mkfifo(places / "one" / "pipe")
    for path in ("deep", "pipe", "."):
        assert "is not a regular file" in refusal(sources, path, UnreadableFile)


def test_without_a_root_nothing_is_opened_and_the_option_is_named(places: Path) -> None:
    assert "--root" in refusal(sources_of(), str(places / "one" / "x.safetensors"), NotAllowed)


@pytest.mark.parametrize("path", [None, 3, "", ["x"], "x\0y"])
def test_what_is_no_path_is_refused(sources: Sources, path: Any) -> None:
    assert "source.path: expected the path of a file" in refusal(sources, path, Invalid)
