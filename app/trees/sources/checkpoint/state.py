"""The value of a pickle, a state dict or dicts of them, as the columns of `Contents`."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from app.errors import TooLarge
from app.translation import said
from app.trees.description import Kind
from app.trees.numbering import Numbering
from app.trees.sources.checkpoint.contents import Contents, Record, contiguous_strides, num_bytes
from app.trees.sources.checkpoint.dtypes import DTYPES
from app.trees.sources.checkpoint.limits import MAX_ELEMENTS, MAX_NAME, HeaderLimits
from app.trees.sources.checkpoint.pickle_values import Branch, Global, Opaque, Plain, Storage, Tensor
from app.trees.sources.checkpoint.refusal import Refusal

_MOST_DEPTH = 100
_MOST_TEXTS = 1000
_MOST_TEXT = 2000
_MOST_ITEMS = 10
_MOST_KEY = 1000
_METADATA = "_metadata"

_Step: TypeAlias = tuple[str | None, object]
_SCALARS = (str, int, float, bytes, type(None), Plain, Global, Storage, Opaque)


class _Layout(NamedTuple):
    kind: int
    num_bytes: int
    itemsize: int
    is_contiguous: bool


class StateReader:
    """Walks a value without recursion: it may hold one thing many times, and itself."""

    def __init__(self, contents: Contents, find_record: Callable[[str], Record], limits: HeaderLimits) -> None:
        self._contents = contents
        self._find_record = find_record
        self._limits = limits
        self._layouts: dict[tuple[str, tuple[int, ...], tuple[int, ...]], _Layout] = {}
        self._kinds: Numbering[Kind] = Numbering()
        self._record_number: dict[str, int] = {}
        self._same: Numbering[object] = Numbering()
        self._names: set[str] = set()
        self._num_spelled: dict[str, int] = {}
        self._num_characters = 0
        self._num_bytes = 0
        self._num_visits = 0

    def read(self, value: object) -> None:
        """Add every tensor in `value` in order, the small values beside them as texts, and the modules it names."""
        todo: list[Iterator[_Step]] = [iter([(None, value)])]
        while todo:
            for path, item in todo[-1]:
                if isinstance(item, Tensor):
                    self._add(path or "", item)
                elif isinstance(item, _SCALARS):
                    self._add_text(path, _text(item))
                else:
                    self._check_depth(path, len(todo))
                    todo.append(self._steps(path, item))
                    break
            else:
                todo.pop()
        self._contents.file.extend([0] * len(self._contents))
        self._contents.stored_bytes = sum(record.size for record in self._contents.records)

    def _steps(self, path: str | None, item: object) -> Iterator[_Step]:
        prefix = "" if path is None else f"{path}."
        if isinstance(item, Branch):
            keys, values = self._keys_and_values(path, item)
            self._count(len(keys))
            for (_, key), value in _merged(keys, values).items():
                self._count_characters(len(prefix) + len(key))
                yield prefix + key, value
        elif isinstance(item, list | tuple):
            self._count(len(item))
            if all(isinstance(part, _SCALARS) for part in item):
                self._add_text(path, _listed(item))
                return
            for place, part in enumerate(item):
                self._count_characters(len(prefix) + len(str(place)))
                yield f"{prefix}{place}", part

    def _keys_and_values(self, path: str | None, item: Branch) -> tuple[list[object], list[object]]:
        keys, values = item.keys_and_values()
        if isinstance(item.state, Branch):
            state = item.state.keys_and_values()
            self._count(len(state[0]))
            for key, value in zip(*state, strict=True):
                if isinstance(key, str) and key == _METADATA:
                    self._add_modules(path, value)
                elif item.items is None:
                    keys.append(key)
                    values.append(value)
        return keys, values

    def _add_modules(self, path: str | None, metadata: object) -> None:
        if isinstance(metadata, Branch):
            names = [_key(name) for name in metadata.keys_and_values()[0]]
            self._count(len(names))
            for name in names:
                self._count_characters(len(path or "") + len(name))
                self._contents.modules.append(_below(path, name))

    def _count(self, num_values: int) -> None:
        self._num_visits += num_values + 1
        limit = 4 * self._limits.max_tensors
        if self._num_visits > limit:
            raise TooLarge(
                said("The file lists more than %(limit)s values, which is the limit here.", limit=f"{limit:,}"), limit
            )

    def _count_characters(self, count: int) -> None:
        # A name is written once in a pickle and can be used a million times: what is counted is what is made of it.
        self._num_characters += count
        limit = self._limits.max_header_bytes
        if self._num_characters > limit:
            raise TooLarge(
                said(
                    "The names in the file have more than %(limit)s characters, which is the limit here.",
                    limit=f"{limit:,}",
                ),
                limit,
            )
        if count > MAX_NAME:
            raise TooLarge(
                said(
                    "The file has a name of %(count)s characters, the limit is %(max_name)s.",
                    count=f"{count:,}",
                    max_name=f"{MAX_NAME:,}",
                ),
                MAX_NAME,
            )

    def _check_depth(self, path: str | None, depth: int) -> None:
        if depth > _MOST_DEPTH:
            raise Refusal(
                said(
                    "it nests dicts and lists deeper than %(most_depth)s, at %(path)r",
                    most_depth=_MOST_DEPTH,
                    path=(path or "")[:200],
                )
            )

    def _another_name(self, path: str) -> str:
        """Return the path with a number: another tensor is spelled the same, as in {"a": {"b": …}, "a.b": …}."""
        name, number = path, self._num_spelled.get(path, 1)
        while name in self._names:
            number += 1
            name = f"{path} ({number})"
        self._num_spelled[path] = number
        return name

    def _add(self, path: str, tensor: Tensor) -> None:
        contents, entry = self._contents, len(self._contents)
        name = path if path not in self._names else self._another_name(path)
        layout = self._layout(tensor)
        self._names.add(name)
        self._num_bytes += layout.num_bytes
        if entry >= self._limits.max_tensors:
            raise TooLarge(
                said("The file has more than %(entry)s tensors, which is the limit here.", entry=f"{entry:,}"), entry
            )
        if self._num_bytes > MAX_ELEMENTS:
            raise Refusal(said("its tensors have more than 2**62 bytes together, counting each view of a storage"))
        contents.name.append(name)
        contents.kind.append(layout.kind)
        if tensor.storage is None:
            contents.offset.append(-1)
            contents.record.append(-1)
            identity: object = id(tensor)
        else:
            contents.offset.append(tensor.offset * layout.itemsize)
            contents.record.append(self._record(tensor.storage))
            identity = (tensor.storage, tensor.offset, layout.kind, tensor.strides)
        contents.same.append(self._same[identity])
        if not layout.is_contiguous:
            contents.strides[entry] = tensor.strides
        if tensor.requires_grad is not None:
            contents.requires_grad[entry] = tensor.requires_grad

    def _layout(self, tensor: Tensor) -> _Layout:
        key = (tensor.dtype, tensor.shape, tensor.strides)
        layout = self._layouts.get(key)
        if layout is None:
            kind = Kind(tensor.shape, tensor.dtype, "file" if tensor.storage is not None else "meta")
            number = self._kinds[kind]
            if number == len(self._contents.kinds):
                self._contents.kinds.append(kind)
            layout = _Layout(
                number, num_bytes(kind), DTYPES[tensor.dtype].bits // 8, _is_contiguous(tensor.shape, tensor.strides)
            )
            self._layouts[key] = layout
        return layout

    def _record(self, key: str) -> int:
        number = self._record_number.get(key)
        if number is None:
            number = self._record_number[key] = len(self._contents.records)
            self._contents.records.append(self._find_record(key))
        return number

    def _add_text(self, path: str | None, text: str) -> None:
        if len(self._contents.metadata) < _MOST_TEXTS:
            self._contents.metadata[(path or "")[:_MOST_TEXT]] = text


def _below(path: str | None, name: str) -> str:
    return name if path is None else f"{path}.{name}" if name else path


def _merged(keys: list[object], values: list[object]) -> dict[tuple[bool, str], object]:
    # 1 and "1" are two keys; the last value of a key that is there again counts, as in a dict.
    return {
        (isinstance(key, str), key if isinstance(key, str) else _key(key)): value
        for key, value in zip(keys, values, strict=True)
    }


def _is_contiguous(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    due = contiguous_strides(shape)
    return 0 in shape or all(
        size == 1 or step == wanted for size, step, wanted in zip(shape, strides, due, strict=True)
    )


def _key(key: object) -> str:
    if isinstance(key, str):
        return key
    parts = key if isinstance(key, tuple) else (key,)
    if all(isinstance(part, str | int | float | bytes | None) for part in parts):
        if sum(len(part) if isinstance(part, str | bytes) else 1 for part in parts) <= _MOST_KEY:
            return str(key)
        raise Refusal(
            said(
                "it has a dict with a key that is a %(class_name)s of more than %(most_key)s parts",
                class_name=type(key).__name__,
                most_key=_MOST_KEY,
            )
        )
    raise Refusal(
        said("it has a dict with a key that is a %(lower)s, which is not read", lower=type(key).__name__.lower())
    )


def _text(value: object) -> str:
    if isinstance(value, str):
        return value[:_MOST_TEXT]
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    if isinstance(value, Plain):
        return value.text
    if isinstance(value, Global):
        return value.path
    if isinstance(value, Storage):
        return f"a storage of {value.num_bytes:,} bytes"
    return str(value)


def _listed(items: list[object] | tuple[object, ...]) -> str:
    shown = ", ".join(_text(item)[:100] for item in items[:_MOST_ITEMS])
    return f"[{shown}{f', … {len(items):,} in all' if len(items) > _MOST_ITEMS else ''}]"
