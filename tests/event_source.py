"""Follows a stream of the running server, as a browser's EventSource does."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.live import LiveServer
from tests.training.chunks import Event, parse


class EventSource:
    """An open stream; iterating gives its events as they come, until the server ends it."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._events = self._read()

    def __iter__(self) -> Iterator[Event]:
        return self._events

    def _read(self) -> Iterator[Event]:
        received = b""
        for piece in self.response.iter_raw():
            received += piece
            whole, _, received = received.rpartition(b"\n\n")
            yield from parse(whole + b"\n\n" if whole else b"")

    def until(self, name: str, **data: Any) -> list[Event]:
        """The events up to the first of that name whose data holds these."""
        events = []
        for event in self:
            events.append(event)
            if event.event == name and data.items() <= event.data.items():
                return events
        raise AssertionError(f"the stream ended without {name} {data}: {events[-3:]}")


@contextmanager
def follow(server: LiveServer, path: str, last_event_id: str | None = None, **query: Any) -> Iterator[EventSource]:
    """An open stream on a connection of its own."""
    headers = {"accept": "text/event-stream"} | ({"last-event-id": last_event_id} if last_event_id else {})
    with (
        httpx.Client(base_url=server.url, timeout=30, trust_env=False, verify=False) as client,
        client.stream("GET", path, params=query, headers=headers) as response,
    ):
        response.raise_for_status()
        yield EventSource(response)


def events_of(server: LiveServer, run: str, last_event_id: str | None = None, **query: Any) -> list[Event]:
    """All events of a run, until it has ended."""
    with follow(server, f"/api/runs/{run}/events", last_event_id, **query) as source:
        return list(source)


class Following(threading.Thread):
    """Follows a run in the background; `events` are those received when it is joined."""

    def __init__(self, server: LiveServer, run: str, **query: Any) -> None:
        super().__init__(daemon=True)
        self.events: list[Event] = []
        self._server = server
        self._followed = run
        self._query = query
        self.start()

    def run(self) -> None:
        self.events = events_of(self._server, self._followed, **self._query)
