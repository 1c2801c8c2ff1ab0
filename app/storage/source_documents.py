"""The document of a source as it is kept and named."""

from collections.abc import Mapping
from pathlib import PurePath

import msgspec

# What is nested deeper, many a reader of JSON refuses.
MAX_DEPTH = 100
MAX_BYTES = {"linear": 64 * 1024, "factory": 1024 * 1024, "config": 1024 * 1024}
# The part of a source that may be large, and is left out where it is.
LARGE = {"linear": "root", "factory": "kwargs", "config": "config"}
MAX_NAME = 200


def name_of(source: Mapping[str, object]) -> str:
    """Return what a tree is called that nobody named."""
    match source.get("kind"):
        case "grid":
            return f"grid {source['branching']} × {source['depth']}"
        case "factory":
            return str(source["target"]).rpartition(":")[2][:MAX_NAME]
        case "config":
            return _name_of_config(source)
        case "checkpoint":
            return PurePath(str(source["path"])).name[:MAX_NAME]
    return "LinearModel"


def _name_of_config(source: Mapping[str, object]) -> str:
    config = source.get("config")
    if isinstance(config, Mapping):
        architectures = config.get("architectures")
        first = architectures[0] if isinstance(architectures, list) and architectures else None
        for name in (source.get("architecture"), first, config.get("model_type")):
            if isinstance(name, str) and name:
                return name[:MAX_NAME]
    return "config"


def source_kept(source: Mapping[str, object], depth: int) -> bytes:
    """Return the JSON of a source; its large part is None where it is too large, or a spec nested too deep."""
    kind = str(source.get("kind"))
    if kind == "linear" and depth > MAX_DEPTH:
        return msgspec.json.encode({**source, "root": None})
    text = msgspec.json.encode(source)
    if kind not in LARGE or len(text) <= MAX_BYTES[kind]:
        return text
    return msgspec.json.encode({**source, LARGE[kind]: None})
