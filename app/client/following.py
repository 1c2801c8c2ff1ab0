"""A run's stream, picked up wherever it breaks off, until the server says that nothing follows.

connect -> receive -> events -> (broken off) -> wait -> connect with Last-Event-ID -> ... -> end, or 204
"""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar
from urllib.parse import quote

from app.client.errors import NotModuletree, ServerFailed, StreamLost, TooManyRuns, Unreachable
from app.client.events import EndEvent, EpochsEvent, Event, event_of
from app.client.patience import Patience
from app.client.sse import Message, Parser
from app.client.steps import Connect, Flow, Give, Pause, Plan, Request, ask, receive

MEDIA_TYPE = "text/event-stream"
# After one of these nothing follows. A run that was interrupted may have been resumed: only the server knows.
FINAL = frozenset({"succeeded", "failed", "cancelled"})

E = TypeVar("E")
Failure = Unreachable | ServerFailed | TooManyRuns


class Following(Generic[E]):
    """Follows the stream of a run after the event `after`; each event is given once, in the form that `give` makes.

    Without `modules` the server leaves events of that kind out, and their numbers are skipped.
    """

    def __init__(
        self,
        run_id: str,
        after: int,
        batch: int,
        patience: Patience,
        give: Callable[[Message, Event], E],
        *,
        modules: bool = True,
    ) -> None:
        self._path = f"/api/runs/{quote(run_id, safe='')}/events"
        self._query = ({"batch": batch} if batch else {}) | ({} if modules else {"modules": False})
        self._is_whole = modules
        self._last = after
        self._patience = patience
        self._give = give
        self._was_open = False
        self._is_over = False
        self._has_ended = False

    def plan(self) -> Flow[E]:
        """Give events until the end of the run.

        Raises `Unreachable` where no server answers at the first try, `StreamLost` where it has not come back in time,
        and what it refuses with.
        """
        while not self._is_over:
            failure: Failure | None = None
            try:
                yield from self._connected()
            except (Unreachable, ServerFailed, TooManyRuns) as error:
                if not self._was_open:
                    raise
                failure = error
            if failure is not None or not self._has_ended:
                yield from self._wait(failure)

    def _connected(self) -> Flow[E]:
        headers = {"accept": MEDIA_TYPE, "accept-encoding": "identity", "last-event-id": str(self._last)}
        answer = yield from ask(Connect(Request("GET", self._path, self._query, headers=headers)))
        if answer.status == 204:
            self._is_over = self._has_ended = True
            return
        if not answer.headers.get("content-type", "").startswith(MEDIA_TYPE):
            raise NotModuletree("The server answered something else than a stream of events.")
        self._was_open, self._has_ended = True, False
        self._patience.is_there()
        parser = Parser(str(self._last))
        while not self._is_over and (piece := (yield from receive())):
            messages = parser.feed(piece)
            if parser.retry_ms is not None:
                self._patience.first_s = parser.retry_ms / 1000
            self._patience.goes_on(is_news=bool(messages))
            if news := self._news(messages):
                yield Give(news)

    def _news(self, messages: Sequence[Message]) -> Sequence[E]:
        news: list[E] = []
        for message in messages:
            event = event_of(message)
            if event.id <= self._last:
                continue
            first = event.id - (event.epoch[1] - event.epoch[0] if isinstance(event, EpochsEvent) else 0)
            if self._is_whole and first > self._last + 1:
                raise NotModuletree(f"The stream lacks the events from {self._last + 1} to {first - 1}.")
            self._last = event.id
            self._has_ended = isinstance(event, EndEvent)
            self._is_over = isinstance(event, EndEvent) and event.run.status in FINAL
            news.append(self._give(message, event))
        return news

    def _wait(self, failure: Failure | None) -> Plan[None]:
        delay_s = self._patience.delay_s()
        if delay_s is None:
            lost = f"The stream broke off after event {self._last} and was not back within {self._patience.limit_s:g} s"
            raise StreamLost(f"{lost}{f': {failure}' if failure else '.'}", str(self._last)) from failure
        if isinstance(failure, ServerFailed | TooManyRuns) and failure.retry_after_s is not None:
            delay_s = max(delay_s, min(failure.retry_after_s, self._patience.longest_s))
        yield Pause(delay_s)
