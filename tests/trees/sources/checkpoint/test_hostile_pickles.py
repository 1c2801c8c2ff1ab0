import os
import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import TooLarge, UnreadableFile
from app.trees.sources.checkpoint.contents import num_bytes
from app.trees.sources.checkpoint.limits import HeaderLimits
from app.trees.sources.checkpoint.torch_file import read_torch_file
from tests.trees.sources.checkpoint.files import archive_of, global_, held, text, write

LIMITS = HeaderLimits()


def refusal(tmp_path: Path, data: bytes) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read_torch_file(write(tmp_path / "x.pt", data), LIMITS)
    return caught.value.detail


class Runs:
    """Pickles to a call of something that leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.mark}",)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_pickle_that_tries_to_run_code_is_named_and_not_run(tmp_path: Path, protocol: int) -> None:
    mark = tmp_path / "mark"
    detail = refusal(tmp_path, archive_of(pickle.dumps({"x": Runs(mark)}, protocol)))
    assert "posix.system" in detail or (protocol < 2 and "opcode" in detail)
    assert not mark.exists()


def calls() -> dict[str, bytes]:
    """Ways to call os.system in a pickle."""
    system, argument = global_("os", "system"), text("touch MARK")
    return {
        "reduce": system + argument + b"\x85R.",
        "stack global": text("os") + text("system") + b"\x93" + argument + b"\x85R.",
        "memo": text("os") + b"q\0" + text("system") + b"q\1h\0h\1\x93" + argument + b"\x85R.",
        "far memo": text("os") + b"r\xff\xff\xff\xff" + b"j\xff\xff\xff\xff" + text("system") + b"\x93)R.",
        "inst": b"(" + argument + b"ios\nsystem\n.",
        "obj": b"(" + system + argument + b"o.",
        "newobj": system + argument + b"\x85\x81.",
        "newobj_ex": system + argument + b"\x85}\x92.",
        "build": system + b")R}" + text("x") + b"K\1sb.",
        "in the storage": b"(" + text("storage") + system + text("0") + text("cpu") + b"K\1tQ.",
        "in a parameter": global_("torch._utils", "_rebuild_parameter") + system + b")R\x88N\x87R.",
        "through a subclass": global_("torch._tensor", "_rebuild_from_type_v2")
        + b"(" + system + global_("torch", "Tensor") + argument + b"\x85Nt" + b"R.",
        "before what is read": system + b"0N.",
        "builtins": global_("__builtin__", "eval") + argument + b"\x85R.",
        "attribute": global_("torch.nn", "Module.__init__.__globals__") + b".",
    }  # fmt: skip


@pytest.mark.parametrize("call", calls().values(), ids=calls())
def test_every_way_to_a_call_is_refused_and_named(tmp_path: Path, call: bytes) -> None:
    detail = refusal(tmp_path, archive_of(b"\x80\x02" + call))
    assert "needs os.system" in detail or "needs builtins.eval" in detail or "__globals__" in detail


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        (b".", "broken"),
        (b"", "broken"),
        (b"N", "broken"),
        (b"(.", "broken"),
        (b"t.", "broken"),
        (b"\x87.", "broken"),
        (b"q\0.", "broken"),
        (b"h\0.", "broken"),
        (b"X\xff\xff\xff\xffabc.", "broken"),
        (b"X\1\0\0\0\xff.", "broken"),
        (b"\x8d\xff\xff\xff\xff\xff\xff\xff\xffabc.", "broken"),
        (b"cos", "broken"),
        (b"\x8a\xff" + b"\1" * 255 + b".", "integer of 255 bytes"),
        (b"NR.", "broken"),
        (b"NNR.", "calls something with what is not a tuple"),
        (b"N)R.", "calls something that is not a function"),
        (b"NNa.", "appends to something"),
        (b"NNNs.", "sets an item of something"),
        (b"}(Nu.", "a key without a value"),
        (b"K\1}b.", "sets the state of something"),
        (b"NQ.", "something that is not a storage"),
        (b"Pabc\n.", "opcode b'P'"),
        (b"\x82\1.", "opcode"),
        (b"NN\x93.", "a global by something that is not text"),
        (global_("torch", "FloatStorage") + b")R.", "only read as a name"),
        (b"}}K\1s.", "a key that is a branch"),
        (b"}(K\1\x85\x85K\1u.", "a key that is a tuple"),
    ],
)
def test_broken_pickle_is_refused(tmp_path: Path, code: bytes, rule: str) -> None:
    assert rule in refusal(tmp_path, archive_of(b"\x80\x02" + code))


def tensor_code(
    *,
    storage: bytes = b"0",
    count: bytes = b"K\4",
    offset: bytes = b"K\0",
    shape: bytes = b"K\4\x85",
    strides: bytes = b"K\1\x85",
) -> bytes:
    """The opcodes of one float32 tensor."""
    return (
        global_("torch._utils", "_rebuild_tensor_v2")
        + b"((" + text("storage") + global_("torch", "FloatStorage") + text(storage.decode()) + text("cpu") + count
        + b"tQ" + offset + shape + strides + b"\x89" + global_("collections", "OrderedDict") + b")RtR."
    )  # fmt: skip


MINUS_ONE, LARGE = b"J\xff\xff\xff\xff", b"\x8a\x08" + b"\xff" * 7 + b"\x7f"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({}, ""),
        ({"storage": b"1"}, "storage '1' should have 16 bytes, and the file of it is not there"),
        ({"storage": b"../data.pkl"}, "is not there"),
        ({"count": b"K\5"}, "should have 20 bytes, and the file of it is 16"),
        ({"count": LARGE}, "should have"),
        ({"offset": b"K\1"}, "needs 20 bytes of storage '0', and that has 16"),
        ({"offset": MINUS_ONE}, "not a place in its storage"),
        ({"shape": b"K\5\x85"}, "needs 20 bytes"),
        ({"shape": MINUS_ONE + b"\x85"}, "not a count"),
        ({"shape": b"\x88\x85"}, "not a count"),
        ({"shape": LARGE + LARGE + b"\x86", "strides": b"K\0K\0\x86"}, "more elements than 2**62"),
        ({"shape": b"(" + b"K\1" * 65 + b"t"}, "at most 64 dimensions"),
        ({"shape": b"]"}, "not a tuple"),
        ({"strides": b"K\2\x85"}, "needs 28 bytes"),
        ({"strides": MINUS_ONE + b"\x85"}, "not a count"),
        ({"strides": b")"}, "1 dimensions and 0 strides"),
    ],
)
def test_tensor_that_leaves_its_storage_is_refused(tmp_path: Path, changes: dict[str, bytes], rule: str) -> None:
    data = archive_of(b"\x80\x02" + tensor_code(**changes), {"0": b"\0" * 16})
    if rule:
        assert rule in refusal(tmp_path, data)
    else:
        assert read_torch_file(write(tmp_path / "x.pt", data), LIMITS).name == [""]


def nest(code: bytes, depth: int) -> bytes:
    return b"]" * depth + code + b"a" * depth + b"."


def test_what_holds_itself_or_doubles_is_bounded(tmp_path: Path) -> None:
    assert "deeper than 100" in refusal(tmp_path, archive_of(b"]q\0(h\0N}e."))
    assert "deeper than 100" in refusal(tmp_path, archive_of(b"}q\0" + text("x") + b"h\0s."))
    assert "deeper than 100" in refusal(tmp_path, archive_of(nest(b"}", 100_000)))
    assert "deeper than 100" in refusal(tmp_path, archive_of(b"K\1" + b"\x85" * 100_000 + b"}\x86."))
    laughs = b"".join(b"]q%c(%se" % (i, b"h%c" % (i - 1) * 10 if i else b"}") for i in range(30)) + b"."
    with pytest.raises(TooLarge, match="values"):
        read_torch_file(write(tmp_path / "x.pt", archive_of(laughs)), HeaderLimits(max_tensors=1000))
    wide = b"}q\0(" + b"K\1N" * 1000 + b"u0]" + b"h\0a" * 1000 + b"."
    with pytest.raises(TooLarge, match="more than 4,000 values"):
        read_torch_file(write(tmp_path / "x.pt", archive_of(wide)), HeaderLimits(max_tensors=1000))
    before = held()[1]
    collections_of_itself = b"".join(b"]q\0h\0a0" for _ in range(20_000)) + b"N."
    for _ in range(5):
        read_torch_file(write(tmp_path / "x.pt", archive_of(collections_of_itself)), LIMITS)
    assert held()[1] - before < 20_000_000


def test_names_that_grow_are_bounded(tmp_path: Path) -> None:
    tensor = tensor_code()[:-1]
    long = text("n" * 10_000)
    code = b"}(" + b"".join(text(str(i)) + b"}" + long + tensor + b"s" for i in range(20)) + b"u."
    with pytest.raises(TooLarge, match="100,000 characters"):
        read_torch_file(
            write(tmp_path / "x.pt", archive_of(code, {"0": b"\0" * 16})), HeaderLimits(max_header_bytes=100_000)
        )
    code = b"}" + text("n" * 70_000) + tensor + b"s."
    with pytest.raises(TooLarge, match="65,536"):
        read_torch_file(write(tmp_path / "x.pt", archive_of(code, {"0": b"\0" * 16})), LIMITS)


LONG = text("n" * 1_000_000) + b"q\0"
LARGE_DICT = b"}q\0(" + b"K\1N" * 100_000 + b"u"


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        (LONG + b"h\0h\0\x93" * 100_000, "names a global by 2,000,000 characters"),
        (
            b"(" + text("storage") + global_("torch", "FloatStorage") + LONG + text("cpu") + b"K\1tQ",
            "1,000,000 characters",
        ),
        (LONG + b"0}h\0\x85Ns", "a tuple of more than 1000 parts"),
        (LONG + b"0}h\0}" + b"".join(text(str(i)) + b"Ns" for i in range(10)) + b"s", "1,000,000 characters"),
    ],
)
def test_short_pickle_that_asks_for_much_is_refused(tmp_path: Path, code: bytes, rule: str) -> None:
    path, before = write(tmp_path / "x.pt", archive_of(b"\x80\x02N" + code + b".")), held()[1]
    with pytest.raises((UnreadableFile, TooLarge), match=rule):
        read_torch_file(path, LIMITS)
    assert held()[1] - before < 40_000_000


@pytest.mark.parametrize(
    "code",
    [
        LONG + (global_("_codecs", "encode") + b"h\0\x85R0") * 10_000,
        LARGE_DICT + (global_("collections", "Counter") + b"h\0\x85R0") * 10_000,
        LARGE_DICT + (global_("builtins", "set") + b"]h\0a\x85R0") * 10_000,
    ],
)
def test_call_of_something_large_copies_nothing(tmp_path: Path, code: bytes) -> None:
    path, before = write(tmp_path / "x.pt", archive_of(b"\x80\x02N" + code + b"N.")), held()[1]
    assert read_torch_file(path, LIMITS).name == []
    assert held()[1] - before < 40_000_000


CODES = [bytes([code]) for code in b"().NRabtusequlod012]}\x81\x85\x86\x87\x88\x89\x8f\x90\x91\x92\x93\x94"] + [
    b"K\1", b"K\0", b"M\1\0", b"J\xff\xff\xff\xff", b"G" + b"\0" * 8, b"C\1x", b"\x8a\1\5", b"\x8c\1b", b"Q", b"((",
    b"q\0", b"q\1", b"h\0", b"h\1", b"r\2\0\0\0", b"j\2\0\0\0",
    text("a"), text("_metadata"), text("storage"), text("0"), text("cpu"),
    global_("collections", "OrderedDict"), global_("torch._utils", "_rebuild_tensor_v2"),
    global_("torch", "FloatStorage"), global_("torch._utils", "_rebuild_parameter"), global_("torch", "Size"),
    global_("os", "system"), global_("torch", "float32"), global_("torch._tensor", "_rebuild_from_type_v2"),
    global_("builtins", "set"), tensor_code()[:-1], tensor_code()[:-2],
]  # fmt: skip


@settings(max_examples=600)
@given(st.lists(st.sampled_from(CODES), max_size=60).map(b"".join))
def test_any_opcodes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, code: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "opcodes.pt"
    write(path, archive_of(b"\x80\x02" + code + b".", {"0": b"\0" * 16}))
    try:
        contents = read_torch_file(path, LIMITS)
    except UnreadableFile:
        return
    for entry in range(len(contents)):
        assert contents.name[entry] is not None
        assert num_bytes(contents.kinds[contents.kind[entry]]) >= 0
