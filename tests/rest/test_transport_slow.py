"""Callers that dribble or hang are ended in time, and honest ones hardly notice."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from transport_client import Load, Seen, Served, post
from transport_service import EVENTS, event

HEAD = b"POST /v1/echo HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BODY = b"POST /v1/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"
CHUNKS = b"POST /v1/echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
BEGINNINGS = (HEAD, BODY, CHUNKS, b"", b"\r\n", b"GET /v1/large HTTP/1.1\r\nHost: localhost\r\n\r\n")
"""Slow header, slow body, slow chunk, silence, blank lines, an answer that nobody reads."""


async def slow_caller(port: int, kind: int, period: float) -> float:
    """Dribble a byte at a time; how long until the server ended it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2_048)
    began = time.monotonic()
    writer.write(BEGINNINGS[kind])
    end = asyncio.create_task(reader.read(-1)) if kind != 5 else None
    dribble = (b"x", b"x", b"1", b"", b"\n", b"")[kind]
    try:
        while time.monotonic() - began < 40:
            await asyncio.sleep(period)
            if end is not None and end.done():
                break
            if dribble:
                writer.write(dribble)
                await writer.drain()
            if kind == 5 and writer.transport.is_closing():
                break
            if kind == 5:
                writer.write(b"")
    except OSError:
        pass
    finally:
        writer.transport.abort()
        if end is not None:
            end.cancel()
    return time.monotonic() - began


async def attacked(port: int, count: int, kinds: int, period: float, honest: int) -> tuple[list[float], Seen]:
    slow = [asyncio.create_task(slow_caller(port, n % kinds, period)) for n in range(count)]
    await asyncio.sleep(0.2)
    load = Load(port, lambda n: post(EVENTS, event(n)))
    honest_load = asyncio.create_task(load.run(honest, 3))
    closed = await asyncio.gather(*slow)
    return list(closed), await honest_load


def test_slow_callers_are_ended_and_honest_ones_served() -> None:
    with Served(HEADER_SECONDS=2, BODY_SECONDS=2, IDLE_SECONDS=2) as served:
        closed, seen = asyncio.run(attacked(served.port, 100, 5, 0.25, 4))
    assert max(closed) < 5
    assert min(closed) > 1.5
    assert set(seen.statuses) == {201}
    assert seen.broken == 0
    assert seen.percentile(0.99) < 500


def test_an_answer_that_is_not_read_is_cut_off() -> None:
    async def main(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2_048)
        writer.write(BEGINNINGS[5])
        await asyncio.sleep(4)
        received = b""
        try:
            while piece := await asyncio.wait_for(reader.read(1 << 20), 2):
                received += piece
        except OSError:
            pass
        writer.transport.abort()
        return received

    with Served(WRITE_SECONDS=1) as served:
        received = asyncio.run(main(served.port))
    assert 0 < len(received) < 30_000_000  # of 655 MB: what the buffers held


def test_one_connection_too_many_is_told_so_and_the_others_stay() -> None:
    with Served(CONNECTIONS=5) as served:
        held = [socket.create_connection(("127.0.0.1", served.port), timeout=5) for _ in range(5)]
        for connection in held:
            connection.sendall(post(EVENTS, event(1)))
            assert connection.recv(65_536).startswith(b"HTTP/1.1 201")
        with socket.create_connection(("127.0.0.1", served.port), timeout=5) as late:
            answer = late.recv(65_536)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b'"code":"too_many_connections"' in answer
        assert b"retry-after: 1" in answer
        held.pop().close()
        time.sleep(0.2)
        held.append(socket.create_connection(("127.0.0.1", served.port), timeout=5))
        for connection in held:
            connection.sendall(post(EVENTS, event(2)))
            assert connection.recv(65_536).startswith(b"HTTP/1.1 201")
            connection.close()


@pytest.mark.long
def test_five_hundred_slow_callers_with_the_real_limits() -> None:
    """H3 of the reliability catalogue: each ended within 15 s, honest p99 under 500 ms meanwhile."""
    with Served() as served:
        closed, seen = asyncio.run(attacked(served.port, 500, 5, 1.0, 8))
    print(f"slowest end {max(closed):.1f} s, honest p99 {seen.percentile(0.99):.0f} ms of {len(seen.milliseconds)}")
    assert max(closed) <= 15
    assert set(seen.statuses) == {201}
    assert seen.percentile(0.99) < 500
