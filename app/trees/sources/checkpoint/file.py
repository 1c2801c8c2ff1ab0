"""A file opened to be read by ranges: regular, no link, never mapped, since others can cut it short."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from app.errors import NotFound, UnreadableFile
from app.translation import said

# O_NONBLOCK: opening a named pipe must not wait for its writer.
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY


class FileStamp(msgspec.Struct, frozen=True):
    """Which file, as it was when it was opened; two equal stamps are the same bytes, as far as a system can tell."""

    name: str
    device: int
    inode: int
    size: int
    modified_ns: int


class OpenedFile:
    """A file's bytes by range; `name` is its name without the folder."""

    def __init__(self, descriptor: int, name: str) -> None:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableFile(said("%(name)r is not a regular file.", name=name))
        self.name = name
        self.size = status.st_size
        self.stamp = FileStamp(name, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        self._descriptor = descriptor

    def read(self, offset: int, count: int) -> bytes:
        """Return exactly `count` bytes from `offset`; raises as `read_into`."""
        try:
            data = os.pread(self._descriptor, count, offset)
        except OSError as error:
            raise self._failure(error) from error
        if len(data) == count:
            return data
        buffer = bytearray(count)
        self.read_into(memoryview(buffer), offset)
        return bytes(buffer)

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Fill `buffer` from `offset`; raises `UnreadableFile` when the file ends before, or its disk fails."""
        while len(buffer):
            try:
                count = os.preadv(self._descriptor, [buffer], offset)
            except OSError as error:
                raise self._failure(error) from error
            if count == 0:
                raise UnreadableFile(
                    said(
                        "%(name)r ends at byte %(offset)s; more was there when it was opened.",
                        name=self.name,
                        offset=f"{offset:,}",
                    )
                )
            buffer, offset = buffer[count:], offset + count

    def _failure(self, error: OSError) -> UnreadableFile:
        return UnreadableFile(said("%(name)r cannot be read: %(strerror)s.", name=self.name, strerror=error.strerror))


@contextmanager
def open_folder(path: Path) -> Iterator[int]:
    """Open a folder, so that files in it are found relative to it whatever happens to its path meanwhile."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
    except (OSError, ValueError) as error:
        raise NotFound(said("There is no folder %(name)r.", name=path.name)) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def open_in(folder: int, name: str) -> Iterator[OpenedFile]:
    """Open a regular file by its plain name in an opened folder, not following a link.

    Raises `NotFound` where there is none, `UnreadableFile` where it is something else.
    """
    try:
        descriptor = os.open(name, _FLAGS, dir_fd=folder)
    except (OSError, ValueError) as error:
        raise _why_not(name, error) from error
    try:
        yield OpenedFile(descriptor, name)
    finally:
        os.close(descriptor)


@contextmanager
def open_file(path: Path) -> Iterator[OpenedFile]:
    """Open a regular file, not following a link at its last component; errors as `open_in`."""
    with open_folder(path.parent) as folder, open_in(folder, path.name) as file:
        yield file


@contextmanager
def reopen(folder: Path, stamp: FileStamp) -> Iterator[OpenedFile]:
    """Open again what a stamp names; raises `UnreadableFile` when it is no longer the same file, unchanged."""
    with open_file(folder / stamp.name) as file:
        if file.stamp != stamp:
            raise UnreadableFile(
                said("%(name)r has changed since its header was read: open the checkpoint again.", name=stamp.name)
            )
        yield file


def _why_not(name: str, error: OSError | ValueError) -> NotFound | UnreadableFile:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.ENOENT:
        return NotFound(said("There is no file %(name)r.", name=name))
    if number == errno.ELOOP:
        return UnreadableFile(
            said("%(name)r is a link, and links are not followed: put the file itself there.", name=name)
        )
    reason = os.strerror(number) if number is not None else said("not a name of a file")
    return UnreadableFile(said("%(name)r cannot be opened: %(reason)s.", name=name, reason=reason))
