"""The files of runs, in a folder of their own: what each starts from, its last checkpoint, its result."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from app.errors import NotFound
from app.translation import said

SUFFIX = ".safetensors"


class RunFiles:
    """A folder in which the name of every file begins with its run's id."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, in_use: Iterable[str]) -> None:
        """Make the folder, and delete what a server that was killed had not finished, or not yet deleted."""
        self.folder.mkdir(parents=True, exist_ok=True)
        kept = set(in_use)
        for path in self.folder.iterdir():
            if path.name not in kept and (path.name.endswith(SUFFIX) or path.name.startswith(".r_")):
                path.unlink(missing_ok=True)

    def path(self, name: str) -> Path:
        """Return where the file of a name lies."""
        return self.folder / name

    def add_start(self, run: str, tensors: Path, tree: str) -> str:
        """Keep the tensors that a run starts from, and return the name; raises `NotFound` where the tree is gone.

        It is another name for the same file, since the tree may move on, or be deleted, while the run goes on.
        """
        name = f"{run}-start{SUFFIX}"
        try:
            os.link(tensors, self.folder / name)
        except FileNotFoundError as error:
            raise NotFound(said("There is no tree %(tree)r.", tree=tree)) from error
        except OSError:
            shutil.copyfile(tensors, self.folder / name)
        return name

    def delete(self, names: Iterable[str]) -> None:
        """Delete files; one that is gone already is no error."""
        for name in names:
            (self.folder / name).unlink(missing_ok=True)

    def delete_all_of(self, run: str) -> None:
        """Delete every file of a run."""
        self.delete(path.name for path in self.folder.glob(f"{run}-*"))


def result_name(run: str) -> str:
    """Return the name of the file that holds a run's result."""
    return f"{run}-result{SUFFIX}"
