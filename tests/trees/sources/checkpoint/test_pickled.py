import io
import random
import zipfile

import msgspec
import pytest
import torch

from app.trees.sources.checkpoint.dtypes import STORAGES
from app.trees.sources.checkpoint.pickle_values import Branch, Global, Storage
from app.trees.sources.checkpoint.pickled import read_pickle
from app.trees.sources.checkpoint.refusal import Refusal
from tests.trees.sources.checkpoint.files import torch_bytes


def find_storage(name: object) -> Storage:
    """A storage as large as its id says, of what is there up to 99."""
    match name:
        case ("storage", Global(path), str(key), str(), int(count)) if path in STORAGES and len(key) < 3 and count < 99:
            return Storage(key, count * STORAGES[path].bits // 8, STORAGES[path].word)
    raise Refusal("no storage")


def plain(value: object) -> object:
    """A value as lists, tuples and texts, which compare."""
    if isinstance(value, Branch):
        return ["branch", *map(plain, value.items or [])]
    if isinstance(value, list | tuple):
        return [type(value).__name__, *map(plain, value)]
    return repr(msgspec.to_builtins(value))


def outcome(data: bytes, *, at_once: bool) -> object:
    try:
        return plain(read_pickle(data, find_storage, max_opcodes=100_000, at_once=at_once))
    except Refusal:
        return "refused"
    except RecursionError:
        return "holds itself"


def pickle_of(value: object) -> bytes:
    with zipfile.ZipFile(io.BytesIO(torch_bytes(value))) as archive:
        return archive.read("archive/data.pkl")


TENSORS = {f"{i}.x": torch.zeros((2,) * (i % 5), dtype=(torch.float32, torch.int64)[i % 2]) for i in range(60)}


def test_tensor_is_read_at_once_as_its_opcodes_would_be_followed() -> None:
    data = pickle_of({**TENSORS, "again": TENSORS["3.x"], "view": TENSORS["4.x"][1:, ::2]})
    found = outcome(data, at_once=True)
    assert found == outcome(data, at_once=False)
    assert isinstance(found, list)
    assert len(found) == 1 + 2 * 62


@pytest.mark.parametrize("seed", range(3))
def test_changed_opcodes_of_a_tensor_are_read_at_once_as_they_would_be_followed(seed: int) -> None:
    data = pickle_of(TENSORS)
    start = data.index(b"40.x")
    generator = random.Random(seed)
    outcomes = set()
    for _ in range(250):
        changed = bytearray(data)
        at = start + generator.randrange(600)
        kind = generator.randrange(3)
        if kind == 0:
            changed[at] ^= 1 << generator.randrange(8)
        elif kind == 1:
            del changed[at : at + generator.randrange(1, 3)]
        else:
            changed[at:at] = data[start + generator.randrange(600) :][: generator.randrange(1, 40)]
        found = outcome(bytes(changed), at_once=True)
        assert found == outcome(bytes(changed), at_once=False), changed[start : start + 700]
        outcomes.add(found == "refused")
    assert outcomes == {True, False}
