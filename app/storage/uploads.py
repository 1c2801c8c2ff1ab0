"""Uploaded checkpoints: each in a folder of its own, kept as long as the tree that was opened from it."""

import os
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from app.errors import Invalid, Misfit, ModuletreeError, TooLarge
from app.storage.records import new_id
from app.translation import said
from app.trees.origin import Origin
from app.trees.sources.checkpoint.file import FileStamp, open_file

PREFIX = "u_"
CHUNK_BYTES = 1024 * 1024
MAX_NAME_BYTES = 200
# What the reader of a form takes at most: it keeps each file of more than 1 MiB open.
MAX_FILES = 1_000
INDEX_SUFFIX = ".safetensors.index.json"
SHARD_SUFFIX = ".safetensors"
SUFFIXES = (INDEX_SUFFIX, SHARD_SUFFIX, ".pt", ".pth", ".bin", ".ckpt")
SIBLING = "config.json"


@dataclass(frozen=True, slots=True)
class Received:
    """A file as it came: the name that its sender gave it, and its content."""

    name: str
    content: BinaryIO


@dataclass(frozen=True, slots=True)
class Upload:
    """What was received: its id, and the file of it that is to be opened."""

    id: str
    path: Path


class Uploads:
    """A folder of uploads."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def receive(self, files: Sequence[Received], max_bytes: int) -> Upload:
        """Write the files and return the upload: one checkpoint, or an index with its shards, and a `config.json`.

        Raises `Invalid` for names that do not say which file to open, and `TooLarge` past `max_bytes` in all; then
        nothing is left.
        """
        names = [_plain(file.name) for file in files]
        main = _main(names)
        upload_id = new_id(PREFIX)
        folder = self.directory / upload_id
        folder.mkdir(mode=0o700)
        try:
            written = 0
            for name, file in zip(names, files, strict=True):
                written = _write(folder / name, file.content, written, max_bytes)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return Upload(upload_id, folder / main)

    def settle(self, upload: Upload) -> None:
        """Return once the upload is on the disk, where it has to be before a tree refers to it."""
        folder = upload.path.parent
        for path in (*folder.iterdir(), folder, self.directory):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def locate(self, upload_id: str, origin: Origin) -> Origin:
        """Return the origin of an upload with its files where and as they are now.

        Nobody changes an upload, so that a file of the same name and size is the same one, though it came back from a
        backup or the folder was moved.
        """
        folder = self.directory / upload_id
        files = [_as_it_is_now(folder, stamp) for stamp in origin.files]
        return msgspec.structs.replace(origin, path=str(folder / Path(origin.path).name), files=files)

    def delete(self, upload_id: str) -> None:
        """Delete an upload; one that is gone already is no error."""
        if re.fullmatch(r"u_[a-z2-7]+", upload_id):
            shutil.rmtree(self.directory / upload_id, ignore_errors=True)

    def sweep(self, keep: Iterable[str | None]) -> None:
        """Delete every upload that no tree was opened from: what a stop in mid-write has left."""
        kept = set(keep)
        for folder in self.directory.iterdir():
            if folder.name not in kept:
                self.delete(folder.name)


def _write(path: Path, content: BinaryIO, written: int, most: int) -> int:
    with path.open("xb") as file:
        while chunk := content.read(CHUNK_BYTES):
            written += len(chunk)
            if written > most:
                raise TooLarge(
                    said(
                        "The upload has more than %(most)s bytes, which is the limit here: start the server with "
                        "a larger --max-upload, or put the file under a --root and open it from there.",
                        most=f"{most:,}",
                    ),
                    most,
                )
            file.write(chunk)
    return written


def _as_it_is_now(folder: Path, stamp: FileStamp) -> FileStamp:
    try:
        with open_file(folder / stamp.name) as file:
            return file.stamp if file.stamp.size == stamp.size else stamp
    except ModuletreeError:
        return stamp


def _plain(name: str) -> str:
    # A sender may name a path: its last part is the file's name here.
    plain = re.split(r"[/\\]", name)[-1]
    # What is not printable is a control character, turns the text around it, or has no bytes in UTF-8.
    if plain in ("", ".", "..") or not plain.isprintable() or len(plain.encode()) > MAX_NAME_BYTES:
        raise _invalid(said("%(name)r is not a name of a file.", name=name[:MAX_NAME_BYTES]))
    return plain


def _main(names: Sequence[str]) -> str:
    # An index is opened and finds its shards; else there is one checkpoint. A config.json may lie beside either.
    if len(set(names)) < len(names):
        raise _invalid(said("two files have the same name."))
    if len(names) > MAX_FILES:
        raise _invalid(
            said(
                "expected at most %(max_files)s files, got %(num)s.", max_files=f"{MAX_FILES:,}", num=f"{len(names):,}"
            )
        )
    given = [name for name in names if name != SIBLING]
    unfit = [name for name in given if not name.endswith(SUFFIXES)]
    if unfit or not given:
        got = f"got {unfit[0]!r}" if unfit else "got none"
        raise _invalid(
            said(
                "expected a file that ends in %(names)s or %(suffixes)s, %(got)s.",
                names=", ".join(SUFFIXES[1:-1]),
                suffixes=SUFFIXES[-1],
                got=got,
            )
        )
    mains = [name for name in given if name.endswith(INDEX_SUFFIX)] or given
    if len(mains) > 1 or not all(name.endswith(SHARD_SUFFIX) for name in given if name not in mains):
        raise _invalid(said("expected one checkpoint, or one *.safetensors.index.json with its shards."))
    return mains[0]


def _invalid(msg: str) -> Invalid:
    return Invalid(said("file: %(msg)s", msg=msg), (Misfit(("file",), msg),))
