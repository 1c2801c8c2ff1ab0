"""The files of runs, in a folder of their own: what each starts from, its last checkpoint, its result."""

import os
import shutil
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from torch import Tensor

from app.errors import CannotStore, NotFound
from app.training.checkpoint import SUFFIX as CHECKPOINT
from app.training.checkpoint import epoch_of
from app.training.tensors_file import read_tensors, write_tensors
from app.translation import said

SUFFIX = ".safetensors"


class RunFiles:
    """A folder in which the name of every file begins with its run's id."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, in_use: Iterable[str], unfinished: Collection[str]) -> None:
        """Make the folder, and delete what a server that was killed had not finished, or not yet deleted.

        All whole files of `unfinished` runs stay: one that the database does not know of yet may be what they need.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        kept = set(in_use)
        for path in self.folder.iterdir():
            if path.name in kept or path.name.partition("-")[0] in unfinished:
                continue
            if path.name.endswith(SUFFIX) or path.name.startswith(".r_"):
                path.unlink(missing_ok=True)

    def checkpoints(self, run: str) -> Sequence[str]:
        """Return the names of a run's checkpoints, those of the first epochs first."""
        return sorted((path.name for path in self.folder.glob(f"{run}-*{CHECKPOINT}")), key=epoch_of)

    def path(self, name: str) -> Path:
        """Return where the file of a name lies."""
        return self.folder / name

    def add_points(self, run: str, x: Tensor, y: Tensor) -> None:
        """Keep the points of a run whose config does not hold them."""
        write_tensors(self.folder / data_name(run), {"x": x, "y": y})

    def points(self, run: str) -> tuple[Tensor, Tensor]:
        """Return the points that were kept; raises OSError."""
        tensors, _metadata = read_tensors(self.folder / data_name(run))
        return tensors["x"], tensors["y"]

    def add_start(self, run: str, tensors: Path | None, tree: str) -> str:
        """Keep the tensors that a run starts from, and return the name; raises `NotFound` where the tree is gone.

        It is another name for the same file, since the tree may move on, or be deleted, while the run goes on. Without
        a file there are none: the module draws its own.
        """
        name = f"{run}-start{SUFFIX}"
        if tensors is None:
            write_tensors(self.folder / name, {})
            return name
        try:
            os.link(tensors, self.folder / name)
        except FileNotFoundError as error:
            raise NotFound(said("There is no tree %(tree)r.", tree=tree)) from error
        except OSError:
            self._copy(tensors, self.folder / name)
        return name

    def _copy(self, tensors: Path, start: Path) -> None:
        try:
            shutil.copyfile(tensors, start)
        except OSError as error:
            start.unlink(missing_ok=True)
            raise CannotStore(said("The run cannot be kept: %(reason)s.", reason=error.strerror)) from error

    def delete(self, names: Iterable[str]) -> None:
        """Delete files; one that is gone already is no error."""
        for name in names:
            (self.folder / name).unlink(missing_ok=True)

    def delete_all_of(self, run: str) -> None:
        """Delete every file of a run."""
        self.delete(path.name for path in self.folder.glob(f"{run}-*"))


def data_name(run: str) -> str:
    """Return the name of the file that holds the points of a run whose config does not."""
    return f"{run}-data{SUFFIX}"


def result_name(run: str) -> str:
    """Return the name of the file that holds a run's result."""
    return f"{run}-result{SUFFIX}"
