"""A `*.safetensors.index.json` with its shards, as one checkpoint.

The index is a list of names from a stranger: a shard is a plain file name beside the index, opened relative to that
folder, a regular file and no link. What a shard's own header says is what is shown.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec

from app.errors import Misfit, NotFound, TooLarge, UnreadableFile
from app.translation import said
from app.trees.sources.checkpoint.contents import Contents, Format
from app.trees.sources.checkpoint.file import OpenedFile, open_folder, open_in
from app.trees.sources.checkpoint.limits import HeaderLimits
from app.trees.sources.checkpoint.refusal import shown
from app.trees.sources.checkpoint.safetensors_header import HeaderReader

INDEX_SUFFIX = ".index.json"
SHARD_SUFFIX = ".safetensors"
_MOST_NAMED = 20
_MOST_TEXT = 2000


class _Index(msgspec.Struct):
    weight_map: dict[str, str]
    metadata: dict[str, msgspec.Raw] | None = None


_decode = msgspec.json.Decoder(_Index).decode


def read_shards(path: Path, limits: HeaderLimits) -> Contents:
    """Return what the headers of all shards of an index say, in the order in which the index first names the shards.

    A tensor that the index puts into another shard than it is in, or that no shard or more than one has, makes the
    checkpoint unreadable, and each is named; a `total_size` that is not the tensors' and tensors that the index leaves
    out are in `notes`.
    """
    with open_folder(path.parent) as folder:
        with open_in(folder, path.name) as file:
            index = _read_index(file, limits)
        names = list(dict.fromkeys(index.weight_map.values()))
        _check_names(path.name, names, limits)
        contents = Contents(Format.SHARDS, path.parent, [])
        _read_each(folder, names, contents, limits)
    _compare(path.name, index, names, contents)
    contents.metadata.update(_texts(index.metadata or {}))
    return contents


def _read_index(file: OpenedFile, limits: HeaderLimits) -> _Index:
    limit = limits.max_index_bytes
    if file.size > limit:
        raise TooLarge(
            said(
                "%(name)r has %(size)s bytes, the limit of an index is %(limit)s.",
                name=file.name,
                size=f"{file.size:,}",
                limit=f"{limit:,}",
            ),
            limit,
        )
    try:
        index = _decode(file.read(0, file.size))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableFile(
            said(
                "%(name)r is not an index of shards, which is JSON with a weight_map of file names by "
                "tensor: %(error)s.",
                name=file.name,
                error=str(error)[:200].removesuffix("."),
            )
        ) from error
    if not index.weight_map:
        raise UnreadableFile(said("%(name)r names no tensor in its weight_map.", name=file.name))
    return index


def _check_names(index: str, names: list[str], limits: HeaderLimits) -> None:
    if len(names) > limits.max_shards:
        limit = limits.max_shards
        raise TooLarge(
            said(
                "%(index)r names %(num)s shards, the limit is %(limit)s.",
                index=index,
                num=f"{len(names):,}",
                limit=f"{limit:,}",
            ),
            limit,
        )
    rule = said(
        "a shard is a plain name that ends in %(shard_suffix)s, of a file beside the index", shard_suffix=SHARD_SUFFIX
    )
    _refuse(index, [f"weight_map names {shown(name)}: {rule}" for name in names if not _is_plain(name)])


def _is_plain(name: str) -> bool:
    return not set(name) & set("/\\:\0") and name.endswith(SHARD_SUFFIX) and name.isprintable() and len(name) <= 255


def _read_each(folder: int, names: list[str], contents: Contents, limits: HeaderLimits) -> None:
    reader = HeaderReader(contents, limits)
    missing = []
    for name in names:
        try:
            with open_in(folder, name) as file:
                contents.files.append(file.stamp)
                reader.read(file, len(contents.files) - 1)
        except NotFound:
            missing.append(name)
    if missing:
        some = ", ".join(repr(name) for name in missing[:_MOST_NAMED])
        more = said(" and others") if len(missing) > _MOST_NAMED else ""
        raise UnreadableFile(
            said(
                "%(num)s of %(total)s shards are not beside the index: %(some)s%(more)s.",
                num=len(missing),
                total=len(names),
                some=some,
                more=more,
            )
        )


def _compare(index_name: str, index: _Index, names: list[str], contents: Contents) -> None:
    number = {name: place for place, name in enumerate(names)}
    expected = {tensor: number[shard] for tensor, shard in index.weight_map.items()}
    wrong: list[str] = []
    unlisted: list[str] = []
    for tensor, shard in zip(contents.name, contents.file, strict=True):
        due = expected.pop(tensor, None)
        if due is None:
            if tensor in index.weight_map:
                wrong.append(
                    said(
                        "tensor %(value)s is in two shards, the second is %(names)r",
                        value=shown(tensor),
                        names=names[shard],
                    )
                )
            else:
                unlisted.append(tensor)
        elif due != shard:
            wrong.append(
                said(
                    "tensor %(value)s is in %(names)r, the index says %(names_2)r",
                    value=shown(tensor),
                    names=names[shard],
                    names_2=names[due],
                )
            )
    wrong += [
        said("tensor %(value)s is not in %(names)r", value=shown(tensor), names=names[due])
        for tensor, due in expected.items()
    ]
    wrong += [
        said("tensor %(value)s is in two shards, and not in the index", value=shown(tensor))
        for tensor in _repeated(unlisted)
    ]
    _refuse(index_name, wrong)
    _note(contents, index, unlisted)


def _repeated(names: list[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _note(contents: Contents, index: _Index, unlisted: list[str]) -> None:
    total = _texts(index.metadata or {}).get("total_size")
    if total is not None and total != str(contents.stored_bytes):
        contents.notes.append(
            said(
                "The index says total_size %(value)s; the tensors have %(stored_bytes)s bytes.",
                value=shown(total),
                stored_bytes=contents.stored_bytes,
            )
        )
    if unlisted:
        some = ", ".join(shown(name) for name in unlisted[:_MOST_NAMED])
        more = said(" and others") if len(unlisted) > _MOST_NAMED else ""
        contents.notes.append(
            said(
                "%(num)s tensors are in the shards, and not in the index: %(some)s%(more)s.",
                num=f"{len(unlisted):,}",
                some=some,
                more=more,
            )
        )


def _refuse(index: str, wrong: Iterable[str]) -> None:
    found = list(wrong)
    if not found:
        return
    errors = tuple(Misfit(("weight_map",), message) for message in found[:_MOST_NAMED])
    more = said(", and %(num)s more that do not agree", num=f"{len(found) - 1:,}") if len(found) > 1 else ""
    raise UnreadableFile(
        said("%(index)r and its shards do not agree: %(found)s%(more)s.", index=index, found=found[0], more=more),
        errors,
    )


def _texts(metadata: dict[str, msgspec.Raw]) -> dict[str, str]:
    return {name: _text(bytes(value)) for name, value in metadata.items()}


def _text(value: bytes) -> str:
    try:
        return msgspec.json.decode(value, type=str)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return value.decode(errors="replace")[:_MOST_TEXT]
