import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from app.errors import ModuletreeError, NotFound, TooLarge, UnreadableFile
from app.trees.sources.checkpoint.contents import Contents, num_bytes
from app.trees.sources.checkpoint.dtypes import DTYPES, SAFETENSORS
from app.trees.sources.checkpoint.limits import HeaderLimits
from app.trees.sources.checkpoint.safetensors_header import read_safetensors
from tests.trees.sources.checkpoint.files import entry, held, safetensors_bytes, write

LIMITS = HeaderLimits()
deserialize: Callable[[bytes], list[tuple[str, dict[str, Any]]]] = safetensors.deserialize
F32 = entry("F32", [1], 0, 4)


def read(tmp_path: Path, header: bytes | dict[str, object], data: bytes = b"\0" * 4) -> Contents:
    return read_safetensors(write(tmp_path / "x.safetensors", safetensors_bytes(header, data)), LIMITS)


def refusal(tmp_path: Path, header: bytes | dict[str, object], data: bytes = b"\0" * 4) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read(tmp_path, header, data)
    return caught.value.detail


def test_file_of_the_library_is_read_as_it_was_written(tmp_path: Path) -> None:
    tensors = {
        "fc.weight": torch.randn(3, 4),
        "fc.bias": torch.randn(3).bfloat16(),
        "scalar": torch.tensor(1),
        "empty": torch.zeros(0, 5),
        "mask": torch.tensor([True]),
    }
    path = tmp_path / "model.safetensors"
    save_file(tensors, path, {"format": "pt", "note": "모듈"})
    contents = read_safetensors(path, LIMITS)
    found = {name: contents.place(place) for place, name in enumerate(contents.name)}
    assert {name: (place.shape, place.dtype) for name, place in found.items()} == {
        name: (tuple(tensor.shape), str(tensor.dtype).removeprefix("torch.")) for name, tensor in tensors.items()
    }
    data = path.read_bytes()
    for name, tensor in tensors.items():
        begin = found[name].offset
        stored = torch.frombuffer(bytearray(data[begin : begin + tensor.nbytes] or b"\0"), dtype=torch.uint8)
        assert stored[: tensor.nbytes].equal(tensor.reshape(-1).view(torch.uint8))
    assert contents.metadata == {"format": "pt", "note": "모듈"}
    assert contents.stored_bytes == sum(tensor.nbytes for tensor in tensors.values())


@pytest.mark.parametrize("word", SAFETENSORS)
def test_every_dtype_of_the_reference_is_read(tmp_path: Path, word: str) -> None:
    size = SAFETENSORS[word].bits
    data = safetensors_bytes({"x": entry(word, [8], 0, size)}, b"\0" * size)
    assert deserialize(data)[0][1]["dtype"] == word
    contents = read_safetensors(write(tmp_path / "x", data), LIMITS)
    assert contents.kinds[0].dtype == SAFETENSORS[word].word
    assert DTYPES[contents.kinds[0].dtype].bits == size


def test_dtype_that_the_reference_does_not_know_is_refused(tmp_path: Path) -> None:
    assert "tensor 'x' is not described" in refusal(tmp_path, {"x": entry("C128", [1], 0, 16)}, b"\0" * 16)


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        ({"a": entry("F32", [1], 4, 8)}, "'a' at data_offsets [4, 8] leaves a hole: the data begins at 0"),
        ({"a": F32, "b": entry("F32", [1], 2, 6)}, "'b' at data_offsets [2, 6] overlaps: 'a' ends at 4"),
        ({"a": F32, "b": entry("F32", [1], 5, 9)}, "'b' at data_offsets [5, 9] leaves a hole: 'a' ends at 4"),
        ({"a": F32, "b": F32}, "'b' at data_offsets [0, 4] overlaps"),
        ({"a": entry("F32", [2], 0, 4)}, "'a' at data_offsets [0, 4] has 4 bytes, its dtype and shape need 8"),
        ({"a": entry("F32", [1], 4, 0)}, "'a' at data_offsets [4, 0]"),
        ({"a": F32, "b": entry("F32", [1], 4, 8)}, "end at byte 8 of the data, and the data has 4 bytes"),
        ({}, "end at byte 0 of the data, and the data has 4 bytes"),
        ({"a": entry("F4", [1], 0, 1)}, "'a' has 4 bits, which is no number of bytes"),
        ({"a": entry("F32", [2**63 - 1, 2, 0], 0, 0)}, "'a' has a shape"),
        ({"a": entry("U8", [0, 2**63], 0, 0)}, "'a' is not described"),
        ({"a": entry("U8", [1] * 64 + [4], 0, 4)}, "'a' has 65 dimensions"),
        ({"a": {**F32, "extra": 1}}, "'a' is not described by dtype, shape and data_offsets"),
        ({"a": ["F32", [1], [0, 4]]}, "'a' is not described"),
        ({"a": {"dtype": "F32", "shape": [1]}}, "'a' is not described"),
        ({"__metadata__": {"a": 1}, "a": F32}, "__metadata__ is not texts by name"),
        ({"__metadata__": F32}, "__metadata__ is not texts by name"),
        (b'{"a":%b,"a":%b}' % ((json.dumps(F32).encode(),) * 2), "'a' is there twice"),
        (b'{"__metadata__":{"k":"1","k":"2"},"a":%b}' % json.dumps(F32).encode(), "'k' is there twice"),
        (b'{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', "'dtype' is there twice"),
        (b'{"a":{"dtype":"U8","shape":[-0,4],"data_offsets":[0,0]}}', "-0"),
        (b' {"a":1}', 'does not begin with "{"'),
        (b"[]", 'does not begin with "{"'),
        (b"", 'does not begin with "{"'),
        (b"{", "is not JSON"),
        (b'{"a":' * 5000, "is not JSON"),
        (b'{"\xff":1}', "is not JSON"),
        (b"{}x", "is not JSON"),
    ],
)
def test_broken_rule_is_named(tmp_path: Path, header: bytes | dict[str, object], rule: str) -> None:
    assert rule in refusal(tmp_path, header)


def test_header_longer_than_the_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.safetensors", (2**63).to_bytes(8, "little") + b"{}")
    with pytest.raises(UnreadableFile, match="said to have 9,223,372,036,854,775,808 bytes, and the file has 2"):
        read_safetensors(path, LIMITS)


def test_file_without_a_whole_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="it has 3 bytes"):
        read_safetensors(write(tmp_path / "x", b"abc"), LIMITS)


def test_header_over_the_limit_says_the_limit(tmp_path: Path) -> None:
    path = write(tmp_path / "x", safetensors_bytes(b"{}" + b" " * 100))
    with pytest.raises(TooLarge) as caught:
        read_safetensors(path, HeaderLimits(max_header_bytes=101))
    assert caught.value.limit == 101
    assert read_safetensors(path, HeaderLimits(max_header_bytes=102)).name == []


def test_more_tensors_than_the_limit_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x", safetensors_bytes({str(i): entry("U8", [0], 0, 0) for i in range(11)}))
    with pytest.raises(TooLarge, match="more than 10 tensors"):
        read_safetensors(path, HeaderLimits(max_tensors=10))


def test_name_over_the_limit_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x", safetensors_bytes({"n" * 65_537: entry("U8", [0], 0, 0)}))
    with pytest.raises(TooLarge, match="65,537 characters"):
        read_safetensors(path, LIMITS)


def test_link_directory_pipe_and_absent_file_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "there", safetensors_bytes({}))
    (tmp_path / "link").symlink_to("there")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name, rule in (("link", "is a link"), ("folder", "not a regular file"), ("pipe", "not a regular file")):
        with pytest.raises(UnreadableFile, match=rule):
            read_safetensors(tmp_path / name, LIMITS)
    for path in (tmp_path / "absent", tmp_path / "absent" / "x", tmp_path / "nul\0"):
        with pytest.raises((NotFound, UnreadableFile)):
            read_safetensors(path, LIMITS)


HARD_NAMES = [
    '},"',
    'a},"b',
    '{"',
    '":{',
    "\\",
    '\\"',
    '"',
    "}",
    "},",
    '"},',
    "__metadata__x",
    ":",
    "-0",
    "",
    ".",
    "ü},",
]


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (",\n  ", " : ")])
@pytest.mark.parametrize("piece_bytes", [1, 40, 100, 1000])
def test_names_that_look_like_json_are_cut_right(tmp_path: Path, piece_bytes: int, separators: tuple[str, str]) -> None:
    names = [name * times for times in (1, 2, 7) for name in HARD_NAMES if name]
    header: dict[str, object] = {"__metadata__": {name: name for name in names}, "": entry("U8", [0], 0, 0)}
    header |= {name: entry("U8", [2, 1], 2 * place, 2 * place + 2) for place, name in enumerate(names)}
    text = json.dumps(header, separators=separators, ensure_ascii=False).encode()
    path = write(tmp_path / "x", safetensors_bytes(text, b"\0" * 2 * len(names)))
    contents = read_safetensors(path, LIMITS, piece_bytes=piece_bytes)
    assert contents.name == ["", *names]
    assert list(contents.offset) == [8 + len(text) + at for at in (0, *range(0, 2 * len(names), 2))]
    assert contents.metadata == {name: name for name in names}


def test_long_metadata_is_read_up_to_a_limit(tmp_path: Path) -> None:
    image = "i" * 3_000_000
    contents = read(tmp_path, {"__metadata__": {"thumbnail": image}, "a": F32})
    assert contents.metadata == {"thumbnail": image}
    rule = "8,388,608 bytes"
    assert rule in refusal(tmp_path, {"__metadata__": {"thumbnail": image * 3}, "a": F32})
    assert rule in refusal(tmp_path, {"__metadata__": {"thumbnail": image * 3}})


def test_long_entry_that_is_not_metadata_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    for text in (b'{"a":[' + b"1," * 2_000_000, b"{" + b'"a":1,' * 1_000_000, b'{"' + b"\\u0061" * 2_000_000):
        before = held()[1]
        assert "an entry of more than 1,048,576 bytes" in refusal(tmp_path, text)
        assert held()[1] - before < 20_000_000


def test_name_twice_in_different_pieces_is_refused(tmp_path: Path) -> None:
    empty = json.dumps(entry("U8", [0], 0, 0)).encode()
    text = b'{"a":%b,%b"a":%b}' % (empty, b"".join(b'"%d":%b,' % (i, empty) for i in range(100)), empty)
    path = write(tmp_path / "x", safetensors_bytes(text))
    with pytest.raises(UnreadableFile, match="'a' is there twice"):
        read_safetensors(path, LIMITS, piece_bytes=500)
    text = b'{"__metadata__":{},%b"__metadata__":{}}' % b"".join(b'"%d":%b,' % (i, empty) for i in range(100))
    with pytest.raises(UnreadableFile, match="__metadata__ is there twice"):
        read_safetensors(write(tmp_path / "x", safetensors_bytes(text)), LIMITS, piece_bytes=500)


TOKENS = [
    b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b" ", b"\n", b"\0", b"\xff", b"\xc3", b"0", b"1", b"-", b"4", b"8",
    b"-0", b"1e0", b"1.0", b"null", b"true", b"18446744073709551615", b"18446744073709551616", b"9223372036854775807",
    b"9223372036854775808", b'"a"', b'"b"', b'"a":', b'"__metadata__":', b'"__metadata__":{"k":"v"},', b'"dtype"',
    b'"shape"', b'"data_offsets"', b'"F32"', b'"F4"', b'"F6_E2M3"', b'"BOOL"', b'"f32"', b'{"F32":null}', b"[0,4]",
    b"[]", b"{}", b'"\\u0061"', b'"\\ud800"', b'"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},', b'"more":1,',
    b'"x":["U8",[0],[0,0]],',
]  # fmt: skip


@st.composite
def headers(draw: st.DrawFn) -> bytes:
    """Headers that are right, and then mutated in up to four places."""
    words = draw(st.lists(st.sampled_from(["F32", "U8", "BF16", "F64", "F4", "F6_E3M2"]), max_size=4))
    header: dict[str, object] = {}
    if draw(st.booleans()):
        header["__metadata__"] = draw(st.dictionaries(st.sampled_from("kab"), st.text(max_size=3), max_size=2))
    at = 0
    for place, word in enumerate(words):
        shape = draw(st.lists(st.sampled_from([0, 1, 2, 4]), max_size=3))
        elements = 4 if word in {"F4", "F6_E3M2"} else 1
        for size in shape:
            elements *= size
        shape = [*shape, 4] if word in {"F4", "F6_E3M2"} else shape
        size = elements * SAFETENSORS[word].bits // 8
        header[draw(st.sampled_from(["a", "b", "a.b", "", '},"']) if place else st.just("a"))] = entry(
            word, shape, at, at + size
        )
        at += size
    text = json.dumps(header, separators=(",", ":")).encode()
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from([0, 0, 1, 1, 2, 5, 20])))
        text = text[:start] + draw(st.sampled_from(TOKENS)) * draw(st.sampled_from([0, 1, 1, 1, 2])) + text[end:]
    return text


class _Pairs(list[tuple[str, object]]):
    """An object of JSON with all that it names."""


def is_stricter_by_document(header: bytes) -> bool:
    """Whether a header breaks a rule that the module's document adds to the reference's."""
    if not header.startswith(b"{"):
        return True
    root = json.loads(header.decode(), object_pairs_hook=_Pairs)
    names = [name for name, _ in root]
    if len(set(names)) != len(names):
        return True
    for name, value in root:
        if name == "__metadata__":
            if value is not None and len({key for key, _ in value}) != len(value):
                return True
        elif not isinstance(value, _Pairs) or sorted(key for key, _ in value) != ["data_offsets", "dtype", "shape"]:
            return True
        else:
            fields = dict(value)
            if not isinstance(fields["dtype"], str) or is_too_large(fields["shape"]):
                return True
    return False


def is_too_large(shape: Any) -> bool:
    size = 64
    for dim in shape:
        size *= dim
        if dim >= 2**63 or size >= 2**63:
            return True
    return len(shape) > 64


@settings(max_examples=600)
@given(header=headers(), data_bytes=st.sampled_from([None, 0, 4]), piece_bytes=st.sampled_from([1, 30, 65_536]))
def test_agrees_with_the_reference_but_for_the_documented_rules(
    tmp_path_factory: pytest.TempPathFactory, header: bytes, data_bytes: int | None, piece_bytes: int
) -> None:
    data = safetensors_bytes(header, b"\0" * (due(header) if data_bytes is None else data_bytes))
    path = write(tmp_path_factory.getbasetemp() / "mutated.safetensors", data)
    try:
        expected = {
            name: (tuple(info["shape"]), SAFETENSORS[info["dtype"]].word, len(info["data"]))
            for name, info in deserialize(data)
        }
    except safetensors.SafetensorError:
        with pytest.raises(UnreadableFile):
            read_safetensors(path, LIMITS, piece_bytes=piece_bytes)
        return
    try:
        contents = read_safetensors(path, LIMITS, piece_bytes=piece_bytes)
    except UnreadableFile:
        assert is_stricter_by_document(header)
        return
    kinds = [contents.kinds[number] for number in contents.kind]
    found = {name: (kind.shape, kind.dtype, num_bytes(kind)) for name, kind in zip(contents.name, kinds, strict=True)}
    assert found == expected


def due(header: bytes) -> int:
    """Where the tensors of a header end, if that can be told, so that a right header has a right file."""
    try:
        root = json.loads(header)
        return min(1000, max(int(value["data_offsets"][1]) for name, value in root.items() if name != "__metadata__"))
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError):
        return 0


def test_any_bytes_are_read_or_refused_without_memory_or_descriptors_left(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({f"layer.{i}.weight": torch.zeros(2, 3) for i in range(6)}, path, {"format": "pt"})
    whole = path.read_bytes()
    broken = tmp_path / "broken.safetensors"
    before = held()
    for step in (3, 7, 7):
        if step == 7:
            before = held()
        for at in range(0, len(whole), step):
            for data in (whole[:at], whole[:at] + bytes([whole[at] ^ (1 << at % 8)]) + whole[at + 1 :]):
                broken.write_bytes(data)
                try:
                    contents = read_safetensors(broken, LIMITS)
                except UnreadableFile:
                    continue
                assert len(contents.name) == len(deserialize(data))
    descriptors, resident = held()
    assert descriptors == before[0]
    assert resident - before[1] < 2_000_000


def test_hundred_thousand_tensors_of_100_gb_are_read_in_little_memory(tmp_path: Path) -> None:
    size = 1024 * 1024
    names = [f"model.layers.{i // 768}.mlp.experts.{i % 768}.down_proj.weight" for i in range(100_000)]
    header = {name: entry("BF16", [512, 1024], i * size, (i + 1) * size) for i, name in enumerate(names)}
    path = write(tmp_path / "large.safetensors", safetensors_bytes(json.dumps(header).encode()))
    os.truncate(path, path.stat().st_size + 100_000 * size)
    del header
    _, before = held()
    contents = read_safetensors(path, LIMITS)
    assert held()[1] - before < 30_000_000
    assert contents.name == names
    assert contents.offset[99_999] == path.stat().st_size - size
    assert contents.stored_bytes == 100_000 * size


def test_every_error_is_one_of_moduletrees(tmp_path: Path) -> None:
    with pytest.raises(ModuletreeError):
        read(tmp_path, b'{"__metadata__":{"a":"\\ud800"}}')
