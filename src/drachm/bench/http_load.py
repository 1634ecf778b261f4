"""Who calls the measured service? One event loop with many connections, which costs as little as Python can.

Requests are bytes made beforehand; answers are kept as they came and read after the clock has stopped. The caller sits
on the same cores as the service and its database, as one would on a developer's machine.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

import msgspec
import uvloop

from drachm.bench.open_loop import Offer, Served
from drachm.bench.writer import Done
from drachm.domain.errors import Unavailable, ensure

BUSY: Final = 429
CUT: Final = 0
"""In a status' place: the connection ended without an answer."""
LOOPBACK: Final = "127.0.0.1"
PATIENCE: Final = 120.0
"""Seconds after which a round is given up."""
BUSY_PAUSE: Final = 0.05
"""How long the closed loop waits before it sends again what was refused as too much."""
PROBE_PAUSE: Final = 0.02
CONNECTIONS_MAX: Final = 256
"""Of an open loop."""


class _Result(msgspec.Struct):
    status: str
    duplicate: bool


class _Item(msgspec.Struct):
    result: _Result | None = None


class _Bulk(msgspec.Struct):
    data: list[_Item]


_single: Final = msgspec.json.Decoder(_Result).decode
_bulk: Final = msgspec.json.Decoder(_Bulk).decode


@dataclass(slots=True)
class Heard:
    """What the callers heard."""

    started: float = 0.0
    ended: float = 0.0
    seconds: list[float] = field(default_factory=list)
    """From sending to the end of the answer; of an open loop from the moment it was due."""
    bodies: list[bytes] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    busy_seconds: list[float] = field(default_factory=list)
    """How long a refusal as too much took, from sending."""
    arrivals: int = 0
    dropped: int = 0
    probed: list[tuple[int, float]] = field(default_factory=list)
    """(status, seconds) of the calls that were made beside."""

    def done(self, *, bulk: bool) -> Done:
        """As a writer tells it. Raises Unavailable for an answer that is neither a result nor `busy`."""
        strange = {status: count for status, count in self.statuses.items() if status not in (200, 201, BUSY, CUT)}
        if strange:
            raise Unavailable(f"the service answered {strange}", where="bench", next_step="Read its log.")
        done = Done(started=self.started, ended=self.ended, batch_seconds=self.seconds)
        for body in self.bodies:
            for result in [item.result for item in _bulk(body).data] if bulk else [_single(body)]:
                ensure(result is not None, "an event of the bulk was not cleared", where="bench")
                if result is not None and result.duplicate:
                    done.duplicates += 1
                elif result is not None:
                    done.statuses[result.status] += 1
        return done


class _Caller(asyncio.Protocol):
    """One connection with one request at a time."""

    __slots__ = ("answered", "at_work", "buffer", "due", "request", "sent", "transport")

    def __init__(self, answered: Callable[[_Caller, int, bytes], None]) -> None:
        self.answered = answered
        self.buffer = b""
        self.request = b""
        self.sent = self.due = 0.0
        self.at_work = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.buffer = transport, b""

    def connection_lost(self, error: Exception | None) -> None:
        if self.at_work:
            self.at_work = False
            self.answered(self, CUT, b"")

    def send(self, request: bytes, due: float = 0.0) -> None:
        self.request, self.sent, self.at_work = request, time.monotonic(), True
        self.due = due or self.sent
        self.transport.write(request)  # type: ignore[attr-defined]

    async def send_anew(self, port: int, request: bytes, due: float = 0.0) -> None:
        """On a new connection where this one was closed: by a body that was refused unread, or for having been idle."""
        if self.transport.is_closing():
            await asyncio.get_running_loop().create_connection(lambda: self, LOOPBACK, port)
        self.send(request, due)

    def data_received(self, data: bytes) -> None:
        self.buffer = data = self.buffer + data if self.buffer else data
        head = data.find(b"\r\n\r\n")
        if head < 0:
            return
        at = data.find(b"content-length: ", 0, head)
        length = int(data[at + 16 : data.find(b"\r\n", at)])
        if len(data) < head + 4 + length:
            return
        self.buffer, self.at_work = b"", False
        self.answered(self, int(data[9:12]), data[head + 4 : head + 4 + length])


def request_of(host: str, token: str, body: bytes, path: str = "/v1/service-events") -> bytes:
    """A whole request with an event, or an array of events, as its body."""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def closed(port: int, requests: Sequence[bytes], connections: int, *, beside: bytes = b"") -> Heard:
    """As fast as `connections` callers get their answers, each with one request at a time; `beside` is sent again and
    again, with a pause, by one more."""
    return uvloop.run(_closed(port, requests, connections, beside))


def offered(port: int, requests: Sequence[bytes], offer: Offer) -> Heard:
    """At times fixed beforehand, whether the service is ready or not (see `open_loop.py`)."""
    return uvloop.run(_offered(port, requests, offer))


def served_of(heard: Heard) -> Served:
    """The same figures in the form of the open loop without HTTP."""
    return Served(arrivals=heard.arrivals, dropped=heard.dropped, waits=heard.seconds)


async def _closed(port: int, requests: Sequence[bytes], connections: int, beside: bytes) -> Heard:
    loop, heard = asyncio.get_running_loop(), Heard(arrivals=len(requests))
    waiting = iter(requests)
    over = asyncio.Event()
    open_requests = 0

    def go_on(caller: _Caller) -> None:
        nonlocal open_requests
        request = next(waiting, None)
        if request is not None:
            open_requests += 1
            caller.send(request)
        elif not open_requests:
            over.set()

    def answered(caller: _Caller, status: int, body: bytes) -> None:
        nonlocal open_requests
        took = time.monotonic() - caller.sent
        heard.statuses[status] += 1
        if status in (BUSY, CUT):
            if status == BUSY:
                heard.busy_seconds.append(took)
            loop.call_later(BUSY_PAUSE, lambda: again(caller))
            return
        open_requests -= 1
        heard.seconds.append(took)
        heard.bodies.append(body)
        go_on(caller)

    def again(caller: _Caller) -> None:
        task = asyncio.create_task(caller.send_anew(port, caller.request))
        sending.add(task)
        task.add_done_callback(sending.discard)

    sending: set[asyncio.Task[None]] = set()
    callers = [await _connected(port, answered) for _ in range(min(connections, len(requests)))]
    heard.started = time.monotonic()
    for caller in callers:
        go_on(caller)
    probing = asyncio.create_task(_probe(port, beside, heard)) if beside else None
    await asyncio.wait_for(over.wait(), PATIENCE)
    heard.ended = time.monotonic()
    if probing is not None:
        probing.cancel()
    _leave(callers)
    return heard


async def _probe(port: int, request: bytes, heard: Heard) -> None:
    told: asyncio.Queue[int] = asyncio.Queue()
    caller = await _connected(port, lambda _caller, status, _body: told.put_nowait(status))
    try:
        while True:
            caller.request = request
            await caller.send_anew(port, caller.request)
            status = await told.get()
            heard.probed.append((status, time.monotonic() - caller.sent))
            await asyncio.sleep(PROBE_PAUSE)
    finally:
        _leave([caller])


async def _offered(port: int, requests: Sequence[bytes], offer: Offer) -> Heard:
    heard, chance = Heard(arrivals=len(requests)), random.Random(f"{offer.seed}/arrivals")
    times = list(accumulate(chance.expovariate(offer.rate) for _ in requests))
    waiting: deque[tuple[float, bytes]] = deque()
    anew: list[asyncio.Task[None]] = []
    over = asyncio.Event()
    at_work = 0

    def answered(caller: _Caller, status: int, body: bytes) -> None:
        nonlocal at_work
        now = time.monotonic()
        heard.statuses[status] += 1
        if status == BUSY:
            heard.busy_seconds.append(now - caller.sent)
        else:
            heard.seconds.append(now - caller.due)
            heard.bodies.append(body)
        if waiting:
            due, request = waiting.popleft()
            if caller.transport.is_closing():
                anew.append(asyncio.create_task(caller.send_anew(port, request, due)))
            else:
                caller.send(request, due)
            return
        at_work -= 1
        idle.append(caller)
        if not at_work:
            over.set()

    callers = [await _connected(port, answered) for _ in range(CONNECTIONS_MAX)]
    idle = deque(callers)
    heard.started = zero = time.monotonic()
    for at, request in zip(times, requests, strict=True):
        pause = zero + at - time.monotonic()
        if pause > 0:
            await asyncio.sleep(pause)
        if idle:
            at_work += 1
            # The one that was used last: its part of every memory is still warm.
            await idle.pop().send_anew(port, request, zero + at)
        elif len(waiting) < offer.queue:
            waiting.append((zero + at, request))
        else:
            heard.dropped += 1
    while at_work:
        over.clear()
        await asyncio.wait_for(over.wait(), PATIENCE)
    heard.ended = time.monotonic()
    _leave(callers)
    return heard


async def _connected(port: int, answered: Callable[[_Caller, int, bytes], None]) -> _Caller:
    loop = asyncio.get_running_loop()
    _, caller = await loop.create_connection(lambda: _Caller(answered), LOOPBACK, port)
    return caller


def _leave(callers: Sequence[_Caller]) -> None:
    for caller in callers:
        caller.at_work = False
        caller.transport.close()
