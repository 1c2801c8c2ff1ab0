"""Readings in a real process: what comes back, what is kept, and what happens when it is lost or nobody waits."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from app.errors import CannotDo, Invalid, ModuletreeError, TooManyRuns, UnreadableFile
from app.trees.sources.checkpoint.contents import TensorPlace
from app.trees.sources.checkpoint.heat_map import read_heat_map
from app.trees.sources.checkpoint.opening import read_checkpoint
from app.trees.sources.checkpoint.questions import Progress, StatsQuestion, heard_decoder
from app.trees.sources.checkpoint.readings import Readings
from app.trees.sources.checkpoint.statistics import read_stats
from app.trees.sources.jobs import receive, send
from tests.trees.sources.checkpoint.files import entry, safetensors_bytes, write

WITHIN_S = 60
ENDLESS_BYTES = 2**40
ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def readings() -> Iterator[Readings]:
    """One process for all tests that leave it alive."""
    made = Readings()
    yield made
    made.close()


@pytest.fixture
def place(tmp_path: Path) -> TensorPlace:
    """A tensor of 3 x 40 x 50 in `tmp_path`."""
    save_file({"x": torch.randn(3, 40, 50, generator=torch.Generator().manual_seed(1))}, tmp_path / "x.safetensors")
    return read_checkpoint(tmp_path / "x.safetensors").place(0)


def endless(folder: Path, name: str = "endless") -> TensorPlace:
    """A tensor of a tebibyte of zeros, of which the disk holds none: nobody waits for its end."""
    header = safetensors_bytes({"x": entry("BF16", [2**19, 2**20], 0, ENDLESS_BYTES)})
    path = write(folder / f"{name}.safetensors", header)
    os.truncate(path, len(header) + ENDLESS_BYTES)
    return read_checkpoint(path).place(0)


def begun(readings: Readings, folder: Path, place: TensorPlace) -> None:
    """Ask for what never ends, and return when it is being read."""
    reading = readings.stats(folder, place)
    while not reading.progress[0]:
        with pytest.raises(TimeoutError):
            reading.result(0.05)
    assert reading.progress[0] < reading.progress[1] == place.numel


def test_what_comes_back_is_what_is_read_here(readings: Readings, tmp_path: Path, place: TensorPlace) -> None:
    assert readings.stats(tmp_path, place).result(WITHIN_S) == read_stats(tmp_path, place)
    assert readings.heat_map(tmp_path, place, (1,)).result(WITHIN_S) == read_heat_map(tmp_path, place, (1,))


def test_what_was_read_is_kept(readings: Readings, tmp_path: Path, place: TensorPlace) -> None:
    readings.stats(tmp_path, place).result(WITHIN_S)
    (tmp_path / "x.safetensors").unlink()
    again = readings.stats(tmp_path, place)
    assert again.is_done
    assert again.result().max == read_maximum()


def read_maximum() -> float:
    return float(torch.randn(3, 40, 50, generator=torch.Generator().manual_seed(1)).max())


def test_errors_keep_their_class_and_are_told_once(readings: Readings, tmp_path: Path, place: TensorPlace) -> None:
    with pytest.raises(Invalid, match=r"expected 1 numbers below \[3\], got \[7\]"):
        readings.heat_map(tmp_path, place, (7,)).result(WITHIN_S)
    os.utime(tmp_path / "x.safetensors", ns=(1, 1))
    with pytest.raises(UnreadableFile, match=r"'x\.safetensors' has changed since its header was read"):
        readings.stats(tmp_path, place).result(WITHIN_S)
    os.utime(tmp_path / "x.safetensors", ns=(place.file.modified_ns, place.file.modified_ns))
    assert readings.stats(tmp_path, place).result(WITHIN_S).max == read_maximum()


def test_an_error_waits_for_whoever_asks_next(readings: Readings, tmp_path: Path, place: TensorPlace) -> None:
    (tmp_path / "x.safetensors").unlink()
    waiting = readings.stats(tmp_path, place)
    # What is asked for later comes later: when it is there, so is the error.
    other = tmp_path / "other"
    other.mkdir()
    save_file({"x": torch.ones(3)}, other / "x.safetensors")
    readings.stats(other, read_checkpoint(other / "x.safetensors").place(0)).result(WITHIN_S)
    assert waiting.is_done
    with pytest.raises(ModuletreeError, match=r"There is no file 'x\.safetensors'"):
        readings.stats(tmp_path, place).result(0)


def test_who_asks_the_same_joins_too_many_are_refused_and_the_end_is_told(tmp_path: Path) -> None:
    readings, place, other = Readings(max_waiting=2), endless(tmp_path), endless(tmp_path, "other")
    try:
        begun(readings, tmp_path, place)
        made, waiting = readings.stats(tmp_path, place), readings.heat_map(tmp_path, place, ())
        assert readings.stats(tmp_path, place) is made
        assert (waiting.is_done, waiting.progress) == (False, (0, 0))
        with pytest.raises(TooManyRuns, match="2 readings of values wait for their turn already"):
            readings.stats(tmp_path, other)
    finally:
        readings.close()
    assert readings.pid is None
    for reading in (made, waiting):
        with pytest.raises(CannotDo, match="The server is stopping"):
            reading.result(0)
    with pytest.raises(CannotDo, match="The server is stopping"):
        readings.stats(tmp_path, other)


def test_a_lost_process_is_told_and_another_takes_its_place(tmp_path: Path, place: TensorPlace) -> None:
    readings, long = Readings(), endless(tmp_path)
    try:
        begun(readings, tmp_path, long)
        lost, waiting = readings.stats(tmp_path, long), readings.stats(tmp_path, place)
        first = readings.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        with pytest.raises(CannotDo, match=r"was lost, ended by signal 9 \(SIGKILL\); try again"):
            lost.result(WITHIN_S)
        assert waiting.result(WITHIN_S).max == read_maximum()
        assert readings.pid != first
        # Of this signal Python knows no name.
        begun(readings, tmp_path, long)
        lost, second = readings.stats(tmp_path, long), readings.pid
        assert second is not None
        os.kill(second, signal.SIGRTMIN + 1)
        with pytest.raises(CannotDo, match=r"was lost, ended by signal \d+ \(SIGRTMIN\+1\); try again"):
            lost.result(WITHIN_S)
        assert readings.heat_map(tmp_path, place, (1,)).result(WITHIN_S) == read_heat_map(tmp_path, place, (1,))
    finally:
        readings.close()


def test_what_nobody_wants_any_more_is_given_up(tmp_path: Path, place: TensorPlace) -> None:
    readings = Readings(unwanted_after_s=0.5)
    try:
        unwanted = readings.stats(tmp_path, endless(tmp_path))
        assert readings.stats(tmp_path, place).result(WITHIN_S).max == read_maximum()
        with pytest.raises(CannotDo, match="Nobody has asked for these values for a while"):
            unwanted.result(WITHIN_S)
    finally:
        readings.close()


def test_the_process_ends_when_nobody_is_at_the_other_end(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "app.trees.sources.checkpoint.reader", str(theirs.fileno())]
    with subprocess.Popen(command, cwd=ROOT, pass_fds=(theirs.fileno(),)) as process:
        theirs.close()
        send(ours, StatsQuestion(str(tmp_path), endless(tmp_path)))
        assert isinstance(heard_decoder.decode(receive(ours, WITHIN_S)), Progress)
        ours.close()
        assert process.wait(WITHIN_S) == 0
