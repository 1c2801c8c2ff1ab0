"""The data directory: one server at a time, its database and its tensor files in known places."""

import fcntl
import os
import time
from pathlib import Path

from app.errors import ModuletreeError
from app.storage.data_files import DataFiles
from app.storage.tensor_files import TensorFiles
from app.storage.uploads import Uploads

PATIENCE_S = 1.0
LOOK_AGAIN_S = 0.02


class DirectoryInUse(ModuletreeError):
    """The data directory cannot be made or written, or another server works on it."""


class DataDirectory:
    """Holds a data directory for this process until `close`.

    The lock is the kernel's (`flock`), so that it ends with the process however that ends.
    """

    def __init__(self, path: Path) -> None:
        """Make the directory if it is missing and lock it; raises `DirectoryInUse` with what is wrong."""
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DirectoryInUse(f"The data directory {path} cannot be used: {error.strerror}.") from error
        try:
            self._take_lock()
        except OSError as error:
            holder = os.read(self._lock, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._lock)
            raise DirectoryInUse(
                f"The data directory {path} is in use by another server (process {holder}): "
                "stop it, or name another directory with --data-dir."
            ) from error
        try:
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, str(os.getpid()).encode(), 0)
            self.tensors = TensorFiles(path / "tensors")
            self.uploads = Uploads(path / "uploads")
            self.data = DataFiles(path / "data")
        except OSError as error:
            os.close(self._lock)
            raise DirectoryInUse(f"The data directory {path} cannot be used: {error.strerror}.") from error

    def _take_lock(self) -> None:
        # A server that was killed a moment ago may still hold it: the kernel closes a process's files one by one.
        give_up_at = time.monotonic() + PATIENCE_S
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= give_up_at:
                    raise
                time.sleep(LOOK_AGAIN_S)
            else:
                return

    def close(self) -> None:
        """Give the directory free."""
        os.close(self._lock)
