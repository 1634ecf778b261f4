"""What is known of one request while it passes through the layers, and what is added to its answer?"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from drachm.adapters.rest.transport.exchange import Message, Send
from drachm.adapters.rest.transport.limits import Deadlines
from drachm.adapters.rest.transport.problems import Answer, Header

UNMATCHED: Final = "unmatched"
"""The route template of a request that found none."""
_OWN: Final = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


class Passage:
    """What the layers of one request know of it, in `scope["passage"]`."""

    __slots__ = ("bytes_sent", "caller", "fields", "headers", "request_id", "route", "status")

    def __init__(self, request_id: str, fields: Mapping[bytes, bytes]) -> None:
        self.request_id = request_id
        self.fields = fields
        """Header fields by lower-case name; of a repeated one the last."""
        self.route = UNMATCHED
        self.caller = ""
        """Id of the key or client, set by the gate; goes into the log."""
        self.headers: Sequence[Header] = ()
        """Fields the gate wants in the answer (RateLimit)."""
        self.status = 0
        self.bytes_sent = 0


class Reply:
    """The `send` of one request: adds our fields, remembers what was said."""

    __slots__ = ("_deadlines", "_passage", "_send", "ended", "started", "task")

    def __init__(self, send: Send, passage: Passage, deadlines: Deadlines) -> None:
        self._send, self._passage, self._deadlines = send, passage, deadlines
        self.started = self.ended = False
        task = asyncio.current_task()
        assert task is not None
        self.task = task

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            passage = self._passage
            passage.status = message["status"]
            # Starlette may have left here for another task; the deadline belongs to the one that began.
            self._deadlines.running.pop(self.task, None)
            headers = list(message.get("headers", ()))
            headers.append((b"request-id", passage.request_id.encode()))
            names = {name for name, _ in headers}
            headers += [own for own in _OWN if own[0] not in names]
            headers += passage.headers
            message["headers"] = headers
        else:
            self._passage.bytes_sent += len(message.get("body", b""))
            self.ended = not message.get("more_body", False)
        await self._send(message)


async def send_answer(answer: Answer, send: Send) -> None:
    """Send a whole answer."""
    length = (b"content-length", b"%d" % len(answer.body))
    await send({"type": "http.response.start", "status": answer.status, "headers": [*answer.headers, length]})
    await send({"type": "http.response.body", "body": answer.body})


def json_answer(status: int, value: object, headers: Sequence[Header] = ()) -> Answer:
    """A value as a JSON answer."""
    return Answer(status, ((b"content-type", b"application/json"), *headers), msgspec.json.encode(value))
