"""How much may one request bring, and how long may it take?

Pure ASGI: `Intake` stands between the application and its `receive`, `Deadlines` ends work that takes too long. What
must be limited while a header is still on its way stands in `wire.py`.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

from drachm.adapters.rest.transport.problems import Problem

_RATIO_FROM: Final = 65_536
"""Unpacked bytes before the ratio is looked at: small bodies of blanks pack very well."""
_PIECE: Final = 65_536


@dataclass(frozen=True, slots=True)
class Limits:
    """Everything a caller may spend; the defaults hold for a service on the open internet."""

    header_bytes: int = 16_384
    """Request line and header fields together."""
    header_count: int = 64
    header_seconds: float = 10
    """From the first byte of a request to the end of its header."""
    body_bytes: int = 1_048_576
    """Body of one request, unpacked, where a route names no limit of its own."""
    gzip_ratio: int = 100
    """Unpacked bytes per packed byte."""
    body_seconds: float = 10
    """From the end of the header to the end of the body, plus one second for every `body_rate` bytes received."""
    body_rate: int = 16_384
    body_seconds_max: float = 25
    idle_seconds: float = 10
    """Between two requests, or before the first."""
    write_seconds: float = 10
    """How long a caller may leave an answer unread."""
    request_seconds: float = 30
    """From the start of the application's work to the first byte of its answer."""
    linger_seconds: float = 2
    linger_bytes: int = 262_144
    """How long and how much the rest of a refused request is swallowed, so that the caller can read the refusal."""
    connections: int = 2_000
    """Open connections of one process."""


class Intake:
    """An ASGI `receive` that refuses what is too large before it is read, and unpacks gzip within bounds.

    Raises `Problem`: `too_large`, `gzip_ratio`, `malformed_gzip`, `unsupported_content_encoding`, `incomplete_body`.
    """

    __slots__ = ("_count", "_inflater", "_limit", "_ratio", "_receive", "_unpacked")

    def __init__(
        self,
        fields: Mapping[bytes, bytes],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        limit: int,
        ratio: int,
    ) -> None:
        self._receive, self._limit, self._ratio = receive, limit, ratio
        self._count = self._unpacked = 0
        self._inflater: Any = None
        declared = fields.get(b"content-length")
        if declared is not None and int(declared) > limit:
            raise too_large(limit)
        encoding = fields.get(b"content-encoding")
        if encoding is not None and encoding.strip().lower() != b"identity":
            if encoding.strip().lower() != b"gzip":
                raise Problem("unsupported_content_encoding", headers=[(b"accept-encoding", b"gzip")], close=True)
            self._inflater = zlib.decompressobj(wbits=31)

    async def __call__(self) -> MutableMapping[str, Any]:
        message = await self._receive()
        if message["type"] != "http.request":
            return message
        body = message.get("body", b"")
        if body:
            self._count += len(body)
            if self._count > self._limit:
                raise too_large(self._limit)
        if self._inflater is not None:
            body = self._inflate(body, last=not message.get("more_body", False))
            message = {"type": "http.request", "body": body, "more_body": message.get("more_body", False)}
        return message

    async def whole(self) -> bytes:
        """The whole body. Raises `incomplete_body` when the caller leaves in the middle."""
        message = await self()
        if message["type"] == "http.request" and not message["more_body"]:
            return bytes(message["body"])
        pieces: list[bytes] = []
        while message["type"] == "http.request":
            pieces.append(message["body"])
            if not message["more_body"]:
                return b"".join(pieces)
            message = await self()
        raise Problem("incomplete_body", close=True)

    def _inflate(self, packed: bytes, *, last: bool) -> bytes:
        inflater = self._inflater
        pieces: list[bytes] = []
        try:
            # A full piece may have left more inside, even when all that was packed is consumed.
            while packed or (pieces and len(pieces[-1]) == _PIECE):
                pieces.append(inflater.decompress(packed, _PIECE))
                packed = inflater.unconsumed_tail
                self._unpacked += len(pieces[-1])
                if self._unpacked > self._limit:
                    raise too_large(self._limit)
                if self._unpacked > _RATIO_FROM and self._unpacked > self._count * self._ratio:
                    raise Problem("gzip_ratio", close=True)
        except zlib.error:
            raise Problem("malformed_gzip", close=True) from None
        if inflater.unused_data or (last and not inflater.eof):
            raise Problem("malformed_gzip", close=True)
        return b"".join(pieces)


class Deadlines:
    """Ends work whose answer has not begun in time; one look at all running requests instead of a timer for each."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.running: dict[asyncio.Task[Any], float] = {}
        """Task and when it began, by the loop's clock; a task leaves when its answer begins."""
        self._overdue: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin looking, every quarter of the limit but at least once a second."""
        self._timer = loop.call_later(min(1.0, self.seconds / 4), self._look, loop)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def overdue(self, task: asyncio.Task[Any]) -> bool:
        """True, once, when the cancellation that `task` feels came from here."""
        if task not in self._overdue:
            return False
        self._overdue.discard(task)
        task.uncancel()
        return True

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self.start(loop)
        latest = loop.time() - self.seconds
        # Oldest first: a dictionary keeps the order of arrival.
        for task, began in list(self.running.items()):
            if began > latest:
                return
            del self.running[task]
            self._overdue.add(task)
            task.cancel()


def too_large(limit: int) -> Problem:
    """The refusal of a body over `limit` bytes."""
    return Problem("too_large", f"The body is larger than {limit} bytes.", close=True)
