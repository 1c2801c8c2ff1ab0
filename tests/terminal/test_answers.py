"""What `moduletree tree` answers, and what it refuses."""

import json
from pathlib import Path

import pytest
import torch

from app.errors import Invalid, TargetNotFound
from app.terminal.answers import Asked, answer
from app.terminal.named import Named, named


@pytest.fixture
def checkpoint(tmp_path: Path) -> Named:
    state = {f"h.{number}.attn.weight": torch.zeros(4, 4) for number in range(2)}
    torch.save(state, tmp_path / "state.pt")
    return named(str(tmp_path / "state.pt"))


def test_what_is_found_is_printed(checkpoint: Named, capsys: pytest.CaptureFixture[str]) -> None:
    answer(checkpoint, Asked(find="attn numel>10 dtype:f32"))
    assert capsys.readouterr().out.splitlines()[-1] == "2 tensors found"


def test_what_is_found_is_one_document_as_json(checkpoint: Named, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    answer(checkpoint, Asked(target="h.1", find="attn", as_json=True))
    found = json.loads(capsysbinary.readouterr().out)
    assert (found["num_modules"], found["num_tensors"], found["next"]) == (1, 0, None)
    assert [row["path"] for row in found["rows"] if row["is_found"]] == ["h.1.attn"]


def test_a_target_is_printed_without_what_is_above(checkpoint: Named, capsys: pytest.CaptureFixture[str]) -> None:
    answer(checkpoint, Asked(target="h.1", parameters=True))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["(1):", "?", "16"]
    assert lines[-1] == ["16", "parameters"]


def test_a_target_that_is_not_there_is_refused(checkpoint: Named) -> None:
    with pytest.raises(TargetNotFound, match="has no attribute `nosuch`"):
        answer(checkpoint, Asked(target="h.nosuch"))


def test_a_query_that_is_none_is_refused_before_anything_is_printed(
    checkpoint: Named, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Invalid, match="character 7"):
        answer(checkpoint, Asked(find="numel>x"))
    assert not capsys.readouterr().out
