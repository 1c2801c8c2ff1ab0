"""Names from outside: what is not seen is written out, colours are decided by the name, addresses take any of them."""

from itertools import pairwise

from app.pages.calls import module_code, over_http
from app.pages.hues import fnv1a, hues
from app.pages.links import LONGEST_TARGET, module_url
from app.pages.visible import Piece, clipped, pieces, printed, quoted, visible


def test_what_cannot_be_seen_is_written_as_an_escape() -> None:
    assert visible("a\nb\x1b\u202eevil\u200b") == r"a\nb\x1b\u202eevil\u200b"


def test_spaces_at_the_ends_are_written_out_and_those_inside_are_not() -> None:
    assert visible(" a b ") == r"\x20a b\x20"
    assert visible(" ") == r"\x20"
    assert visible("\u3000") == r"\u3000"


def test_letters_of_any_script_and_joined_emoji_stay() -> None:
    assert visible("한국어 é 👩‍💻 <b>") == "한국어 é 👩‍💻 <b>"


def test_a_lone_surrogate_can_be_encoded_after_it() -> None:
    assert visible("\ud800").encode() == rb"\ud800"


def test_a_long_name_keeps_its_ends() -> None:
    shown = clipped("a" * 500 + "z", 80)
    assert len(shown) == 80
    assert shown.startswith("aaa")
    assert shown.endswith("z")


def test_a_marked_name_is_cut_where_the_marks_end_and_shown_as_any_name() -> None:
    assert pieces("self_attn", [(5, 9)]) == (Piece("self_"), Piece("attn", is_marked=True))
    assert pieces("\u202eab", [(1, 2)]) == (Piece("\\u202e"), Piece("a", is_marked=True), Piece("b"))
    assert pieces("x" * 500, [(0, 1)]) == (Piece(clipped("x" * 500)),)
    for name in ("", " ", "  a b ", "\n", "한국어", "\ud800"):
        assert "".join(piece.text for piece in pieces(name, [(0, len(name))])) == visible(name)


def test_printed_text_keeps_its_lines() -> None:
    assert printed("LinearModel(\n  (\x00): None\n)") == "LinearModel(\n  (\\x00): None\n)"


def test_python_strings_are_quoted_as_python_reads_them() -> None:
    for text in ("sub1", 'a"b', "it's", "a\nb", "\\", "\u202e"):
        assert eval(quoted(text)) == text


def test_the_hash_is_fnv_1a() -> None:
    assert fnv1a("") == 0x811C9DC5
    assert fnv1a("foobar") == 0xBF9CF968


def test_a_class_keeps_its_colour_and_neighbours_stay_apart() -> None:
    slots = hues(["LinearModel", "Sequential", *(f"Class{number}" for number in range(6))])
    assert slots["LinearModel"] == fnv1a("LinearModel") % 24
    assert "Sequential" not in slots
    used = sorted(slots.values())
    assert all(after - before > 1 for before, after in pairwise(used))


def test_more_classes_than_colours_still_have_one_each() -> None:
    assert len(hues(f"Class{number}" for number in range(40))) == 40


def test_an_address_takes_any_name_and_a_path_too_long_goes_by_its_row() -> None:
    assert module_url("t_1", "a/b.c d%") == "/trees/t_1/modules/a%2Fb.c%20d%25"
    assert module_url("t_1", "") == "/trees/t_1"
    assert module_url("t_1", "a" * (LONGEST_TARGET + 1), 7, tab="change") == "/trees/t_1?row=7&tab=change"


def test_calls_are_code_that_names_cannot_break_out_of() -> None:
    assert module_code('x").__class__') == "model.get_submodule('x\").__class__')"
    assert (
        over_http("http://h", "/api", target="it's & more").code == "curl -s 'http://h/api?target=it%27s%20%26%20more'"
    )
