"""A `.pt` or `.pth` file of `torch.save`: a ZIP archive of a pickle and its storages, read without unpickling.

The pickle says names, shapes, dtypes, strides and places; the storages are only measured. The branches of a nested
dict are joined to names by dots.
"""

import zlib
from pathlib import Path
from typing import NoReturn

from app.collector import collector_paused
from app.errors import TooLarge, UnreadableFile
from app.translation import said
from app.trees.sources.checkpoint.archive import LOCAL_MAGIC, data_start, read_archive
from app.trees.sources.checkpoint.contents import Contents, Format, Record
from app.trees.sources.checkpoint.dtypes import STORAGES
from app.trees.sources.checkpoint.file import OpenedFile, open_file
from app.trees.sources.checkpoint.limits import HeaderLimits
from app.trees.sources.checkpoint.pickle_values import Global, Storage
from app.trees.sources.checkpoint.pickled import read_pickle
from app.trees.sources.checkpoint.rebuilds import UNTYPED
from app.trees.sources.checkpoint.refusal import Refusal
from app.trees.sources.checkpoint.state import StateReader

_PICKLE = "/data.pkl"
_MOST_KEY = 100
_LEGACY_MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
_KINDS_BY_MAGIC = {
    _LEGACY_MAGIC: said(
        "it was written by torch.save's format before 1.6, which cannot be read without unpickling; load "
        "it and save it again"
    ),
    b"\x80": said("it is a bare pickle, which is not read"),
    b"GGUF": said("it is a GGUF file"),
    b"\x89HDF": said("it is an HDF5 file"),
    b"\x93NUMPY": said("it is a NumPy file"),
    b"\x1f\x8b": said("it is compressed by gzip"),
}


def read_torch_file(path: Path, limits: HeaderLimits) -> Contents:
    """Return what the pickle of a file says; nothing in it is run or imported, and no storage is read.

    Raises `UnreadableFile` with the rule that is broken: what a state dict does not need is refused by name, as are
    whole modules (with the classes they need), TorchScript, and files from before torch 1.6. `TooLarge` over a limit.
    """
    with open_file(path) as file, collector_paused():
        contents = Contents(Format.TORCH, path.parent, [file.stamp])
        archive = _Archive(file, limits)
        try:
            value = read_pickle(archive.pickle(contents), archive.storage, max_opcodes=limits.max_opcodes)
            StateReader(contents, archive.record, limits).read(value)
        except Refusal as error:
            raise _refusal(file, error.rule) from None
    return contents


class _Archive:
    """The files of the archive, below the folder that all of them are in."""

    def __init__(self, file: OpenedFile, limits: HeaderLimits) -> None:
        self._file = file
        self._limits = limits
        self._check_magic()
        self._records = read_archive(file, limits.max_index_bytes)
        self._folder = self._find_folder()
        self._data = f"{self._folder}/data/"
        self._check_kind()

    def pickle(self, contents: Contents) -> bytes:
        """Return the pickle; notes in `contents` when it is not what its checksum says."""
        record = self._records[self._folder + _PICKLE]
        limit = self._limits.max_pickle_bytes
        if record.size > limit:
            raise TooLarge(
                said(
                    "%(name)r has a pickle of %(size)s bytes, the limit is %(limit)s.",
                    name=self._file.name,
                    size=f"{record.size:,}",
                    limit=f"{limit:,}",
                ),
                limit,
            )
        data = self._file.read(data_start(self._file, record), record.size)
        if record.checksum and zlib.crc32(data) != record.checksum:
            contents.notes.append(said("The pickle is not what its checksum says: the file may be damaged."))
        return data

    def record(self, key: str) -> Record:
        """Return the file of a storage that was found."""
        return self._records[self._data + key]

    def storage(self, name: object) -> Storage:
        """Return the storage of a persistent id: ("storage", class, key, location, number of elements)."""
        if not isinstance(name, tuple) or len(name) != 5:
            raise Refusal(said("its pickle refers to something that is not a storage"))
        word, kind, key, _, count = name
        if word != "storage" or not isinstance(kind, Global) or not isinstance(key, str) or type(count) is not int:
            raise Refusal(said("its pickle refers to something that is not a storage"))
        if len(key) > _MOST_KEY:
            raise Refusal(said("its pickle has a storage with a name of %(num)s characters", num=f"{len(key):,}"))
        dtype = STORAGES.get(kind.path)
        if dtype is None and kind.path != UNTYPED:
            raise Refusal(said("its pickle has a storage of %(path)s, which is none", path=kind.path))
        size = count * (dtype.bits // 8 if dtype is not None else 1)
        record = self._records.get(self._data + key)
        if record is None or record.size != size:
            there = f"is {record.size:,}" if record is not None else said("is not there")
            raise Refusal(
                said(
                    "storage %(key)r should have %(size)s bytes, and the file of it %(there)s",
                    key=key,
                    size=f"{size:,}",
                    there=there,
                )
            )
        return Storage(key, size, dtype.word if dtype is not None else "")

    def _check_magic(self) -> None:
        magic = self._file.read(0, min(self._file.size, 512))
        if magic.startswith(LOCAL_MAGIC):
            return
        for known, rule in _KINDS_BY_MAGIC.items():
            if magic.startswith(known):
                self._refuse(rule)
        if magic[257:262] == b"ustar":
            self._refuse(said("it is a tar archive, as torch.save wrote before 0.1.10"))
        self._refuse(said("it is not a ZIP archive"))

    def _find_folder(self) -> str:
        records = self._records
        folders = [name.removesuffix(_PICKLE) for name in records if name.endswith(_PICKLE) and name.count("/") == 1]
        if len(folders) != 1:
            what = said("no data.pkl") if not folders else said("more than one data.pkl")
            exported = any(name.endswith("/archive_format") or name == "archive_format" for name in records)
            self._refuse(
                said("there is %(what)s in the archive", what=what)
                + (said(": it is an exported program") if exported else "")
            )
        return folders[0]

    def _check_kind(self) -> None:
        folder, records = self._folder, self._records
        if f"{folder}/constants.pkl" in records or any(name.startswith(f"{folder}/code/") for name in records):
            self._refuse(said("it is TorchScript, a program; save the module's state_dict() instead"))
        if f"{folder}/.data/extern_modules" in records:
            self._refuse(said("it is a torch.package, which holds code"))
        for name, record in records.items():
            if not record.is_stored:
                self._refuse(said("%(name)r in it is compressed, and torch.save stores", name=name[:200]))
        order = records.get(f"{folder}/byteorder")
        if order is not None and self._file.read(data_start(self._file, order), min(order.size, 6)) != b"little":
            self._refuse(said("its numbers are not little-endian"))

    def _refuse(self, rule: str) -> NoReturn:
        raise _refusal(self._file, rule)


def _refusal(file: OpenedFile, rule: str) -> UnreadableFile:
    return UnreadableFile(said("%(name)r is not a state dict that can be read: %(rule)s.", name=file.name, rule=rule))
