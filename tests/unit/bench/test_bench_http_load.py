"""The callers of the HTTP benchmark count every answer, wait when told to, and begin a wait when a call was due."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from drachm.bench.http_load import BUSY, closed, offered, request_of
from drachm.bench.open_loop import Offer
from drachm.domain.errors import Unavailable

POSTED = b'{"status":"posted","duplicate":false}'
REPEATED = b'{"status":"posted","duplicate":true}'


def answer(status: int, body: bytes, *, last: bool = False) -> bytes:
    end = b"connection: close\r\n" if last else b""
    return b"HTTP/1.1 %d X\r\n%scontent-length: %d\r\n\r\n%s" % (status, end, len(body), body)


@contextmanager
def service(answers: Callable[[bytes], bytes | None], pause: float = 0.0) -> Iterator[int]:
    """A server that answers each request as the function says, in a thread; its port. None: hang up."""
    started, port = threading.Event(), 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
                body = await reader.readexactly(length)
                await asyncio.sleep(pause)
                said = answers(body)
                if said is not None:
                    writer.write(said)
                if said is None or b"connection: close" in said:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    async def main() -> None:
        nonlocal port, end
        end = loop_end, _ = asyncio.Event(), asyncio.get_running_loop()
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        started.set()
        await loop_end.wait()

    end: tuple[asyncio.Event, asyncio.AbstractEventLoop] | None = None
    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    assert started.wait(10)
    assert end is not None
    yield port
    end[1].call_soon_threadsafe(end[0].set)
    thread.join(10)


def requests(count: int) -> list[bytes]:
    return [request_of("h", "key", b"%d" % number) for number in range(count)]


def test_every_answer_is_counted_once() -> None:
    with service(lambda body: answer(200, REPEATED) if body == b"3" else answer(201, POSTED)) as port:
        heard = closed(port, requests(50), 7)
    done = heard.done(bulk=False)
    assert (done.statuses["posted"], done.duplicates, len(done.batch_seconds)) == (49, 1, 50)
    assert done.ended > done.started


def test_a_bulk_is_counted_event_by_event() -> None:
    body = b'{"data":[{"status":201,"result":%s},{"status":200,"result":%s}]}' % (POSTED, REPEATED)
    with service(lambda _: answer(200, body)) as port:
        done = closed(port, requests(3), 2).done(bulk=True)
    assert (done.statuses["posted"], done.duplicates) == (3, 3)


def test_what_is_refused_as_too_much_or_cut_off_is_sent_again() -> None:
    seen: dict[bytes, int] = {}

    def answers(body: bytes) -> bytes | None:
        seen[body] = seen.get(body, 0) + 1
        if seen[body] == 1:
            return answer(BUSY, b"{}", last=True)
        return None if seen[body] == 2 else answer(201, POSTED)

    with service(answers) as port:
        heard = closed(port, requests(5), 2)
    assert set(seen.values()) == {3}
    assert (heard.statuses[BUSY], heard.statuses[0], heard.done(bulk=False).statuses["posted"]) == (5, 5, 5)


def test_any_other_answer_spoils_the_round() -> None:
    with service(lambda _: answer(500, b"{}")) as port:
        heard = closed(port, requests(2), 1)
    with pytest.raises(Unavailable, match="500"):
        heard.done(bulk=False)


def test_an_open_loop_begins_to_count_when_a_call_is_due() -> None:
    with service(lambda _: answer(201, POSTED), pause=0.05) as port:
        heard = offered(port, requests(60), Offer(rate=300, queue=1_000, seed=1))
    assert heard.arrivals == len(heard.seconds) == 60
    assert min(heard.seconds) >= 0.045


def test_small_calls_are_made_beside() -> None:
    with service(lambda body: answer(BUSY, b"{}") if body == b"beside" else answer(201, POSTED), pause=0.02) as port:
        heard = closed(port, requests(20), 1, beside=request_of("h", "key", b"beside"))
    assert {status for status, _ in heard.probed} == {BUSY}
    assert len(heard.bodies) == 20


def test_a_connection_that_the_service_closed_is_opened_anew() -> None:
    with service(lambda _: answer(201, POSTED, last=True)) as port:
        heard = offered(port, requests(30), Offer(100, queue=10, seed=1))
    assert (sum(heard.statuses.values()), heard.dropped) == (30, 0)
    assert heard.statuses[201] > 1
