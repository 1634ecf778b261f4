"""How does one request reach the application, and its answer the caller?

The ASGI side of `wire.py`: `receive` hands over what has arrived, `send` writes the answer. Nothing here knows a limit.
"""

from __future__ import annotations

import asyncio
import http
import logging
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import TYPE_CHECKING, Any, Final, cast

from drachm.adapters.rest.transport.problems import Answer, Problem, answer_of

if TYPE_CHECKING:
    from drachm.adapters.rest.transport.wire import Wire

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Scope = MutableMapping[str, Any]
AtOnce = Callable[[int, Iterable[tuple[bytes, bytes]], bytes], Awaitable[None]]
"""Status, fields, body: an extension of ASGI by this name in `scope["extensions"]`."""
AT_ONCE: Final = "drachm.answer"
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

HIGH_WATER: Final = 65_536
"""Body bytes that may wait for the application before the caller is asked to wait."""

_CLOSE: Final = b"connection: close\r\n\r\n"
_NO_BODY: Final = frozenset((204, 304))
_STATUS_LINES: Final = {
    status.value: b"HTTP/1.1 %d %s\r\n" % (status.value, status.phrase.encode()) for status in http.HTTPStatus
}
_log = logging.getLogger("drachm.transport")


class Exchange:
    """One request and its answer."""

    def __init__(self, wire: Wire, scope: Scope, keep_alive: bool, expects: bool) -> None:
        self.wire, self.scope, self.keep_alive, self.expects = wire, scope, keep_alive, expects
        self.task: asyncio.Task[None] = cast("asyncio.Task[None]", None)
        self.body = b""
        self.more_body = True
        self.news: asyncio.Future[None] | None = None
        """Someone waits in `receive`."""
        self.handed = self.started = self.complete = self.gone = self.chunked = False
        self.head = b""
        self.left = 0
        scope["extensions"] = {AT_ONCE: self.whole}
        self.blocked: asyncio.Event | None = None
        """Set when the caller reads again; None while it does."""

    # --- from the wire

    def arrived(self, body: bytes | None) -> None:
        """A piece of the body, or None for its end."""
        if body is None:
            self.more_body = False
        elif self.complete or self.gone:
            return
        else:
            self.body = self.body + body if self.body else body
            if len(self.body) > HIGH_WATER:
                self.wire.pause()
        self._wake()

    def disconnect(self) -> bool:
        """The caller is gone, or was answered otherwise; True when the application is still at work."""
        self.gone = True
        self._wake()
        self.unblock()
        return self.task is not None and not self.task.done()

    def block(self) -> None:
        """The caller does not read: let what is sent wait."""
        if self.blocked is None:
            self.blocked = asyncio.Event()

    def unblock(self) -> None:
        """The caller reads again, or nobody is left to wait for."""
        if self.blocked is not None:
            self.blocked.set()
            self.blocked = None

    def _wake(self) -> None:
        if self.news is not None and not self.news.done():
            self.news.set_result(None)

    # --- from the application

    async def run(self, app: ASGIApp) -> None:
        """Call the application; whatever it does, the caller gets an answer or a closed connection."""
        try:
            await app(self.scope, self.receive, self.send)
        except asyncio.CancelledError:
            self._give_up("draining")
            raise
        except Exception as error:  # noqa: BLE001 - the last line: nothing may be left without an answer
            _log.error("the application raised %s", type(error).__name__)
        self._give_up("internal")

    def _give_up(self, code: str) -> None:
        if self.complete or self.gone:
            return
        if self.started and not self.head:
            self.wire.transport.abort()
            return
        self.keep_alive, self.complete = False, True
        self.wire.transport.write(answer_bytes(answer_of(Problem(code, close=True))))
        self.wire.answered(self)

    async def receive(self) -> Message:
        """The next piece of the body, or the news that the caller is gone."""
        if self.expects and not self.started and not self.gone:
            self.expects = False
            self.wire.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        # Once the whole body is handed over, the next news can only be that the caller has gone.
        while not (self.gone or self.complete) and (self.handed or (self.more_body and not self.body)):
            self.wire.resume()
            self.news = self.wire.loop.create_future()
            await self.news
        if self.gone or self.complete:
            return {"type": "http.disconnect"}
        body, self.body, self.handed = self.body, b"", not self.more_body
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    async def send(self, message: Message) -> None:
        """Write the head or a piece of the answer; waits while the caller does not read."""
        if self.blocked is not None:
            await self.blocked.wait()
        if self.gone:
            return
        if message["type"] == "http.response.start":
            self._start(message["status"], message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self._body(message.get("body", b""), message.get("more_body", False))
        else:
            raise RuntimeError(f"unexpected ASGI message {message['type']}")

    async def whole(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
        """Write a whole answer (`AtOnce`)."""
        if self.blocked is not None:
            await self.blocked.wait()
        if not self.gone:
            self._start(status, headers)
            self._body(body, more=False)

    def _start(self, status: int, headers: Any) -> None:
        if self.started:
            raise RuntimeError("the answer has begun before")
        self.started = True
        parts = [_STATUS_LINES[status]]
        length = None
        lines = 0
        for given, value in (*self.wire.server_state.default_headers, *headers):
            name = given.lower()
            if name == b"content-length":
                length = int(value)
            elif name == b"connection" and value == b"close":
                self.keep_alive = False
                continue
            parts.append(b"%b: %b\r\n" % (name, value))
            lines += 1
        fields = b"".join(parts)
        # One look at all of them: each brought the end of its own line and no other.
        if fields.count(b"\n") != lines + 1 or fields.count(b"\r") != lines + 1:
            raise RuntimeError("a header field holds a line break")
        parts = [fields]
        if length is None and status not in _NO_BODY and self.scope["http_version"] == "1.1":
            self.chunked = True
            parts.append(b"transfer-encoding: chunked\r\n")
        elif length is None and status not in _NO_BODY:
            self.keep_alive = False  # HTTP/1.0: the end of the connection is the end of the body.
        if self.more_body or self.wire.watch.draining:
            self.keep_alive = False
        parts.append(b"\r\n" if self.keep_alive else _CLOSE)
        self.left = length or 0
        # Written together with the body, unless the body may be long in coming.
        self.head = b"".join(parts)
        if self.chunked:
            self._write(b"")

    def _body(self, body: bytes, more: bool) -> None:
        if not self.started or self.complete:
            raise RuntimeError("a body without a head, or after its end")
        if self.scope["method"] == "HEAD":
            body = b""
        elif self.chunked:
            body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + (b"" if more else b"0\r\n\r\n")
        elif len(body) > self.left and self.scope["http_version"] == "1.1":
            raise RuntimeError("the body is longer than its Content-Length")
        else:
            self.left -= len(body)
        self._write(body)
        if not more:
            if self.left > 0 and self.scope["method"] != "HEAD":
                self.keep_alive = False
            self.complete = True
            self._wake()
            self.wire.answered(self)

    def _write(self, body: bytes) -> None:
        if self.head:
            body, self.head = self.head + body, b""
        if body:
            self.wire.transport.write(body)


def answer_bytes(answer: Answer) -> bytes:
    """A whole answer as it goes over the wire, for refusals the application never sees."""
    fields = b"".join([b"%b: %b\r\n" % field for field in answer.headers])
    return b"%bcontent-length: %d\r\n%b\r\n%b" % (
        _STATUS_LINES[answer.status],
        len(answer.body),
        fields,
        answer.body,
    )
