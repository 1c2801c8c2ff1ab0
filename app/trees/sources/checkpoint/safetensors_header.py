"""The header of a `.safetensors` file: https://github.com/huggingface/safetensors#format.

Agrees with the reference parser, except where this reader is stricter:

- the header begins with "{" (the format says so, the reference skips white space);
- a tensor, and a text of `__metadata__`, is named once (the format says so; the reference lets the last win, so that
  two readers may see two different tensors);
- a tensor is an object of `dtype`, `shape` and `data_offsets` and nothing else, its dtype a string (the reference also
  takes lists for objects and objects for strings, and skips what it does not know);
- dimensions, their products from the first on, and offsets are below 2**63, as torch's are (the reference: 2**64);
- a tensor has at most 64 dimensions, as NumPy's have, and a name of at most 65,536 characters, and the text of one has
  at most 1 MiB, of `__metadata__` 8 MiB.
"""

from array import array
from collections import Counter
from pathlib import Path

import numpy as np

from app.collector import collector_paused
from app.errors import TooLarge, UnreadableFile
from app.translation import N_, said
from app.trees.description import Kind
from app.trees.sources.checkpoint.contents import Contents, Format
from app.trees.sources.checkpoint.dtypes import SAFETENSORS
from app.trees.sources.checkpoint.file import OpenedFile, open_file
from app.trees.sources.checkpoint.header_text import METADATA, Piece, TensorText, read_pieces
from app.trees.sources.checkpoint.limits import MAX_DIMS, MAX_NAME, HeaderLimits
from app.trees.sources.checkpoint.refusal import Refusal, shown

LENGTH_BYTES = 8
PIECE_BYTES = 65_536


def read_safetensors(path: Path, limits: HeaderLimits, *, piece_bytes: int = PIECE_BYTES) -> Contents:
    """Return what the header of a file says, decoded in pieces of about `piece_bytes`; its data is not read.

    Raises `UnreadableFile` with the rule that is broken and the tensor that breaks it, `TooLarge` over a limit.
    """
    with open_file(path) as file:
        contents = Contents(Format.SAFETENSORS, path.parent, [file.stamp])
        HeaderReader(contents, limits, piece_bytes).read(file)
    return contents


class HeaderReader:
    """Reads headers into the columns of one `Contents`, a file after the other; limits hold for all together."""

    def __init__(self, contents: Contents, limits: HeaderLimits, piece_bytes: int = PIECE_BYTES) -> None:
        self._contents = contents
        self._limits = limits
        self._piece_bytes = piece_bytes
        self._kinds = _Kinds(contents.kinds)
        self._header_bytes = 0

    def read(self, file: OpenedFile, number: int = 0) -> None:
        """Add the tensors of a file, which becomes number `number`, in the order of its header."""
        try:
            length = self._length(file)
            with collector_paused():
                columns = self._read_columns(file, length)
        except Refusal as error:
            raise UnreadableFile(
                said("%(name)r is not a safetensors file: %(rule)s.", name=file.name, rule=error.rule)
            ) from error
        contents, first = self._contents, len(self._contents)
        contents.name += columns.name
        contents.kind += columns.kind
        contents.file.extend([number] * len(columns.name))
        contents.same.extend(range(first, first + len(columns.name)))
        offset = np.frombuffer(columns.begin, np.int64) + (LENGTH_BYTES + length)
        contents.offset.frombytes(offset.tobytes())
        contents.stored_bytes += file.size - LENGTH_BYTES - length

    def _length(self, file: OpenedFile) -> int:
        if file.size < LENGTH_BYTES:
            raise Refusal(
                said("it has %(size)s bytes, and begins with eight that say how long its header is", size=file.size)
            )
        length = int.from_bytes(file.read(0, LENGTH_BYTES), "little")
        rest = file.size - LENGTH_BYTES
        if length > rest:
            raise Refusal(
                said(
                    "its header is said to have %(length)s bytes, and the file has %(rest)s after that number",
                    length=f"{length:,}",
                    rest=f"{rest:,}",
                )
            )
        self._header_bytes += length
        limit = self._limits.max_header_bytes
        if self._header_bytes > limit:
            raise TooLarge(
                said(
                    "%(name)r has a header of %(length)s bytes, the limit of all is %(limit)s.",
                    name=file.name,
                    length=f"{length:,}",
                    limit=f"{limit:,}",
                ),
                limit,
            )
        if length == 0 or file.read(LENGTH_BYTES, 1) != b"{":
            raise Refusal(said('its header does not begin with "{"'))
        return length

    def _read_columns(self, file: OpenedFile, length: int) -> "_Columns":
        columns, has_metadata = _Columns(), False
        limit = self._limits.max_tensors
        for piece in read_pieces(file, LENGTH_BYTES, LENGTH_BYTES + length, self._piece_bytes):
            columns.add(piece, self._kinds)
            if len(self._contents) + len(columns.name) > limit:
                raise TooLarge(
                    said(
                        "%(name)r has more than %(limit)s tensors, which is the limit here.",
                        name=file.name,
                        limit=f"{limit:,}",
                    ),
                    limit,
                )
            if piece.metadata is not None:
                if has_metadata:
                    raise Refusal(said("%(name)s is there twice", name=METADATA))
                has_metadata = True
                self._contents.metadata.update(piece.metadata)
        if len(set(columns.name)) != len(columns.name):
            raise Refusal(said("%(name)s is there twice", name=shown(Counter(columns.name).most_common(1)[0][0])))
        columns.check_layout(self._kinds.num_bytes, file.size - LENGTH_BYTES - length)
        return columns


class _Columns:
    """The tensors of one file."""

    def __init__(self) -> None:
        self.name: list[str] = []
        self.kind = array("q")
        self.begin = array("q")
        self.end = array("q")

    def add(self, piece: Piece, kinds: "_Kinds") -> None:
        """Take in the tensors of a piece."""
        values = piece.tensors.values()
        try:
            self.kind.extend([kinds[tensor.dtype, tensor.shape] for tensor in values])
        except Refusal as error:
            raise Refusal(
                said("tensor %(name)s %(rule)s", name=shown(_of_kind(piece.tensors, kinds)), rule=error.rule)
            ) from None
        spans = [tensor.data_offsets for tensor in values]
        self.begin.extend([span.begin for span in spans])
        self.end.extend([span.end for span in spans])
        self.name.extend(piece.tensors)
        longest = max(map(len, piece.tensors), default=0)
        if longest > MAX_NAME:
            raise TooLarge(
                said(
                    "A tensor has a name of %(longest)s characters, the limit is %(limit)s.",
                    longest=f"{longest:,}",
                    limit=f"{MAX_NAME:,}",
                ),
                MAX_NAME,
            )

    def check_layout(self, num_bytes: list[int], data_bytes: int) -> None:
        """Check that the tensors lie one after the other and fill the data; an empty one may lie between two."""
        begin, end = np.frombuffer(self.begin, np.int64), np.frombuffer(self.end, np.int64)
        expected = np.array(num_bytes or [0], np.int64)[np.frombuffer(self.kind, np.int64)]
        order = np.lexsort((end, begin))
        begin, end, expected = begin[order], end[order], expected[order]
        due = np.concatenate((np.zeros(1, np.int64), end))
        wrong = np.flatnonzero((begin != due[:-1]) | (end - begin != expected))
        if len(wrong):
            at = int(wrong[0])
            before = said("%(name)s ends", name=shown(self.name[int(order[at - 1])])) if at else said("the data begins")
            found = said(
                "tensor %(value)s at data_offsets [%(begin)s, %(end)s]",
                value=shown(self.name[int(order[at])]),
                begin=begin[at],
                end=end[at],
            )
            if begin[at] != due[at]:
                how = (
                    N_("%(found)s leaves a hole: %(before)s at %(due)s")
                    if begin[at] > due[at]
                    else N_("%(found)s overlaps: %(before)s at %(due)s")
                )
                raise Refusal(said(how, found=found, before=before, due=due[at]))
            raise Refusal(
                said(
                    "%(found)s has %(end)s bytes, its dtype and shape need %(expected)s",
                    found=found,
                    end=end[at] - begin[at],
                    expected=expected[at],
                )
            )
        if due[-1] != data_bytes:
            raise Refusal(
                said(
                    "its tensors end at byte %(due)s of the data, and the data has %(data_bytes)s bytes",
                    due=f"{due[-1]:,}",
                    data_bytes=f"{data_bytes:,}",
                )
            )


class _Kinds(dict[tuple[str, tuple[int, ...]], int]):
    """The number of each dtype and shape; a new one that breaks a rule raises `Refusal`."""

    def __init__(self, kinds: list[Kind]) -> None:
        super().__init__()
        self.num_bytes: list[int] = []
        self._kinds = kinds

    def __missing__(self, key: tuple[str, tuple[int, ...]]) -> int:
        word, shape = key
        self.num_bytes.append(_num_bytes(SAFETENSORS[word].bits, shape))
        number = self[key] = len(self._kinds)
        self._kinds.append(Kind(shape, SAFETENSORS[word].word, "file"))
        return number


def _of_kind(tensors: dict[str, TensorText], kinds: _Kinds) -> str:
    """The name of the first tensor whose kind was not taken."""
    return next(name for name, tensor in tensors.items() if (tensor.dtype, tensor.shape) not in kinds)


def _num_bytes(bits: int, shape: tuple[int, ...]) -> int:
    if len(shape) > MAX_DIMS:
        raise Refusal(said("has %(num)s dimensions, at most %(most)s are read", num=f"{len(shape):,}", most=MAX_DIMS))
    size = 1
    for dim in (*shape, bits):
        size *= dim
        if size >= 2**63:
            raise Refusal(said("has a shape, %(shape)s, of 2**63 or more bits", shape=list(shape)))
    if size % 8:
        raise Refusal(said("has %(size)s bits, which is no number of bytes", size=size))
    return size // 8
