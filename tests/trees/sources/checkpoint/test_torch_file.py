import argparse
import collections
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from app.errors import NotFound, TooLarge, UnreadableFile
from app.trees.sources.checkpoint.contents import Contents
from app.trees.sources.checkpoint.limits import HeaderLimits
from app.trees.sources.checkpoint.ranges import open_tensor
from app.trees.sources.checkpoint.torch_file import read_torch_file
from tests.trees.sources.checkpoint.files import columns, held, rezipped, torch_bytes, write

LIMITS = HeaderLimits()


def read(tmp_path: Path, value: object, **options: object) -> Contents:
    return read_torch_file(write(tmp_path / "x.pt", torch_bytes(value, **options)), LIMITS)


def refusal(tmp_path: Path, data: bytes) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read_torch_file(write(tmp_path / "x.pt", data), LIMITS)
    return caught.value.detail


def flat(value: object, path: str = "") -> dict[str, Tensor]:
    """The tensors of nested dicts and lists by their names joined with dots."""
    if isinstance(value, Tensor):
        return {path: value}
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found: dict[str, Tensor] = {}
    for key, item in items:
        found |= flat(item, f"{path}.{key}" if path else str(key))
    return found


def assert_reads_as_torch_loads(folder: Path, contents: Contents, path: Path) -> None:
    expected = flat(torch.load(path, weights_only=False))
    assert contents.name == list(expected)
    for entry, tensor in enumerate(expected.values()):
        if tensor.is_meta:
            continue
        place = contents.place(entry)
        assert place.shape == tuple(tensor.shape)
        assert place.dtype == str(tensor.dtype).removeprefix("torch.")
        if tensor.numel() and tensor.is_contiguous():
            assert contents.strides.get(entry) is None
        elif tensor.numel():
            assert place.strides == tensor.stride()
        with open_tensor(folder, place) as reader:
            values = reader.page(0, tensor.numel())
        due = tensor.detach().to(torch.complex64 if tensor.is_complex() else torch.float64).reshape(-1).numpy()
        np.testing.assert_array_equal(values.astype(due.dtype), due)


def trained() -> dict[str, Any]:
    """What a training script keeps: a model with convolution and norm, its optimizer, and where it was."""
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Linear(4, 2))
    optimizer = torch.optim.AdamW(model.parameters())
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    return {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "rng": torch.get_rng_state()}


BASE = torch.arange(60.0).reshape(3, 4, 5)
VALUES: dict[str, object] = {
    "state dict": nn.LSTM(3, 4, num_layers=2).state_dict(),
    "trained": trained(),
    "views": {
        "whole": BASE,
        "again": BASE,
        "transposed": BASE.transpose(0, 2),
        "part": BASE[1:, ::2, 1::3],
        "expanded": BASE[0, 0].expand(7, 2, 5),
        "column": BASE[:, 1, 2],
        "flat": BASE.view(-1)[7:13],
    },
    "dtypes": {
        str(dtype).removeprefix("torch."): torch.tensor([0, 1, 1]).to(dtype)
        for dtype in (
            torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16,
            torch.int8, torch.uint8, torch.bool, torch.complex64, torch.complex128, torch.uint16, torch.uint32,
            torch.uint64, torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e8m0fnu,
        )
    },
    "shapes": {
        "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 3), "large": torch.zeros(70_000),
        "six": torch.zeros(1, 2, 1, 2, 1, 2),
    },
    "lists": [torch.ones(2), [torch.zeros(1), {"x": torch.ones(1)}]],
    "one tensor": torch.ones(3),
    "numbers for names": {0: torch.ones(1), 1: {2: torch.ones(2)}},
    "parameter": {"p": nn.Parameter(torch.ones(2)), "frozen": nn.Parameter(torch.ones(2), requires_grad=False)},
    "no tensor": {"epoch": 3},
    "many": {f"layer.{i}.weight": torch.full((i % 3 + 1, 2), float(i)) for i in range(300)},
}  # fmt: skip


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_names_shapes_dtypes_and_values_are_those_that_torch_loads(
    tmp_path: Path, value: object, protocol: int
) -> None:
    contents = read(tmp_path, value, pickle_protocol=protocol)
    assert_reads_as_torch_loads(tmp_path, contents, tmp_path / "x.pt")
    assert contents.notes == []


def test_tensor_under_two_names_is_the_same_and_a_view_is_another(tmp_path: Path) -> None:
    x = torch.zeros(4, 4)
    contents = read(tmp_path, {"a": x, "b": x, "c": x.t(), "d": x[:2], "e": nn.Parameter(x), "f": x.clone()})
    assert list(contents.same) == [0, 0, 1, 2, 0, 3]
    assert contents.strides == {2: (1, 4)}
    assert contents.stored_bytes == 2 * 64
    assert contents.requires_grad == {4: True}


def test_modules_without_tensors_and_small_values_are_kept(tmp_path: Path) -> None:
    contents = read(tmp_path, {**trained(), "args": argparse.Namespace(lr=0.1, name="run"), "more": [1, 2]})
    assert contents.modules == ["model", "model.0", "model.1", "model.2", "model.3"]
    texts = contents.metadata
    assert (texts["epoch"], texts["args.lr"], texts["args.name"], texts["more"]) == ("3", "0.1", "run", "[1, 2]")
    assert texts["optimizer.param_groups.0.betas"] == "[0.9, 0.999]"


def test_keys_that_spell_the_same_are_all_there(tmp_path: Path) -> None:
    one = torch.ones(1)
    value = {1: one, "1": one, "a": {"b": one}, "a.b": one, "a.b (2)": one, "": {"": one}, ".": one, (1, "x"): one}
    contents = read(tmp_path, value)
    assert contents.name == ["1", "1 (2)", "a.b", "a.b (2)", "a.b (2) (2)", ".", ". (2)", "(1, 'x')"]


def test_common_values_beside_tensors_are_texts(tmp_path: Path) -> None:
    value: dict[str, object] = {
        "complex": 1 + 2j, "bytes": b"abc", "set": {1}, "counter": collections.Counter("a"), "dtype": torch.float16,
        "default": collections.defaultdict(None, x=torch.ones(1)), "device": torch.device("cpu"), "none": None,
        "size": torch.Size([1, 2]), "large": 2**100, "array": bytearray(b"x"), "numpy": np.float64(1), "deep": ((1,),),
    }  # fmt: skip
    contents = read(tmp_path, value)
    assert contents.name == ["default.x"]
    assert contents.metadata["device"] == "device('cpu')"
    assert contents.metadata["dtype"] == "torch.float16"
    assert contents.metadata["size"] == "[1, 2]"


def test_tensor_on_meta_has_a_shape_and_no_values(tmp_path: Path) -> None:
    contents = read(tmp_path, {"m": torch.empty(2, 3, device="meta")})
    assert contents.kinds[0].shape == (2, 3)
    assert contents.kinds[0].device == "meta"
    assert contents.stored_bytes == 0


def test_whole_module_is_refused_with_its_classes(tmp_path: Path) -> None:
    detail = refusal(tmp_path, torch_bytes(nn.Sequential(nn.Linear(1, 1), nn.ReLU())))
    assert "it is a whole pickled module" in detail
    for name in ("container.Sequential", "linear.Linear", "activation.ReLU"):
        assert f"torch.nn.modules.{name}" in detail


def odd_tensors() -> dict[str, tuple[object, str]]:
    subclass = type("Sub", (Tensor,), {"__module__": __name__, "__qualname__": "Sub"})
    globals()["Sub"] = subclass
    with_attribute: Tensor = torch.ones(1).as_subclass(subclass)
    return {
        "sparse": (torch.eye(2).to_sparse(), "it holds a sparse tensor"),
        "csr": (torch.eye(2).to_sparse_csr(), "it holds a sparse tensor"),
        "quantised": (torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8), "it holds a quantised tensor"),
        "nested": (torch.nested.nested_tensor([torch.ones(1)]), "it holds a nested tensor"),
        "subclass": (with_attribute, f"{__name__}.Sub"),
        "conjugate": (torch.ones(1, dtype=torch.complex64).conj(), "conjugate"),
    }


@pytest.mark.parametrize("name", ["sparse", "csr", "quantised", "nested", "subclass", "conjugate"])
@pytest.mark.filterwarnings("ignore")
def test_tensor_that_is_not_plain_is_refused_by_name(tmp_path: Path, name: str) -> None:
    value, rule = odd_tensors()[name]
    assert rule in refusal(tmp_path, torch_bytes({"fine": torch.ones(1), "odd": value}))


def test_plain_tensor_with_an_attribute_is_read(tmp_path: Path) -> None:
    tensor = torch.ones(2)
    tensor.note = 1  # type: ignore[attr-defined]
    assert read(tmp_path, {"x": tensor}).name == ["x"]


def test_other_formats_are_refused_by_name(tmp_path: Path) -> None:
    legacy = torch_bytes({"x": torch.ones(1)}, _use_new_zipfile_serialization=False)
    script = rezipped(torch_bytes({}), {"archive/constants.pkl": b"\x80\x02)."}, method=zipfile.ZIP_DEFLATED)
    for data, rule in (
        (legacy, "format before 1.6"),
        (script, "TorchScript"),
        (pickle.dumps({}), "a bare pickle"),
        (b"GGUF\3\0\0\0", "a GGUF file"),
        (b"", "not a ZIP archive"),
        (b"\0" * 257 + b"ustar", "a tar archive"),
        (rezipped(torch_bytes({}), {"archive/.data/extern_modules": b""}), "torch.package"),
        (rezipped(torch_bytes({}), {}, method=zipfile.ZIP_DEFLATED), "compressed"),
        (rezipped(torch_bytes({}), {"archive/byteorder": b"big"}), "not little-endian"),
        (rezipped(torch_bytes({}), {"archive/data.pkl": None}), "no data.pkl"),
        (rezipped(torch_bytes({}), {"other/data.pkl": b"N."}), "more than one data.pkl"),
        (torch_bytes({}) + b"x", "something follows"),
        (b"PK\3\4" + torch_bytes({}), "not where the archive says"),
    ):
        assert rule in refusal(tmp_path, data)


def test_limits_hold(tmp_path: Path) -> None:
    path = write(tmp_path / "x.pt", torch_bytes({str(i): torch.ones(1) for i in range(20)}))
    for limits in (
        HeaderLimits(max_index_bytes=500), HeaderLimits(max_pickle_bytes=500), HeaderLimits(max_opcodes=100),
        HeaderLimits(max_tensors=19),
    ):  # fmt: skip
        with pytest.raises(TooLarge):
            read_torch_file(path, limits)
    assert len(read_torch_file(path, HeaderLimits(max_tensors=20))) == 20
    with pytest.raises(NotFound):
        read_torch_file(tmp_path / "absent.pt", LIMITS)


def test_every_truncation_and_flip_is_refused_or_read_right(tmp_path: Path) -> None:
    whole = torch_bytes({"model": nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).state_dict(), "epoch": 1})
    expected = columns(read_torch_file(write(tmp_path / "x.pt", whole), LIMITS))
    path, before, num_read = tmp_path / "x.pt", held(), 0
    for at in (*range(0, 1000, 5), *range(0, len(whole), 7)):
        for data in (whole[:at], whole[:at] + bytes([whole[at] ^ (1 << at % 8)]) + whole[at + 1 :]):
            write(path, data)
            try:
                contents = read_torch_file(path, LIMITS)
            except UnreadableFile:
                continue
            num_read += 1
            assert columns(contents) == expected or contents.notes
        if at == 700:
            before = held()
    descriptors, resident = held()
    assert num_read
    assert descriptors == before[0]
    assert resident - before[1] < 4_000_000


def test_local_header_that_lies_is_found_when_values_are_read(tmp_path: Path) -> None:
    data = bytearray(torch_bytes({"x": torch.ones(4)}))
    at = data.index(b"archive/data/0")
    data[at : at + 14] = b"archive/data/1"
    contents = read_torch_file(write(tmp_path / "x.pt", bytes(data)), LIMITS)
    with pytest.raises(UnreadableFile, match="local header"), open_tensor(tmp_path, contents.place(0)):
        pass


def test_overlapping_files_in_the_archive_are_refused(tmp_path: Path) -> None:
    data = bytearray(torch_bytes({"x": torch.ones(4), "y": torch.zeros(4)}))
    first, second = (data.rindex(b"archive/data/%d" % number) - 46 for number in (0, 1))
    data[second + 42 : second + 46] = struct.pack("<I", struct.unpack_from("<I", data, first + 42)[0] + 8)
    assert "overlap" in refusal(tmp_path, bytes(data))


def test_hundred_thousand_tensors_are_read(tmp_path: Path) -> None:
    one = torch.zeros(1)
    contents = read(tmp_path, {f"layers.{i}.weight": one[:] if i % 2 else one for i in range(100_000)})
    assert len(contents) == 100_000
    assert contents.name[99_999] == "layers.99999.weight"
    assert set(contents.same) == {0}
