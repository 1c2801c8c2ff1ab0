"""The directory of a ZIP archive as torch writes it: files found through the central directory alone.

APPNOTE 6.3.10 of PKWARE, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.14 to 4.3.16 (its end).
"""

import struct
from array import array
from dataclasses import dataclass

import numpy as np

from app.errors import TooLarge, UnreadableFile
from app.translation import said
from app.trees.sources.checkpoint.contents import Record
from app.trees.sources.checkpoint.file import OpenedFile

LOCAL_MAGIC = b"PK\x03\x04"
_CENTRAL_MAGIC = b"PK\x01\x02"
_END_MAGIC = b"PK\x05\x06"
_END64_MAGIC = b"PK\x06\x06"
_LOCATOR64_MAGIC = b"PK\x06\x07"
_LOCAL = struct.Struct("<4s2x2H16x2H")
_CENTRAL = struct.Struct("<4s4x2H4x3I3H8xI")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR64 = struct.Struct("<4sIQI")
_MOST_COMMENT = 65_535
_ENCRYPTED = 1
_IN_64 = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class _End:
    """Where the central directory is, and how many files it lists."""

    start: int
    size: int
    count: int


def read_archive(file: OpenedFile, max_directory_bytes: int) -> dict[str, Record]:
    """Return the files of an archive by name.

    Raises `UnreadableFile` with the rule that is broken: every file has a name of its own, lies before the directory
    and overlaps no other, none is encrypted, and nothing follows the archive.
    """
    end = _find_end(file)
    if end.size > max_directory_bytes:
        detail = said(
            "The ZIP directory of %(name)r has %(size)s bytes, the limit is %(max_directory_bytes)s.",
            name=file.name,
            size=f"{end.size:,}",
            max_directory_bytes=f"{max_directory_bytes:,}",
        )
        raise TooLarge(detail, max_directory_bytes)
    directory = file.read(end.start, end.size)
    records: dict[str, Record] = {}
    spans = array("q"), array("q")
    at = 0
    for _ in range(end.count):
        at = _read_entry(file, directory, at, records, spans)
    if at != len(directory):
        raise _refusal(file, said("its ZIP directory is longer than the files it lists"))
    _check_spans(file, *spans, end.start)
    return records


def data_start(file: OpenedFile, record: Record) -> int:
    """Return where the data of a stored file begins; raises `UnreadableFile` when its local header does not fit."""
    header = file.read(record.header_at, _LOCAL.size)
    magic, flags, method, name_size, extra_size = _LOCAL.unpack(header)
    name = file.read(record.header_at + _LOCAL.size, name_size)
    start: int = record.header_at + _LOCAL.size + name_size + extra_size
    if magic != LOCAL_MAGIC or method or flags & _ENCRYPTED or name != record.name.encode():
        raise _refusal(file, said("the local header of %(name)r is not what the ZIP directory says", name=record.name))
    if start + record.size > file.size:
        raise _refusal(file, said("the data of %(name)r goes beyond the end of the file", name=record.name))
    return start


def _find_end(file: OpenedFile) -> _End:
    tail_at = max(0, file.size - _END.size - _MOST_COMMENT)
    tail = file.read(tail_at, file.size - tail_at)
    at = tail.rfind(_END_MAGIC)
    if at < 0 or len(tail) - at < _END.size:
        raise _refusal(file, said("the end of the ZIP directory is missing, as in a file that was cut short"))
    _, disk, start_disk, here, count, size, start, comment = _END.unpack_from(tail, at)
    if at + _END.size + comment != len(tail):
        raise _refusal(file, said("something follows the ZIP archive"))
    end_at = tail_at + at
    if at >= _LOCATOR64.size and tail[at - _LOCATOR64.size :].startswith(_LOCATOR64_MAGIC):
        end_at, disk, start_disk, here, count, size, start = _find_end64(file, end_at - _LOCATOR64.size)
    if disk or start_disk or here != count:
        raise _refusal(file, said("its ZIP archive is one part of several"))
    if start + size != end_at:
        raise _refusal(file, said("its ZIP directory is not where the archive says it is"))
    return _End(start, size, count)


def _find_end64(file: OpenedFile, locator_at: int) -> tuple[int, int, int, int, int, int, int]:
    _, _, end_at, _ = _LOCATOR64.unpack(file.read(locator_at, _LOCATOR64.size))
    if end_at + _END64.size > locator_at:
        raise _refusal(file, said("the end of its ZIP directory is not where the archive says it is"))
    magic, _, _, _, disk, start_disk, here, count, size, start = _END64.unpack(file.read(end_at, _END64.size))
    if magic != _END64_MAGIC:
        raise _refusal(file, said("the end of its ZIP directory is not where the archive says it is"))
    return end_at, disk, start_disk, here, count, size, start


def _read_entry(
    file: OpenedFile, directory: bytes, at: int, records: dict[str, Record], spans: tuple["array[int]", "array[int]"]
) -> int:
    if at + _CENTRAL.size > len(directory):
        raise _refusal(file, said("its ZIP directory ends before the files it lists"))
    magic, flags, method, checksum, stored, size, name_size, extra_size, comment_size, header_at = _CENTRAL.unpack_from(
        directory, at
    )
    name_at = at + _CENTRAL.size
    extra_at = name_at + name_size
    after: int = extra_at + extra_size + comment_size
    if magic != _CENTRAL_MAGIC or after > len(directory):
        raise _refusal(file, said("its ZIP directory is broken"))
    name = _name(file, directory[name_at:extra_at])
    if _IN_64 in {stored, size, header_at}:
        extra = directory[extra_at : extra_at + extra_size]
        size, stored, header_at = _in_64(file, name, extra, (size, stored, header_at))
    is_stored = method == 0
    if is_stored and stored != size:
        raise _refusal(
            file,
            said(
                "%(name)r in it is stored in %(stored)s bytes and has %(size)s",
                name=name,
                stored=f"{stored:,}",
                size=f"{size:,}",
            ),
        )
    if flags & _ENCRYPTED:
        raise _refusal(file, said("%(name)r in it is encrypted", name=name))
    if name in records:
        raise _refusal(file, said("%(name)r is in it twice", name=name))
    data_end = header_at + _LOCAL.size + name_size + stored
    if data_end > file.size:
        raise _refusal(file, said("%(name)r in it goes beyond its end", name=name[:200]))
    records[name] = Record(name, header_at, size, checksum, is_stored)
    spans[0].append(header_at)
    spans[1].append(data_end)
    return after


def _name(file: OpenedFile, name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError as error:
        raise _refusal(file, said("a name in its ZIP directory is not UTF-8: %(name)r", name=name[:100])) from error


def _in_64(file: OpenedFile, name: str, extra: bytes, values: tuple[int, int, int]) -> list[int]:
    at, num_wide = 0, values.count(_IN_64)
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, at)
        at += 4
        if kind == 1 and num_wide * 8 <= min(size, len(extra) - at):
            wide = iter(struct.unpack_from(f"<{num_wide}Q", extra, at))
            return [next(wide) if value == _IN_64 else value for value in values]
        at += size
    raise _refusal(file, said("the size of %(name)r in its ZIP directory is missing", name=name))


def _check_spans(file: OpenedFile, starts: "array[int]", ends: "array[int]", directory_at: int) -> None:
    start, end = np.frombuffer(starts, np.int64), np.frombuffer(ends, np.int64)
    order = np.argsort(start, kind="stable")
    if np.any(end[order[:-1]] > start[order[1:]]):
        raise _refusal(file, said("two files in its ZIP archive overlap"))
    if np.any(end > directory_at):
        raise _refusal(file, said("a file in its ZIP archive goes beyond the directory"))


def _refusal(file: OpenedFile, rule: str) -> UnreadableFile:
    return UnreadableFile(said("%(name)r is not a file of torch.save: %(rule)s.", name=file.name, rule=rule))
