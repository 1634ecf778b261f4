"""What is known of one request while it passes through the layers, and what is added to its answer?"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from drachm.adapters.rest.transport.exchange import AtOnce, Message, Send
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

    __slots__ = ("_at_once", "_deadlines", "_passage", "_send", "ended", "started", "task")

    def __init__(self, send: Send, passage: Passage, deadlines: Deadlines, at_once: AtOnce | None = None) -> None:
        self._send, self._passage, self._deadlines, self._at_once = send, passage, deadlines, at_once
        self.started = self.ended = False
        task = asyncio.current_task()
        assert task is not None
        self.task = task

    async def __call__(self, message: Message) -> None:
        await self.send(message)

    async def whole(self, answer: Answer) -> None:
        """A whole answer in one go, where the server takes it so (`Exchange.whole`)."""
        self.started = self.ended = True
        passage = self._passage
        passage.status, passage.bytes_sent = answer.status, len(answer.body)
        self._deadlines.running.pop(self.task, None)
        headers = _with_own((*answer.headers, (b"content-length", b"%d" % len(answer.body))), passage)
        if self._at_once is not None:
            await self._at_once(answer.status, headers, answer.body)
            return
        await self._send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": answer.body})

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            passage = self._passage
            passage.status = message["status"]
            # Starlette may have left here for another task; the deadline belongs to the one that began.
            self._deadlines.running.pop(self.task, None)
            message["headers"] = _with_own(message.get("headers", ()), passage)
        else:
            self._passage.bytes_sent += len(message.get("body", b""))
            self.ended = not message.get("more_body", False)
        await self._send(message)


def _with_own(headers: Iterable[Header], passage: Passage) -> list[Header]:
    """The fields of an answer with those that every answer has."""
    all_of_them = [*headers, (b"request-id", passage.request_id.encode())]
    names = [name for name, _ in all_of_them]
    all_of_them += [own for own in _OWN if own[0] not in names]
    all_of_them += passage.headers
    return all_of_them


async def send_answer(answer: Answer, send: Send) -> None:
    """Send a whole answer."""
    if isinstance(send, Reply):
        await send.whole(answer)
        return
    length = (b"content-length", b"%d" % len(answer.body))
    await send({"type": "http.response.start", "status": answer.status, "headers": [*answer.headers, length]})
    await send({"type": "http.response.body", "body": answer.body})


def json_answer(status: int, value: object, headers: Sequence[Header] = ()) -> Answer:
    """A value as a JSON answer."""
    return Answer(status, ((b"content-type", b"application/json"), *headers), msgspec.json.encode(value))
