"""A disk of a few MB for a server that is forked: full when a test says so, and with room again."""

import ctypes
import os
import resource
from pathlib import Path

from tests.live import LiveServer

# Of <linux/sched.h>.
NEW_MOUNTS, NEW_USER = 0x00020000, 0x10000000
PIECE_BYTES = 1 << 16


class SmallDisk:
    """A tmpfs in the place of a folder, seen by the server alone and by all that it starts: gone when they are.

    Where this machine lets nobody mount one, a limit on the size of every file stands in for it.
    """

    def __init__(self, folder: Path, num_bytes: int) -> None:
        self.folder = folder
        self.num_bytes = num_bytes

    def __call__(self) -> None:
        """Mount it, in the process that will be the server."""
        uid, gid = os.getuid(), os.getgid()
        self.folder.mkdir(parents=True)
        libc = ctypes.CDLL(None)
        if libc.unshare(NEW_MOUNTS | NEW_USER) == 0:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
            Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
            libc.mount(b"none", bytes(self.folder), b"tmpfs", 0, f"size={self.num_bytes}".encode())

    def fill(self, server: LiveServer) -> None:
        """Leave no room on it."""
        seen = self._seen(server)
        if not seen.is_mount():
            self._limit(server, (self.folder / "moduletree.db-wal").stat().st_size)
            return
        with (seen / "filler").open("wb", buffering=0) as file:
            for size in (PIECE_BYTES, 4096):
                self._write_all(file.fileno(), bytes(size))

    def free(self, server: LiveServer) -> None:
        """Give the room back."""
        self._limit(server, resource.RLIM_INFINITY)
        (self._seen(server) / "filler").unlink(missing_ok=True)

    def _seen(self, server: LiveServer) -> Path:
        return Path(f"/proc/{server.process.pid}/root/{self.folder}")

    def _limit(self, server: LiveServer, num_bytes: int) -> None:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (num_bytes, resource.RLIM_INFINITY))

    def _write_all(self, fd: int, piece: bytes) -> None:
        try:
            while os.write(fd, piece):
                pass
        except OSError:
            return
