"""The tree of a checkpoint: as the `config.json` beside it describes it where there is one that fits, else as its keys.

config.json -> architecture on meta, by the workshop -> `place`, the checkpoint's tensors on it
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from app.errors import Invalid, ModuletreeError, NotFound, TooLarge, UnreadableFile
from app.translation import said
from app.trees.foreign import cut
from app.trees.limits import Limits
from app.trees.sources.checkpoint.contents import Contents
from app.trees.sources.checkpoint.file import OpenedFile, open_file
from app.trees.sources.checkpoint.keys import KeyTree, tree_of
from app.trees.sources.checkpoint.limits import MIB
from app.trees.sources.checkpoint.placement import Placement, place
from app.trees.sources.checkpoint.places import Misplaced
from app.trees.sources.config import check_config
from app.trees.sources.jobs import Built
from app.trees.sources.workshop import Workshop
from app.trees.trace_inputs import Input

CONFIG = "config.json"
MAX_CONFIG = MIB
MAX_REASON = 400

# Classes of transformers are named by what is on the base model, which a file tells by the names of its head.
_CLASS_NAME = re.compile(r"(\w+?)(Model|LMHeadModel|DoubleHeadsModel|For[A-Z]\w*)")
_ENDINGS_BY_HEAD = {
    "lm_head": ("LMHeadModel", "ForCausalLM", "ForConditionalGeneration", "ForMaskedLM"),
    "cls": ("ForPreTraining", "ForMaskedLM"),
    "classifier": ("ForSequenceClassification", "ForTokenClassification", "ForImageClassification"),
    "score": ("ForSequenceClassification",),
    "qa_outputs": ("ForQuestionAnswering",),
}

_decode = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(frozen=True, slots=True)
class BestTree:
    """A tree over a checkpoint's tensors, what is to be noted of it, and inputs that its forward is likely to take.

    `built_from` is the source that its modules were built from, empty where the keys spell them.
    """

    keys: KeyTree
    notes: list[str] = field(default_factory=list)
    inputs: list[Input] = field(default_factory=list)
    built_from: dict[str, Any] = field(default_factory=dict)


def best_tree(path: Path, contents: Contents, limits: Limits, workshop: Workshop) -> BestTree:
    """Return the tree of the checkpoint at `path`; a note says where its classes are from, or why not from the config.

    The config's own class is tried first, then others of its type where the file's tensors are not just those of it.
    """
    try:
        config = _config_beside(path, workshop)
        if config is None:
            return BestTree(tree_of(contents, limits))
        return _Fitting(contents, config, limits, workshop).best()
    except _Unused as unused:
        reason = cut(unused.reason.removesuffix("."), MAX_REASON)
        return BestTree(
            tree_of(contents, limits),
            [said("%(config)s beside it was not used: %(reason)s.", config=CONFIG, reason=reason)],
        )


class _Unused(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _config_beside(path: Path, workshop: Workshop) -> dict[str, Any] | None:
    try:
        with open_file(path.parent / CONFIG) as file:
            config = _read(file)
    except NotFound:
        return None
    except UnreadableFile as error:
        raise _Unused(error.detail) from error
    if not isinstance(config.get("model_type"), str):
        raise _Unused(said("it names no model_type, as the configs of transformers do"))
    try:
        # Stripped of what may not even be sent.
        return check_config({"config": config}, workshop.limits)
    except Invalid as error:
        raise _Unused(_why(error)) from error


def _read(file: OpenedFile) -> dict[str, Any]:
    if file.size > MAX_CONFIG:
        raise _Unused(
            said(
                "it has %(size)s bytes, the limit is %(max_config)s",
                size=f"{file.size:,}",
                max_config=f"{MAX_CONFIG:,}",
            )
        )
    try:
        return _decode(file.read(0, file.size))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _Unused(said("it is not a JSON object: %(error)s", error=str(error))) from error


def _why(error: ModuletreeError) -> str:
    if isinstance(error, Invalid) and error.errors and error.errors[0].loc[:2] == ("source", "config"):
        misfit = error.errors[0]
        where = ".".join(map(str, misfit.loc[2:]))
        return f"{where}: {misfit.msg}" if where else misfit.msg
    return error.detail


class _Fitting:
    """The search for the class of a config that a checkpoint's tensors are those of."""

    def __init__(self, contents: Contents, config: dict[str, Any], limits: Limits, workshop: Workshop) -> None:
        self._contents = contents
        self._config = config
        self._limits = limits
        self._workshop = workshop

    def best(self) -> BestTree:
        """Return the tree of the class that the file lacks the fewest tensors of; raises `_Unused` with why of none."""
        best: tuple[Placement, Built] | None = None
        reasons = []
        for built in self._candidates():
            try:
                placement = place(self._contents, built.description)
            except Misplaced as error:
                reasons.append(error.reason)
                if error.has_other_sizes:
                    break
                continue
            if best is None or placement.num_missing < best[0].num_missing:
                best = placement, built
            if not placement.num_missing:
                break
        if best is None:
            raise _Unused(reasons[0])
        placement, built = best
        used = said(
            "Classes are those of %(class_name)s, from the %(config)s beside it.",
            class_name=_class_name(built),
            config=CONFIG,
        )
        source = {"kind": "config", "config": self._config, "architecture": _class_name(built)}
        return BestTree(placement.keys, [used, *placement.notes, *built.notes], built.inputs, source)

    def _candidates(self) -> Iterator[Built]:
        try:
            own = self._build()
        except ModuletreeError as error:
            raise _Unused(_why(error)) from error
        yield own
        for name in self._other_names(_class_name(own)):
            try:
                built = self._build(name)
            except ModuletreeError:
                continue
            yield built

    def _build(self, architecture: str | None = None) -> Built:
        asked = {} if architecture is None else {"architecture": architecture}
        built = self._workshop.build({"kind": "config", "config": self._config, **asked})
        num_modules, limit = len(built.description.parent), self._limits.max_modules
        if num_modules > limit:
            raise TooLarge(
                said(
                    "%(class_name)s has %(num_modules)s modules, the limit here is %(limit)s.",
                    class_name=_class_name(built),
                    num_modules=f"{num_modules:,}",
                    limit=f"{limit:,}",
                ),
                limit,
            )
        return built

    def _other_names(self, own: str) -> list[str]:
        match = _CLASS_NAME.fullmatch(own)
        if match is None:
            return []
        parts = {part for name in self._contents.name for part in name.split(".", 2)[:2]}
        heads = [endings for head, endings in _ENDINGS_BY_HEAD.items() if head in parts] or [("Model",)]
        return [match[1] + ending for endings in heads for ending in endings if match[1] + ending != own]


def _class_name(built: Built) -> str:
    description = built.description
    return description.classes[description.class_id[0]].name
