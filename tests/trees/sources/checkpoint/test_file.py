from pathlib import Path

import pytest

from app.errors import UnreadableFile
from app.trees.sources.checkpoint.file import open_file


def test_what_a_disk_fails_to_give_is_told() -> None:
    with open_file(Path("/proc/self/mem")) as file:
        with pytest.raises(UnreadableFile, match="'mem' cannot be read: Input/output error"):
            file.read(0, 8)
        with pytest.raises(UnreadableFile, match="'mem' cannot be read: Input/output error"):
            file.read_into(memoryview(bytearray(8)), 0)
