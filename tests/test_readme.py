"""The README's tour, run as a newcomer would: paste, and compare with what stands below."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.live import ROOT, LiveServer

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MAX_PICTURE_BYTES = 200_000


def blocks() -> list[tuple[str, str]]:
    return [(kind, text) for kind, text in BLOCK.findall(README)]


def test_every_command_of_the_tour_runs_and_prints_what_is_shown_below_it(server: LiveServer, tmp_path: Path) -> None:
    script, outputs = ["set -euo pipefail"], []
    for number, (kind, text) in enumerate(blocks()):
        if kind == "sh":
            script.append(f"{{\n{text}\n}} > {tmp_path}/{number}")
            outputs.append((number, ""))
        else:
            outputs[-1] = (outputs[-1][0], text)
    told = "\n".join(script).replace("127.0.0.1:8000", server.url.removeprefix("http://"))

    done = subprocess.run(["bash", "-c", told], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    assert len(outputs) >= 5
    for number, shown in outputs:
        printed = (tmp_path / str(number)).read_text(encoding="utf-8")
        assert shown.strip() in printed


@pytest.mark.parametrize("name", re.findall(r"\]\(((?!https?:)[^)]+)\)", README))
def test_files_that_the_readme_shows_are_there_and_small(name: str) -> None:
    assert 0 < (ROOT / name).stat().st_size < MAX_PICTURE_BYTES
