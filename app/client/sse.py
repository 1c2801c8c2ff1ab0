"""Server-sent events out of bytes, by the rules of the HTML standard (section 9.2.6), however the bytes are cut."""

import re
from dataclasses import dataclass

from app.client.errors import NotModuletree

BOM = b"\xef\xbb\xbf"
MAX_BYTES = 256 * 1024 * 1024
MAX_DIGITS = 4_000

_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Message:
    """One event as it came: `id` is the last id that the stream has named until then."""

    id: str
    event: str
    data: str


class Parser:
    """Reads one stream from its first byte; `last_event_id` goes on from a stream before.

    `retry_ms` is how soon the server wants a client back, None where it has not said.
    """

    def __init__(self, last_event_id: str = "") -> None:
        self.last_event_id = last_event_id
        self.retry_ms: int | None = None
        self._id = last_event_id
        self._event = ""
        self._data: list[str] = []
        self._num_bytes = 0
        # The line that has not ended yet, in pieces.
        self._rest: list[bytes] = []
        self._is_first_line = True
        self._is_after_cr = False

    def feed(self, piece: bytes) -> list[Message]:
        """Return the events that `piece` completes; what the end of a stream leaves incomplete is no event.

        Raises `NotModuletree` for an event without an end.
        """
        if piece and self._is_after_cr:
            # The line has ended with its CR: a LF that follows belongs to it, also in another piece.
            piece = piece.removeprefix(b"\n")
            self._is_after_cr = False
        if not piece:
            return []
        self._is_after_cr = piece.endswith(b"\r")
        self._num_bytes += len(piece)
        first, *others = _LINE_END.split(piece)
        self._rest.append(first)
        messages: list[Message] = []
        for following in others:
            self._read(b"".join(self._rest), messages)
            self._rest = [following]
        if self._num_bytes > MAX_BYTES:
            raise NotModuletree(f"The stream has an event of more than {MAX_BYTES:,} bytes.")
        return messages

    def _read(self, line: bytes, messages: list[Message]) -> None:
        if self._is_first_line:
            line, self._is_first_line = line.removeprefix(BOM), False
        if not line:
            self._dispatch(messages)
            return
        # A comment is a line with a field of no name.
        name, _, value = line.decode("utf-8", "replace").partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS:
            self.retry_ms = int(value)

    def _dispatch(self, messages: list[Message]) -> None:
        self.last_event_id = self._id
        if self._data:
            messages.append(Message(self._id, self._event or "message", "\n".join(self._data)))
        self._event, self._data, self._num_bytes = "", [], 0
