"""The text of a safetensors header, decoded piece by piece into records.

A piece is some hundred tensors, so that what the decoder makes of a header is never there at once.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple, TypeAlias

import msgspec

from app.translation import said
from app.trees.sources.checkpoint.file import OpenedFile
from app.trees.sources.checkpoint.limits import MAX_METADATA
from app.trees.sources.checkpoint.pieces import Cut, exact_cut, likely_cut
from app.trees.sources.checkpoint.refusal import Refusal, shown

METADATA = "__metadata__"
_MOST_ENTRY = 1024 * 1024
_FIRST_IS_METADATA = re.compile(rb'\{[ \t\r\n]*"__metadata__"')

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Word: TypeAlias = Literal[
    "BOOL", "F4", "F6_E2M3", "F6_E3M2", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ",
    "I16", "U16", "F16", "BF16", "I32", "U32", "F32", "C64", "F64", "I64", "U64",
]  # fmt: skip


class Span(msgspec.Struct, array_like=True, gc=False, forbid_unknown_fields=True):
    """The bytes of a tensor, counted from where the data begins."""

    begin: _Count
    end: _Count


class TensorText(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """What a header says of one tensor."""

    dtype: _Word
    shape: tuple[_Count, ...]
    data_offsets: Span


class Piece(NamedTuple):
    """Tensors in the order of the header, and `__metadata__` where the piece has it."""

    tensors: dict[str, TensorText]
    metadata: dict[str, str] | None


_decode_tensors = msgspec.json.Decoder(dict[str, TensorText]).decode
_decode_tensor = msgspec.json.Decoder(TensorText).decode
_decode_parts = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_metadata = msgspec.json.Decoder(dict[str, str] | None).decode


def read_pieces(file: OpenedFile, start: int, stop: int, piece_bytes: int) -> Iterator[Piece]:
    """Yield what the JSON from `start` to `stop` of a file says; raises `Refusal` with the rule that it breaks.

    A name is once in a piece; that it is in no other is for the caller to see.
    """
    at, pending, wanted = start, b"", piece_bytes
    while at < stop:
        block = file.read(at, min(wanted, stop - at))
        at += len(block)
        pending += block
        if at == stop:
            break
        found = _decode_up_to_a_cut(pending)
        wanted = len(pending) if found is None else piece_bytes
        if found is not None:
            piece, cut = found
            yield piece
            pending = b"{" + pending[cut.start_of_next :]
    yield _decode_or_refuse(pending)


def _decode_up_to_a_cut(text: bytes) -> tuple[Piece, Cut] | None:
    """Decode the whole entries that `text` begins with; None when there is none yet."""
    # A cut that was guessed wrong leaves a string or a bracket open: what then decodes was cut right.
    cut = likely_cut(text)
    if cut is not None:
        try:
            return _decode(text[: cut.end] + b"}"), cut
        except msgspec.DecodeError:
            pass
    cut = exact_cut(text)
    if cut is not None:
        return _decode_or_refuse(text[: cut.end] + b"}"), cut
    _check_growth(text)
    return None


def _check_growth(text: bytes) -> None:
    """Check that one entry may be as long as `text`, which ends in the middle of its first one."""
    limit = MAX_METADATA if _FIRST_IS_METADATA.match(text) else _MOST_ENTRY
    if len(text) > limit:
        raise Refusal(
            said(
                "its header has an entry of more than %(limit)s bytes, or one that is not an object", limit=f"{limit:,}"
            )
        )


def _decode_or_refuse(text: bytes) -> Piece:
    try:
        return _decode(text)
    except msgspec.DecodeError as error:
        raise _not_json(error) from error


def _decode(text: bytes) -> Piece:
    try:
        piece = Piece(_decode_tensors(text), None)
    except msgspec.ValidationError:
        piece = _decode_apart(text)
    except (UnicodeDecodeError, RecursionError) as error:
        raise _not_json(error) from error
    if METADATA in piece.tensors:
        raise Refusal(said("%(metadata)s is not texts by name", metadata=METADATA))
    # A tensor has four colons and its name may have more. With just four each, none was there twice, nor a field.
    if text.count(b":") != 4 * len(piece.tensors) or b"-0" in text:
        _check_exactly(text)
    return piece


def _decode_apart(text: bytes) -> Piece:
    """Decode a piece that holds `__metadata__`, or refuse the tensor in it that does not fit."""
    try:
        parts = _decode_parts(text)
    except (UnicodeDecodeError, RecursionError) as error:
        raise _not_json(error) from error
    metadata = parts.pop(METADATA, None)
    tensors = {}
    for name, part in parts.items():
        try:
            tensors[name] = _decode_tensor(part)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            rule = said(
                "tensor %(value)s is not described by dtype, shape and data_offsets: %(text)s",
                value=shown(name),
                text=_text(error),
            )
            raise Refusal(rule) from error
    return Piece(tensors, None if metadata is None else _texts(metadata))


def _texts(metadata: msgspec.Raw) -> dict[str, str]:
    if len(bytes(metadata)) > MAX_METADATA:
        raise Refusal(
            said(
                "%(metadata)s has more than %(max_metadata)s bytes", metadata=METADATA, max_metadata=f"{MAX_METADATA:,}"
            )
        )
    try:
        return _decode_metadata(metadata) or {}
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refusal(
            said("%(metadata)s is not texts by name: %(text)s", metadata=METADATA, text=_text(error))
        ) from error


def _check_exactly(text: bytes) -> None:
    json.loads(text, object_pairs_hook=_check_names, parse_int=_check_count)


def _check_names(pairs: list[tuple[str, object]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        name = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise Refusal(said("%(value)s is there twice", value=shown(name)))


def _check_count(text: str) -> None:
    if text == "-0":
        raise Refusal(said("its header is not JSON of counts: -0 is not one"))


def _not_json(error: Exception) -> Refusal:
    return Refusal(said("its header is not JSON of tensors by name: %(text)s", text=_text(error)))


def _text(error: Exception) -> str:
    return str(error)[:200].removesuffix(".")
