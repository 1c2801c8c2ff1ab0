"""Opens a checkpoint of any format that is read."""

from pathlib import Path

from app.trees.sources.checkpoint.archive import LOCAL_MAGIC
from app.trees.sources.checkpoint.contents import Contents
from app.trees.sources.checkpoint.file import open_file
from app.trees.sources.checkpoint.limits import HeaderLimits
from app.trees.sources.checkpoint.safetensors_header import LENGTH_BYTES, read_safetensors
from app.trees.sources.checkpoint.shards import INDEX_SUFFIX, SHARD_SUFFIX, read_shards
from app.trees.sources.checkpoint.torch_file import read_torch_file


def read_checkpoint(path: Path, limits: HeaderLimits | None = None) -> Contents:
    """Return what the headers of a checkpoint say: an index with its shards by its name, a file by how it begins.

    Links are not followed, at the last component of `path` too. Raises `NotFound`, `UnreadableFile`, `TooLarge`.
    """
    limits = limits or HeaderLimits()
    if path.name.endswith(INDEX_SUFFIX):
        return read_shards(path, limits)
    with open_file(path) as file:
        beginning = file.read(0, min(file.size, LENGTH_BYTES + 1))
    is_archive = beginning.startswith(LOCAL_MAGIC)
    if not is_archive and (path.name.endswith(SHARD_SUFFIX) or beginning[LENGTH_BYTES:] == b"{"):
        return read_safetensors(path, limits)
    return read_torch_file(path, limits)
