"""A stream across all that can happen to it, without a network."""

import json
import math
from typing import Any

import pytest

from app.client import (
    EndEvent,
    EpochEvent,
    Event,
    NotFound,
    NotModuletree,
    ServerFailed,
    StreamLost,
    TooManyRuns,
    Unreachable,
)
from app.client.errors import problem_of
from app.client.following import Following
from app.client.operation import Course
from app.client.patience import Patience
from app.client.runs import RunOperations
from app.client.steps import Answer
from tests.client.scripted import OPENED, OVER, RUN, Script, sent

AT = "2026-01-01T12:00:00Z"
CUT = Unreachable("The connection broke off.")
SILENT = Unreachable("The server was silent for too long.")


def follow(*replies: Any, after: int = 0, patience_s: float = 300, modules: bool = True) -> tuple[list[Event], Script]:
    script = Script(replies)
    patience = Patience(patience_s, clock=lambda: script.now, jitter=lambda: 1.0)
    following = Following("r_1", after, 0, patience, lambda _, event: event, modules=modules)
    return script.carry_out(Course(following.plan())), script


def ids(events: list[Event]) -> list[int]:
    return [event.id for event in events]


def last_ids(script: Script) -> list[str]:
    return [connect.request.headers["last-event-id"] for connect in script.asked]


def test_a_stream_ends_with_its_run() -> None:
    events, script = follow(OPENED, b"retry: 1000\n\n" + sent(1) + sent(2)[:9], sent(2)[9:], sent(3, "end"))

    assert ids(events) == [1, 2, 3]
    assert isinstance(events[2], EndEvent)
    assert events[2].run.loss == math.inf
    assert script.pauses == []


def test_a_stream_that_is_cut_goes_on_after_the_last_event_that_was_whole() -> None:
    events, script = follow(
        OPENED, sent(1) + sent(2)[:20], CUT, OPENED, sent(2), b"", OPENED, sent(2) + sent(3), sent(4, "end")
    )

    assert ids(events) == [1, 2, 3, 4]
    assert last_ids(script) == ["0", "1", "2"]
    assert script.pauses == [1, 1]


def test_tries_come_ever_more_seldom_and_soon_again_when_all_is_well() -> None:
    opening = b"retry: 500\n\n"
    events, script = follow(
        OPENED, opening + sent(1), CUT, *[CUT] * 8, OPENED, opening, CUT, OPENED, sent(2), CUT, OPENED, sent(3, "end")
    )  # fmt: skip

    assert ids(events) == [1, 2, 3]
    assert script.pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30, 0.5]


def test_a_connection_that_held_long_was_a_good_one() -> None:
    beats = [15.0, b":\n\n"] * 3
    _, script = follow(OPENED, sent(1), CUT, CUT, CUT, OPENED, *beats, SILENT, OPENED, sent(2, "end"))

    assert script.pauses == [1, 2, 4, 1]


def test_a_server_that_does_not_come_back_is_given_up() -> None:
    with pytest.raises(StreamLost, match=r"after event 1 and was not back within 10 s: The connection") as caught:
        follow(OPENED, sent(1), CUT, *[CUT] * 9, patience_s=10)
    assert caught.value.last_event_id == "1"


def test_jitter_makes_waits_shorter_and_never_longer() -> None:
    patience = Patience(1000, clock=lambda: 0.0, jitter=lambda: 0.0)
    assert [patience.delay_s() for _ in range(4)] == [0.5, 1, 2, 4]


def test_a_server_that_was_never_there_is_told_at_once() -> None:
    with pytest.raises(Unreachable, match="broke off"):
        follow(CUT)


def test_a_proxy_that_has_lost_its_server_is_asked_again_when_it_says() -> None:
    failed = Answer(503, {"retry-after": "7"}, b"<html>")
    events, script = follow(OPENED, sent(1), b"", failed, OPENED, sent(2, "end"))

    assert ids(events) == [1, 2]
    assert script.pauses == [1, 7]
    with pytest.raises(ServerFailed):
        follow(failed)


def test_a_run_that_was_interrupted_may_go_on() -> None:
    interrupted = sent(2, "end", **RUN | {"status": "interrupted"})

    events, script = follow(OPENED, sent(1) + interrupted, b"", OVER)
    assert (ids(events), script.pauses, last_ids(script)) == ([1, 2], [], ["0", "2"])

    events, script = follow(OPENED, sent(1) + interrupted, b"", CUT, OPENED, sent(3) + sent(4, "end"))
    assert (ids(events), script.pauses) == ([1, 2, 3, 4], [1])

    events, _ = follow(OPENED, sent(1) + interrupted + sent(3) + sent(4, "end"))
    assert ids(events) == [1, 2, 3, 4]


def test_a_stream_without_statistics_of_modules_skips_their_numbers() -> None:
    events, script = follow(OPENED, sent(1) + sent(3), CUT, OPENED, sent(6), sent(8, "end"), modules=False)

    assert (ids(events), last_ids(script)) == ([1, 3, 6, 8], ["0", "3"])
    assert [connect.request.query for connect in script.asked] == [{"modules": False}] * 2


def test_nothing_follows_a_204() -> None:
    events, script = follow(OVER, after=9)
    assert (events, last_ids(script)) == ([], ["9"])


def test_a_run_that_is_deleted_meanwhile_is_not_found() -> None:
    with pytest.raises(NotFound, match="no run"):
        follow(OPENED, sent(1), b"", Answer(404, {}, b'{"status": 404, "detail": "There is no run."}'))


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (sent(1) + sent(3), "lacks the events from 2 to 2"),
        (sent(1, "epochs", epoch=[0, 0], loss=[1], at=AT) + sent(6, "epochs", epoch=[1, 4], loss=[], at=AT), "2 to 2"),
        (b"id: x\ndata: {}\n\n", "cannot be read"),
        (b"id: 1\nevent: epoch\ndata: {\n\n", "cannot be read"),
        (sent(1, "end", status=5), "cannot be read"),
    ],
)  # fmt: skip
def test_a_stream_that_is_not_a_runs_is_refused(reply: bytes, said: str) -> None:
    with pytest.raises(NotModuletree, match=said):
        follow(OPENED, reply)


def test_a_page_is_no_stream() -> None:
    with pytest.raises(NotModuletree, match="something else"):
        follow(Answer(200, {"content-type": "text/html"}))


def test_losses_that_are_not_finite_are_floats_again() -> None:
    kinds = [[1, 2, "nan"], [3, 3, "-inf"]]
    batch = sent(4, "epochs", epoch=[0, 3], loss=[1, None, None, None], at=AT, nonfinite=kinds)
    events, _ = follow(
        OPENED, batch + sent(5, loss=None, nonfinite="inf") + sent(6, "tomorrow", more=1) + sent(7, "end")
    )

    assert repr(events[0].loss) == "[1.0, nan, nan, -inf]"  # type: ignore[union-attr]
    assert isinstance(events[1], EpochEvent)
    assert events[1].loss == math.inf
    assert events[2].event == "tomorrow"


def test_a_problem_of_any_form_has_a_status_and_words() -> None:
    assert str(problem_of(502, {}, b"<html>Bad Gateway")) == "The server answered 502, without a reason."
    body = b'{"status": 413, "detail": "Too many.", "limit": 7, "errors": [{"loc": ["a", 0], "msg": "m"}]}'
    told = problem_of(413, {}, body)
    assert (told.status, told.limit, told.errors[0].loc, str(told)) == (413, 7, ("a", 0), "Too many.")


def test_a_full_queue_is_waited_for_on_request() -> None:
    full = Answer(429, {"retry-after": "5"}, b'{"status": 429, "detail": "16 runs wait already."}')
    script = Script([full, full, Answer(202, {}, json.dumps(RUN | {"status": "queued"}).encode())])
    course = Course(RunOperations.start_run.plan(None, "t_1", wait=12, epochs=3))
    script.carry_out(course)

    assert (course.result.status, script.pauses) == ("queued", [5, 5])
    with pytest.raises(TooManyRuns, match="16 runs wait") as caught:
        Script([full, full]).carry_out(Course(RunOperations.start_run.plan(None, "t_1", wait=6)))
    assert caught.value.retry_after_s == 5
