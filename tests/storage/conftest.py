"""Trees on a folder of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.storage.kept_trees import KeptTrees


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[KeptTrees]:
    """Trees that are stopped at the end of the test."""
    kept = KeptTrees(tmp_path)
    yield kept
    kept.close()
