"""Which messages stand in a stream of server-sent events (WHATWG HTML, section 9.2.6)?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a stream."""

    id: str
    event: str
    data: bytes


@dataclass(slots=True)
class Messages:
    """Takes bytes as they come, gives whole messages; remembers where to resume and how long to wait."""

    last_id: str = ""
    retry: float = 1.0
    """Seconds before connecting again."""
    _rest: bytes = b""
    _event: str = ""
    _data: list[bytes] = field(default_factory=list)
    _seen_id: str = ""

    def feed(self, piece: bytes) -> Iterator[Message]:
        """Messages that this piece completes."""
        *lines, self._rest = (self._rest + piece).replace(b"\r\n", b"\n").split(b"\n")
        for line in lines:
            if line:
                self._field(line)
                continue
            # An id alone is no message, yet it is where to go on.
            self.last_id = self._seen_id or self.last_id
            if self._data:
                yield Message(self.last_id, self._event or "message", b"\n".join(self._data))
            self._event, self._data = "", []

    def reconnected(self) -> None:
        """Forget half a message: the stream begins again."""
        self._rest, self._event, self._data = b"", "", []

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            self._seen_id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit():
            self.retry = min(int(value) / 1000, 60.0)
