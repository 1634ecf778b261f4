"""What may one connection do, and for how long?

uvicorn limits neither the header, nor the time it takes to arrive, nor a body that dribbles in, and it reads the rest
of a body that was already refused. So one connection is ours: httptools parses, this file counts and watches the clock,
`exchange.py` carries one request to the application and back. uvicorn keeps the event loop, sockets and lifespan; it is
told `http=protocol_class(...)` and its own time-out options do nothing here.

A sweeper looks at every connection each second instead of arming timers per request: a limit of 10 s ends a connection
within 11 s, and an honest request pays for two assignments only.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final, cast
from urllib.parse import unquote_to_bytes

import httptools

from drachm.adapters.rest.transport.exchange import Exchange, answer_bytes
from drachm.adapters.rest.transport.limits import Limits
from drachm.adapters.rest.transport.problems import Problem, answer_of

IDLE, HEAD, BODY, READ, LINGER = range(5)
"""What the connection waits for: the first byte of a request; the rest of its header; of its body; nothing (the request
is read, the answer is not complete); the caller's farewell after a last answer."""

SWEEP_SECONDS: Final = 1.0
PIPELINE_MAX: Final = 64
"""Requests a caller may send ahead of their answers on one connection."""


class Watch:
    """What all connections of a process share: limits, the sweeper, and who wants to know of a refusal."""

    def __init__(self, limits: Limits, refused: Callable[[str], None] = lambda code: None) -> None:
        self.limits = limits
        self.refused = refused
        self.draining = False
        """The next answer of each connection is its last."""
        self.hurry = False
        """Idle connections are ended at once."""
        self.connections: set[Wire] = set()
        self._timer: asyncio.TimerHandle | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin sweeping; the timer dies with the loop."""
        self._timer = loop.call_later(SWEEP_SECONDS, self._sweep, loop)

    def drain(self) -> None:
        """The process is to end: part with every caller, without haste unless `hurry` is set.

        Closing an idle connection at once would lose a request that is on its way.
        """
        self.draining = True
        self._look(asyncio.get_running_loop().time())

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self.start(loop)
        self._look(loop.time())

    def _look(self, now: float) -> None:
        for connection in list(self.connections):
            connection.look(now)


class Wire(asyncio.Protocol):
    """One HTTP/1.1 connection."""

    def __init__(self, watch: Watch, config: Any, server_state: Any, app_state: dict[str, Any]) -> None:
        self.watch, self.limits = watch, watch.limits
        self.app = config.loaded_app
        self.server_state, self.app_state = server_state, app_state
        self.loop = asyncio.get_running_loop()
        self.parser = httptools.HttpRequestParser(self)
        self.transport: asyncio.Transport = cast(asyncio.Transport, None)
        self.exchange: Exchange | None = None
        """The request being answered; `self.latest` is the one being read."""
        self.latest: Exchange | None = None
        self.waiting: deque[Exchange] = deque()
        self.stage, self.since = IDLE, self.loop.time()
        self.head_bytes = self.body_bytes = self.lingered = 0
        self.url, self.headers, self.hosts, self.expects = b"", cast(list[tuple[bytes, bytes]], []), 0, False
        self.refusal: Problem | None = None
        self.blocked_since = 0.0
        self.paused = False

    # --- the connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.client = transport.get_extra_info("peername")
        self.server = transport.get_extra_info("sockname")
        self.scheme = "https" if transport.get_extra_info("sslcontext") else "http"
        self.server_state.connections.add(self)
        self.watch.connections.add(self)
        if len(self.watch.connections) > self.limits.connections:
            self.refuse(Problem("too_many_connections", retry_after=1))

    def connection_lost(self, exc: Exception | None) -> None:
        self.server_state.connections.discard(self)
        self.watch.connections.discard(self)
        for exchange in (self.exchange, *self.waiting):
            self._leave(exchange)
        self.waiting.clear()

    def pause_writing(self) -> None:
        self.blocked_since = self.loop.time()
        if self.exchange is not None:
            self.exchange.block()

    def resume_writing(self) -> None:
        self.blocked_since = 0.0
        if self.exchange is not None:
            self.exchange.unblock()

    def shutdown(self) -> None:
        """Called by uvicorn for each connection when the process is to end; `Watch.drain` has seen to it."""

    def look(self, now: float) -> None:
        """End the connection when it has been in one stage for too long. Called by the sweeper."""
        limits, elapsed = self.limits, now - self.since
        if self.blocked_since and now - self.blocked_since > limits.write_seconds:
            self.transport.abort()
        elif self.stage == IDLE and (elapsed > limits.idle_seconds or self.watch.hurry):
            self.transport.close()
        elif self.stage == HEAD and elapsed > limits.header_seconds:
            self.refuse(Problem("request_timeout"))
        elif self.stage == BODY and not self.paused:
            if elapsed > min(limits.body_seconds + self.body_bytes / limits.body_rate, limits.body_seconds_max):
                self.refuse(Problem("request_timeout"))
        elif self.stage == LINGER and elapsed > limits.linger_seconds:
            self.transport.abort()

    # --- reading

    def data_received(self, data: bytes) -> None:
        if self.stage == LINGER:
            self.lingered += len(data)
            if self.lingered > self.limits.linger_bytes:
                self.pause()
            return
        was = self.stage
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._decline(data[offer.args[0] :])
            return
        except httptools.HttpParserError:
            self.refuse(self.refusal or Problem("malformed_http"))
            return
        if self.stage == HEAD and was == HEAD:
            # The parser reports complete fields only: an endless one shows here.
            self.head_bytes += len(data)
            if self.head_bytes > self.limits.header_bytes:
                self.refuse(Problem("headers_too_large"))

    def on_message_begin(self) -> None:
        self.stage, self.since = HEAD, self.loop.time()
        self.url, self.headers = b"", []
        self.head_bytes = self.hosts = 0
        self.expects = False

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.stage != HEAD:
            return  # A trailer: nothing may be added to a header that was already acted upon.
        name = name.lower()
        self.headers.append((name, value))
        if name == b"host":
            self.hosts += 1
        elif name == b"expect":
            self.expects = value.lower() == b"100-continue"

    def on_headers_complete(self) -> None:
        self.stage, self.since = BODY, self.loop.time()
        self.body_bytes = 0
        parser, headers, limits = self.parser, self.headers, self.limits
        size = len(self.url) + sum([len(name) + len(value) for name, value in headers])
        if len(headers) > limits.header_count or size > limits.header_bytes:
            raise self._refusing("headers_too_large")
        method = parser.get_method()
        if parser.should_upgrade() and method != b"CONNECT":
            return  # The parser now ends the request without its body: `_decline` reads it again.
        version = parser.get_http_version()
        if self.hosts != 1 and (version == "1.1" or self.hosts):
            raise self._refusing("malformed_http")
        if version != "1.1" and any(name == b"transfer-encoding" for name, _ in headers):
            raise self._refusing("malformed_http")  # RFC 9112 6.1: its framing cannot be trusted.
        raw_path, query = self._target()
        keep_alive = version == "1.1" and parser.should_keep_alive()
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "root_path": "",
            "headers": headers,
            "state": self.app_state.copy(),
            "method": method.decode("ascii"),
            "path": self._path(raw_path),
            "raw_path": raw_path,
            "query_string": query,
        }
        exchange = self.latest = Exchange(self, scope, keep_alive, self.expects)
        if self.exchange is None:
            self._begin(exchange)
        elif len(self.waiting) >= PIPELINE_MAX:
            raise self._refusing("malformed_http")
        else:
            self.waiting.append(exchange)
            self.pause()

    def on_body(self, body: bytes) -> None:
        self.body_bytes += len(body)
        if self.latest is not None:
            self.latest.arrived(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self.stage = READ
        if self.latest is not None:
            self.latest.arrived(None)

    def pause(self) -> None:
        """Stop reading until `resume`: nothing more is wanted from the caller now."""
        if not self.paused and not self.transport.is_closing():
            self.paused = True
            self.transport.pause_reading()

    def resume(self) -> None:
        """Read on, unless requests wait for their turn."""
        if self.paused and not self.waiting and self.stage != LINGER and not self.transport.is_closing():
            self.paused = False
            self.transport.resume_reading()
            self.since = self.loop.time()

    # --- answering

    def answered(self, exchange: Exchange) -> None:
        """The application has completed its answer: begin the next request, wait for one, or part."""
        self.server_state.total_requests += 1
        self.exchange = None
        if self.transport.is_closing():
            return
        if not exchange.keep_alive:
            self.part(unread=exchange.more_body or bool(self.waiting))
        elif self.waiting:
            self._begin(self.waiting.popleft())
        else:
            if self.stage == READ:
                self.stage, self.since = IDLE, self.loop.time()
            self.resume()

    def refuse(self, problem: Problem) -> None:
        """Answer for the application, which has not seen a whole request, and end the connection."""
        self.watch.refused(problem.code)
        exchange, self.refusal = self.exchange, None
        if exchange is not None and (exchange is not self.latest or exchange.started):
            self.transport.abort()  # Another answer is on its way: this one would be taken for it.
            return
        self._leave(exchange)
        self.exchange = None
        problem.close = True
        self.transport.write(answer_bytes(answer_of(problem)))
        self.part(unread=True)

    def part(self, *, unread: bool) -> None:
        """Say farewell. With unread input, closing at once would make the system throw the answer away."""
        if not unread or not self.transport.can_write_eof():
            self.transport.close()
            return
        self.stage, self.since, self.latest = LINGER, self.loop.time(), None
        self.transport.write_eof()
        if self.paused:
            self.paused = False
            self.transport.resume_reading()

    def _decline(self, rest: bytes) -> None:
        """Another protocol was offered (Java's client offers h2c with every first request): go on in this one."""
        fields = [
            b"%b: %b\r\n" % (name, b"close" if name == b"connection" else value)
            for name, value in self.headers
            if name != b"upgrade" and (name != b"connection" or b"close" in value.lower())
        ]
        head = b"%b %b HTTP/1.1\r\n%b\r\n" % (self.parser.get_method(), self.url, b"".join(fields))
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(head + rest)

    def _begin(self, exchange: Exchange) -> None:
        self.exchange = exchange
        exchange.task = self.loop.create_task(exchange.run(self.app))

    def _leave(self, exchange: Exchange | None) -> None:
        if exchange is not None and exchange.disconnect():
            # The work goes on without its caller; the server waits for it before it ends.
            self.server_state.tasks.add(exchange.task)
            exchange.task.add_done_callback(self.server_state.tasks.discard)

    def _target(self) -> tuple[bytes, bytes]:
        url = self.url
        if b"#" in url:
            raise self._refusing("malformed_http")
        if url[:1] == b"/":
            path, _, query = url.partition(b"?")
            return path, query
        if url == b"*":
            return url, b""
        parsed = httptools.parse_url(url)
        return parsed.path or b"/", parsed.query or b""

    def _path(self, raw: bytes) -> str:
        try:
            path = raw.decode("ascii") if b"%" not in raw else unquote_to_bytes(raw).decode("utf-8")
        except UnicodeDecodeError:
            raise self._refusing("bad_request") from None
        # A packed slash would become one: what a caller meant as one id would be read as two words of a path.
        if not path.isprintable() or path.count("/") != raw.count(b"/"):
            raise self._refusing("bad_request")
        return path

    def _refusing(self, code: str) -> Problem:
        # httptools hides what a callback raises; `data_received` finds the reason here.
        self.refusal = Problem(code)
        return self.refusal


def protocol_class(watch: Watch) -> Any:
    """What uvicorn's `http` option takes: a callable that makes one `Wire` per connection."""

    def make(config: Any, server_state: Any, app_state: dict[str, Any], _loop: Any = None) -> Wire:
        return Wire(watch, config, server_state, app_state)

    return make
