"""Files that are broken in one way each: cut short, with a bit turned over, with parts that do not belong together."""

import json
import pickle
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import nn

from tests.api.uploads import Files
from tests.trees.sources.checkpoint.files import archive_of, global_, rezipped, text, torch_bytes

ONE, TWO = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
INDEX = "model.safetensors.index.json"

DTYPES = (
    torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.int8, torch.bool, torch.complex64,
    torch.float8_e4m3fn,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attempt:
    """An upload, what it is, and the file that it is a broken form of ("" for none that is whole)."""

    what: str
    files: Files
    whole: str = ""


def safetensors_file() -> bytes:
    """A file of several dtypes, with texts."""
    tensors = {f"layer.{at}.weight": torch.ones(2, at % 3).to(dtype) for at, dtype in enumerate(DTYPES)}
    return save(tensors, {"format": "pt", "note": "모듈"})


def torch_file() -> bytes:
    """A file as a training script keeps it."""
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    optimizer = torch.optim.SGD(model.parameters(), momentum=0.9)
    return torch_bytes({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3})


def legacy_file() -> bytes:
    """A file of the format before torch 1.6."""
    return torch_bytes({"x": torch.ones(3)}, _use_new_zipfile_serialization=False)


def shards(**changes: object) -> dict[str, bytes]:
    """An index with its two shards; `changes` are keys of the index."""
    index = {"metadata": {"total_size": 20}, "weight_map": {"a.weight": ONE, "b.weight": TWO}} | changes
    return {
        INDEX: json.dumps(index).encode(),
        ONE: save({"a.weight": torch.zeros(3)}),
        TWO: save({"b.weight": torch.zeros(2)}),
    }


SINGLE = {"model.safetensors": safetensors_file(), "model.pt": torch_file(), "model.pth": legacy_file()}
NUM_FORMS = {"model.safetensors": 1_500, "model.pt": 700, "model.pth": 60}


def attempts() -> list[Attempt]:
    """All of them, in an order that is always the same and mixes the kinds."""
    found = [*cut_and_turned(), *sets_cut_and_turned(), *sets(), *names(), *archives()]
    random.Random(0).shuffle(found)
    return found


def cut_and_turned() -> Iterator[Attempt]:
    """Single files cut short and with a bit turned over, all along them."""
    for name, data in SINGLE.items():
        for what, broken in broken_forms(data, NUM_FORMS[name]):
            yield Attempt(f"{name} {what}", [(name, broken)], name)
    for name, data in (("model.safetensors", torch_file()), ("model.pt", safetensors_file()), ("x.bin", b"PK\3\4")):
        for what, broken in broken_forms(data, 40):
            yield Attempt(f"{what} in the guise of {name}", [(name, broken)])


def broken_forms(data: bytes, count: int) -> Iterator[tuple[str, bytes]]:
    """About `count` forms of a file, half of them cut short."""
    step = max(1, 2 * len(data) // count)
    for at in range(0, len(data), step):
        yield f"cut at {at}", data[:at]
        yield f"with a bit turned over at {at}", data[:at] + bytes([data[at] ^ (1 << at % 8)]) + data[at + 1 :]


def sets_cut_and_turned() -> Iterator[Attempt]:
    """Sets of which one file is cut short or has a bit turned over."""
    whole = shards()
    for name, data in whole.items():
        for what, broken in broken_forms(data, 150):
            yield Attempt(f"a set with {name} {what}", list({**whole, name: broken}.items()), INDEX)


def sets() -> Iterator[Attempt]:
    """Files that do not belong together, or of which one is not there."""
    whole = shards()
    for name in (ONE, TWO):
        yield Attempt(f"a set without {name}", [(each, data) for each, data in whole.items() if each != name])
        yield Attempt(f"a set with {name} twice", [*whole.items(), (name, whole[name])])
        yield Attempt(f"a set with {name} empty", list({**whole, name: b""}.items()))
    yield Attempt("shards without an index", [(ONE, whole[ONE]), (TWO, whole[TWO])])
    yield Attempt("shards that took each other's place", [(INDEX, whole[INDEX]), (ONE, whole[TWO]), (TWO, whole[ONE])])
    yield Attempt("two indexes", [*whole.items(), ("other" + INDEX, whole[INDEX])])
    yield Attempt("an index and a .pt", [*whole.items(), ("x.pt", torch_file())])
    yield Attempt("an index that is a shard", [(INDEX, whole[ONE]), (ONE, whole[ONE]), (TWO, whole[TWO])])
    yield Attempt("a config alone", [("config.json", b'{"model_type": "gpt2"}')])
    yield Attempt("no file", [])
    yield Attempt("more files than are taken", [(f"{at}.safetensors", b"") for at in range(1_001)])
    for weight_map in weight_maps():
        yield Attempt(f"an index of {weight_map}"[:80], list(shards(weight_map=weight_map).items()))


def weight_maps() -> Iterator[Any]:
    """What a `weight_map` should not be."""
    for name in (
        "../" + ONE, "../../moduletree.db", "/etc/passwd", "/etc/passwd.safetensors", "..", ".", "", "a/" + ONE, "\0",
        "x\0.safetensors", "~/x.safetensors", "C:\\x.safetensors", "//x/y.safetensors", INDEX, "lock", "a" * 5_000,
        ONE + "\n", "\u202e" + ONE, "file:///x.safetensors", "http://127.0.0.1/x.safetensors",
    ):  # fmt: skip
        yield {"a.weight": name, "b.weight": TWO}
    yield from ([], {}, None, 3, "x", {"a.weight": None}, {"a.weight": [ONE]}, {"a.weight": ONE}, {"b.weight": ONE})
    yield {"a.weight": ONE, "b.weight": TWO, "c.weight": TWO}
    yield {str(at): f"{at}.safetensors" for at in range(5_000)}


def names() -> Iterator[Attempt]:
    """Whole files under names that are none, or say another kind."""
    data = SINGLE["model.safetensors"]
    for name in (
        b"", b".", b"..", b"/", b"model", b"model.txt", b"model.safetensors.gz", b".safetensors\0", b"a\0.safetensors",
        b"../..", b"x/", b"\\", b"\xff\xfe.safetensors\x80", b"a" * 300 + b".safetensors", "é".encode() * 150 + b".pt",
        b"con\x1b[31m.pt", b"a\tb.pt", "\u202e.pt".encode(), "\u2028.pt".encode(), b"model.json", b"pt", b"safetensors",
        b"model.safetensors/", b"model.safetensors\\..", b"%2e%2e%2f", b"$(touch x)", b";ls", b"|", b"<b>", b"{{}}",
    ):  # fmt: skip
        yield Attempt(f"named {name[:40]!r}", [(name, data)])
        yield Attempt(f"two named {name[:40]!r}", [(name, data), (name, data)])


WANTED = (
    "os.system", "posix.system", "builtins.eval", "builtins.exec", "builtins.open", "builtins.getattr", "io.open",
    "subprocess.Popen", "shutil.rmtree", "pathlib.Path", "torch.load", "torch.hub.load", "torch.ops.load_library",
    "torch.nn.Linear", "numpy.load", "importlib.import_module", "runpy.run_path", "app.main.create_app", "pickle.loads",
)  # fmt: skip
"""What a pickle may want of whoever reads it."""


def call(wanted: str, canary: Path) -> bytes:
    """A pickle that calls something, so that a file `canary` is there afterwards if it was called."""
    module, _, name = wanted.rpartition(".")
    path = text(str(canary))
    arguments = {
        "system": text(f"touch {canary}"),
        "eval": text(f"open({str(canary)!r}, 'w').close()"),
        "exec": text(f"open({str(canary)!r}, 'w').close()"),
        "open": path + text("w"),
        "Popen": b"](" + text("touch") + path + b"e",
    }
    return b"\x80\x02" + global_(module, name) + b"(" + arguments.get(name, path) + b"tR."


@dataclass(frozen=True, slots=True)
class Program:
    """An upload that wants something; `says` is what its refusal has to say."""

    attempt: Attempt
    says: str


def programs(canary: Path) -> Iterator[Program]:
    """Pickles that call something, in every wrapping."""
    for wanted in WANTED:
        code = call(wanted, canary)
        hidden = b"\x80\x02}(" + text("a") + b"K\1" + text("b") + code[2:-1] + b"u."
        for what, data in {
            "alone": archive_of(code),
            "in a dict": archive_of(hidden),
            "instead of a state dict": rezipped(SINGLE["model.pt"], {"archive/data.pkl": code}),
        }.items():
            for name in ("model.pt", "model.bin", "model.safetensors"):
                yield Program(Attempt(f"{wanted} {what} in {name}", [(name, data)]), wanted)
        script = rezipped(SINGLE["model.pt"], {"archive/constants.pkl": code})
        yield Program(Attempt(f"{wanted} in a script", [("x.pt", script)]), "TorchScript")
        yield Program(Attempt(f"{wanted} bare", [("x.pt", code)]), "bare pickle")
        yield Program(Attempt(f"{wanted} bare in x.safetensors", [("x.safetensors", code)]), "header")
        legacy = SINGLE["model.pth"][:-20] + code
        yield Program(Attempt(f"{wanted} in the legacy format", [("x.pth", legacy)]), "before 1.6")
        in_a_shard = {**shards(), TWO: archive_of(code)}
        yield Program(Attempt(f"{wanted} in a shard", list(in_a_shard.items())), "not a safetensors file")


def archives() -> Iterator[Attempt]:
    """Archives that are whole, and are no state dict."""
    yield Attempt("a whole module", [("x.pt", torch_bytes(nn.Linear(1, 1)))])
    yield Attempt("a bare pickle", [("x.pt", pickle.dumps({"x": 1}))])
    yield Attempt("an archive of nothing", [("x.pt", b"PK\5\6" + b"\0" * 18)])
    for change in (
        {"archive/data.pkl": None},
        {"archive/data/0": None},
        {"../../x": b"x"},
        {"archive/byteorder": b"big"},
    ):
        yield Attempt(f"an archive with {change}", [("x.pt", rezipped(torch_file(), change))])
