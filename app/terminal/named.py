"""The source that a person names in one word: a checkpoint, a config.json, a folder with one, or module:name."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from app.errors import Invalid, NotFound, TooLarge

DEVICES = ("meta", "cpu")
INDEX_SUFFIX = ".safetensors.index.json"
# What a folder is looked through for, the fullest account of a model first.
IN_FOLDERS = ("model.safetensors", f"model{INDEX_SUFFIX}", "pytorch_model.bin", "config.json")
MAX_CONFIG = 1024 * 1024

_CALLABLE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
_WORDS = [
    (re.compile(r"^--allow-import (\S+): "), r"\1: "),
    (re.compile(r"^source\.kwargs\b"), "--kwargs"),
    (re.compile(r"^source\.config\b"), "config"),
    (re.compile(r"^q, character\b"), "--find, character"),
    (re.compile(r'"device": "(\w+)"'), r"--device \1"),
]


@dataclass(frozen=True, slots=True)
class Named:
    """A source by its document, and what it takes to open it: the one file, or the one callable, that was named."""

    document: dict[str, object]
    file: Path | None = None
    allow_import: str | None = None


def named(source: str, kwargs: str | None = None, device: str | None = None) -> Named:
    """Return what `source` names; `kwargs`, a JSON object, and `device` are a callable's.

    Raises `Invalid`, `NotFound` or `TooLarge`; nothing is imported or built.
    """
    path = Path(os.path.expanduser(source))  # noqa: PTH111  Path's raises where there is no such user
    try:
        if _CALLABLE.fullmatch(source) and not path.exists():
            return _called(source, kwargs, device)
        if kwargs is not None or device is not None:
            raise Invalid(f"--kwargs and --device are for a callable, module:name, which {source!r} is not.")
        return _config(path) if _is_config(path := _file(path)) else _checkpoint(path)
    except OSError as error:
        raise Invalid(f"{source!r} cannot be read: {error.strerror}.") from error


def told(detail: str) -> str:
    """Return what an error says of a source in the words of the command line."""
    for pattern, words in _WORDS:
        detail = pattern.sub(words, detail)
    return detail


def _called(target: str, kwargs: str | None, device: str | None) -> Named:
    if device not in (None, *DEVICES):
        raise Invalid(f"--device is {device!r}, expected one of {', '.join(DEVICES)}.")
    document: dict[str, object] = {
        "kind": "factory",
        "target": target,
        "kwargs": {} if kwargs is None else _arguments(kwargs),
        "device": device or DEVICES[0],
    }
    return Named(document, allow_import=target)


def _arguments(kwargs: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(kwargs, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        example = msgspec.json.encode({"depth": 12}).decode()
        raise Invalid(f"--kwargs is {kwargs!r}, expected a JSON object such as '{example}': {error}.") from error


def _file(path: Path) -> Path:
    if path.is_dir():
        found = next((path / name for name in IN_FOLDERS if (path / name).is_file()), None)
        if found is None:
            raise NotFound(f"There is no {', '.join(IN_FOLDERS[:-1])} or {IN_FOLDERS[-1]} in the folder {str(path)!r}.")
        return found
    if not path.exists():
        raise NotFound(f"There is no file {str(path)!r}. A model is named by a file, a folder, or as module:name.")
    if not path.is_file():
        raise Invalid(f"{str(path)!r} is not a regular file.")
    return path


def _is_config(path: Path) -> bool:
    return path.suffix == ".json" and not path.name.endswith(INDEX_SUFFIX)


def _config(path: Path) -> Named:
    if (size := path.stat().st_size) > MAX_CONFIG:
        raise TooLarge(f"{path.name!r} has {size:,} bytes, the limit for a config is {MAX_CONFIG:,}.", MAX_CONFIG)
    try:
        config = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Invalid(f"{path.name!r} is not a config.json: {error}.") from error
    return Named({"kind": "config", "config": config})


def _checkpoint(path: Path) -> Named:
    # A link is followed for the person who named it, as it is not for a server's clients; a sharded checkpoint's
    # index is looked for by its name, and its shards beside it.
    real = Path(os.path.realpath(path.parent), path.name)
    if real.is_symlink() and not path.name.endswith(INDEX_SUFFIX):
        real = Path(os.path.realpath(real))
    return Named({"kind": "checkpoint", "path": str(real)}, file=real)
