"""What others said in English is told in the reader's language: torch's words, Pydantic's, a child process's."""

import re
from collections.abc import Callable
from time import perf_counter

import pytest
import torch
from torch import nn

from app import foreign_messages
from app.korean import has_korean
from app.recognition import Known, Verbatim
from app.translation import catalogue, gettext, said, speaking, told, told_anew

PLACE = re.compile(r"%\((\w+)\)[sr]")
FOREIGN = [
    message
    for group in vars(foreign_messages).values()
    if isinstance(group, tuple)
    for message in group
    if isinstance(message, str)
]


def refused(call: Callable[[], object]) -> str:
    """The words in which torch refuses a call."""
    try:
        call()
    except (AttributeError, KeyError, RuntimeError, ValueError) as error:
        return str(error.args[0])
    raise AssertionError("torch takes it")


MODULE = nn.Linear(2, 3)
REFUSALS: list[Callable[[], object]] = [
    lambda: MODULE.register_buffer("a.b", None),
    lambda: MODULE.register_buffer("", None),
    lambda: MODULE.register_buffer("weight", None),
    lambda: MODULE.register_parameter("a.b", None),
    lambda: MODULE.register_parameter("", None),
    lambda: MODULE.register_parameter("forward", None),
    lambda: MODULE.add_module("a.b", None),
    lambda: MODULE.add_module("", None),
    lambda: MODULE.add_module("bias", None),
    lambda: MODULE.get_submodule("weight"),
    lambda: MODULE.get_submodule("nothing"),
    lambda: MODULE.get_parameter("nothing"),
    lambda: MODULE.get_parameter("in_features"),
    lambda: MODULE.get_buffer("weight"),
    lambda: MODULE(torch.zeros(1, 3)),
    lambda: torch.tensor([[1], [2, 3]]),
    lambda: torch.tensor(300, dtype=torch.uint8),
    lambda: torch.zeros(2) + torch.zeros(3),
    lambda: nn.GroupNorm(3, 4),
    lambda: nn.Conv2d(3, 4, 1, groups=2),
    lambda: nn.Dropout(2),
    lambda: nn.Conv2d(3, 4, 1)(torch.zeros(1, 2, 4, 4)),
    lambda: torch.optim.SGD(MODULE.parameters(), lr=-1),
    lambda: torch.optim.SGD(MODULE.parameters(), lr=1, momentum=-1),
    lambda: torch.optim.SGD([], lr=1),
    lambda: torch.optim.Adam(MODULE.parameters(), betas=(2, 0.9)),
]


@pytest.mark.parametrize("call", REFUSALS)
def test_what_torch_says_is_told_in_korean(call: Callable[[], object]) -> None:
    words = refused(call)
    with speaking("ko"):
        assert has_korean(told_anew(words) or words)
    assert told(words) == words


@pytest.mark.parametrize("message", FOREIGN)
def test_a_foreign_message_is_found_again_with_what_it_was_made_of(message: str) -> None:
    variables = {name: f"x{place}" for place, name in enumerate(PLACE.findall(message))}
    with speaking("ko"):
        assert told(message % variables if variables else message) == gettext(message, **variables)


def test_our_own_messages_are_found_again_after_they_were_only_text() -> None:
    ours = [each.id for each in catalogue("ko") if isinstance(each.id, str) and each.id.count("%(") == 1]
    known, lost = Known(ours), []
    for message in ours:
        (name,) = PLACE.findall(message)
        found = known.find(message % {name: "x"})
        # One that says almost nothing itself is known by nobody.
        if found is None and len(re.findall("[A-Za-z]", PLACE.sub("", message))) >= 6:
            lost.append(message)
    assert not lost


def test_sentences_within_sentences_are_told_too() -> None:
    inner = str(said("attribute '%(name)s' already exists", name="weight"))
    with speaking("ko"):
        assert told(f"name: {inner}; value: Field required.") == (
            "name: 속성 'weight'가 이미 있습니다; value: 꼭 필요한 값이 없습니다."
        )
        assert told("an integer or null") == "정수 또는 null"
        assert "권한이 없습니다" in told(said("The database cannot be opened: %(reason)s.", reason="Permission denied"))


def test_what_nobody_knows_stands_as_a_quotation_in_a_sentence() -> None:
    with speaking("ko"):
        assert told("Nobody expects this") == '영어로 받은 말입니다: "Nobody expects this"'
        assert told("weight") == "weight"
    assert told("Nobody expects this") == "Nobody expects this"


def test_what_stood_in_a_place_is_the_same_with_and_without_quotes() -> None:
    found = Known(["%(name)r is not the one"]).find("'a b' is not the one")
    assert found is not None
    assert found.message % found.variables == "'a b' is not the one"
    assert repr(Verbatim("'a'")) == "'a'"


@pytest.mark.parametrize("text", ["a: " * 5_000, "a; " * 5_000, "a or " * 5_000, "x. " * 5_000, "'" * 20_000])
def test_a_text_that_is_made_to_be_taken_apart_takes_no_time(text: str) -> None:
    with speaking("ko"):
        told("attribute 'x' already exists")
        start = perf_counter()
        told(text)
    assert perf_counter() - start < 1
