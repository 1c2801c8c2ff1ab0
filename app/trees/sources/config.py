"""`config`: the architecture that a Hugging Face `config.json` describes, on the meta device, through `transformers`.

Nothing is downloaded, and no code but the installed library's runs: what could ask for either is stripped first.
"""

import importlib
import importlib.util
import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import partial
from typing import Any

from torch import nn

from app.errors import CannotDo, Invalid, Misfit
from app.translation import said
from app.trees.foreign import Raised, attempt, cut
from app.trees.sources.arguments import shown
from app.trees.sources.building import BuildLimits, Built, Device, build
from app.trees.values import DTYPES

# What names code, files or backends elsewhere; stripped at every depth.
STRIPPED = frozenset(
    {
        "auto_map",
        "trust_remote_code",
        "name_or_path",
        "_name_or_path",
        "_commit_hash",
        "quantization_config",
        "custom_pipelines",
        "use_pretrained_backbone",
    }
)
STRIPPED_END = re.compile(r"_implementation(_internal)?$")
# What is built as often as the number says, in Python objects, which the meta device does not save.
COUNT = re.compile(
    r"(^|_)(num|n)_?\w*(layer|block|head|expert|label|stage|group|codebook|quer)\w*$|(layers|blocks|depths?|num_classes)$"
)
MAX_DEPTH = 16
MAX_VALUES = 100_000
MAX_TEXT = 100_000
MAX_INTEGER = 2**40

FROM_CONFIG = "_from_config"
WITHOUT = said("Trees of configs need the package transformers: pip install 'moduletree[hf]'.")


def check_config(source: Mapping[str, object], limits: BuildLimits) -> dict[str, Any]:
    """Return the config with what is unsafe stripped at every depth; nothing is imported or built.

    Raises `Invalid` with every value that is out of bounds.
    """
    config = source.get("config")
    if not isinstance(config, dict):
        raise _invalid(("config",), said("expected the object of a config.json, got %(value)s", value=shown(config)))
    stripped: dict[str, Any] = strip(config)
    misfits = list(_out_of_bounds(stripped, limits))
    for key in ("dtype", "torch_dtype"):
        named = stripped.get(key)
        if named is not None and not (isinstance(named, str) and named in DTYPES):
            misfits.append(
                Misfit(("source", "config", key), said("expected a dtype, got %(value)s", value=shown(named)))
            )
    if misfits:
        first = misfits[0]
        raise Invalid(said("%(place)s: %(msg)s.", place=".".join(map(str, first.loc)), msg=first.msg), tuple(misfits))
    return stripped


def build_config(source: Mapping[str, object], limits: BuildLimits) -> Built:
    """Return the model of the config, its tensors on meta and tied as the library ties them.

    Its class is `architecture` of the source, or the first of the config's `architectures` that its model type has, or
    what fits the type: the plain model of an encoder, a language model of a decoder. Raises `CannotDo` without
    transformers, `Invalid` for a config that it refuses.
    """
    config = check_config(source, limits)
    load_transformers()
    made = attempt(lambda: _config_of(config))
    if isinstance(made, Raised):
        raise _invalid(("config",), said("transformers refuses this config: %(made)s", made=str(made))) from made.error
    cls = _class_of(made, source.get("architecture"), config.get("architectures"))
    from_config: Callable[[Any], object] = getattr(cls, FROM_CONFIG)
    return build(cls.__name__, Device.META, lambda: from_config(made), limits)


def has_transformers() -> bool:
    """Whether transformers is installed, found out without importing it."""
    return importlib.util.find_spec("transformers") is not None


def load_transformers() -> None:
    """Import what configs need; raises `CannotDo` in one line where transformers is not installed."""
    try:
        importlib.import_module("transformers.modeling_utils")
        importlib.import_module("transformers.models.auto.modeling_auto")
    except ImportError as error:
        raise CannotDo(WITHOUT) from error


def strip(value: Any, depth: int = 0) -> Any:
    """Return the JSON value without what names code, files or backends, at every depth."""
    if depth > MAX_DEPTH:
        raise _invalid(("config",), said("nested deeper than %(max_depth)s levels", max_depth=MAX_DEPTH))
    if isinstance(value, dict):
        return {
            str(key): strip(item, depth + 1)
            for key, item in value.items()
            if key not in STRIPPED and not STRIPPED_END.search(str(key))
        }
    if isinstance(value, list):
        return [strip(item, depth + 1) for item in value]
    return value


def _out_of_bounds(config: dict[str, Any], limits: BuildLimits) -> Iterator[Misfit]:
    num_values = 0
    todo: list[tuple[tuple[str | int, ...], str, Any]] = [(("source", "config"), "", config)]
    while todo:
        loc, key, value = todo.pop()
        num_values += 1
        if num_values > MAX_VALUES:
            yield Misfit(("source", "config"), said("more than %(max_values)s values", max_values=f"{MAX_VALUES:,}"))
            return
        if isinstance(value, dict):
            todo.extend(((*loc, name), name, item) for name, item in value.items())
        elif isinstance(value, list):
            todo.extend(((*loc, at), key, item) for at, item in enumerate(value))
        elif isinstance(value, str) and len(value) > MAX_TEXT:
            yield Misfit(loc, said("longer than %(max_text)s characters", max_text=f"{MAX_TEXT:,}"))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            most = limits.max_modules if COUNT.search(key) else MAX_INTEGER
            if isinstance(value, int) and abs(value) > most:
                yield Misfit(
                    loc, said("expected at most %(most)s, got %(value)s", most=f"{most:,}", value=shown(value))
                )


def _config_of(config: dict[str, Any]) -> Any:
    mapping = _of_transformers("models.auto.configuration_auto").CONFIG_MAPPING
    model_type = config.get("model_type")
    if not isinstance(model_type, str) or model_type not in mapping:
        close = get_close_matches(str(model_type), list(mapping.keys()), 3)
        hint = said("; did you mean %(names)s?", names=" or ".join(map(repr, close))) if close else ""
        msg = said(
            "expected a type that the installed transformers knows, got %(value)s%(hint)s",
            value=shown(model_type),
            hint=hint,
        )
        raise _invalid(("config", "model_type"), msg)
    return mapping[model_type].from_dict(config)


def _class_of(config: Any, asked: object, architectures: object) -> type[nn.Module]:
    named = {cls.__name__: cls for cls in _classes(config)}
    if asked is not None:
        if asked not in named:
            raise _invalid(
                ("architecture",),
                said("expected one of %(names)s, got %(value)s", names=", ".join(sorted(named)), value=shown(asked)),
            )
        return named[str(asked)]
    for name in architectures if isinstance(architectures, list) else ():
        if isinstance(name, str) and name in named:
            return named[name]
    return _usual_class(config)


def _usual_class(config: Any) -> type[nn.Module]:
    auto = _of_transformers("models.auto.modeling_auto")
    kind = type(config)
    plain = [auto.MODEL_MAPPING, auto.MODEL_FOR_PRETRAINING_MAPPING]
    if getattr(config, "is_encoder_decoder", False):
        tried = [auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING, auto.MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING, *plain]
    elif kind in auto.MODEL_FOR_MASKED_LM_MAPPING and not getattr(config, "is_decoder", False):
        tried = plain
    else:
        tried = [auto.MODEL_FOR_CAUSAL_LM_MAPPING, *plain]
    for mapping in tried:
        found: Any = attempt(partial(mapping.get, kind, None))
        cls = found[0] if isinstance(found, tuple) else found
        # Some types name a class that wants a part of their config, not all of it.
        if isinstance(cls, type) and issubclass(kind, getattr(cls, "config_class", None) or kind):
            return cls
    fitting = [cls for cls in _classes(config) if getattr(cls, "config_class", None) is kind]
    if fitting:
        return min(fitting, key=lambda cls: (cls.__name__.endswith("PreTrainedModel"), len(cls.__name__)))
    raise _invalid(
        ("config", "model_type"), said("transformers has no model for %(class_name)s", class_name=kind.__name__)
    )


def _classes(config: Any) -> list[type[nn.Module]]:
    """Return the model classes that the library has for the type of a config: no others can be asked for."""
    base = _of_transformers("modeling_utils").PreTrainedModel
    package = importlib.import_module(type(config).__module__.rpartition(".")[0])
    found = []
    for name in dir(package):
        if name[0].isupper():
            value = attempt(partial(getattr, package, name))
            if isinstance(value, type) and issubclass(value, base) and value is not base:
                found.append(value)
    return found


def _of_transformers(name: str) -> Any:
    return importlib.import_module(f"transformers.{name}")


def _invalid(path: tuple[str, ...], msg: str) -> Invalid:
    loc = ("source", *path)
    return Invalid(said("%(place)s: %(msg)s.", place=".".join(loc), msg=cut(msg, 1000)), (Misfit(loc, msg),))
