"""A running service answers every kind of request, good or hostile, with a whole answer and a stable code."""

from __future__ import annotations

import gzip
import json
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from transport_client import Served, post
from transport_service import EVENTS, event

CANARY = b"Zofia-Canary-1941-HIV"


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with Served(ACCESS_LOG=1, REQUEST_SECONDS=1, QUEUE=50) as running:
        yield running
        # Whichever tests ran here, the log has something to be silent about.
        talk(
            running.port, b"GET /v1/patients/" + CANARY + b"/receipts HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        )
    everything = running.output + running.errors
    assert CANARY not in everything
    assert b"Zofia" not in everything
    lines = [json.loads(line) for line in running.output.splitlines()]
    assert {line["event"] for line in lines} == {"request"}
    assert "/v1/patients/{patient}/receipts" in {line["route"] for line in lines}


class Answer:
    def __init__(self, raw: bytes) -> None:
        head, _, rest = raw.partition(b"\r\n\r\n")
        first, *fields = head.split(b"\r\n")
        self.status = int(first.split(b" ")[1])
        pairs = [line.split(b": ", 1) for line in fields]
        self.fields = {name.decode().lower(): value.decode() for name, value in pairs}
        self.raw, self.body = raw, rest
        size = int(self.fields.get("content-length", "0"))
        self.body, self.after = (rest[:size], rest[size:]) if "content-length" in self.fields else (rest, b"")

    def json(self) -> Any:
        return json.loads(self.body)


def talk(port: int, *parts: bytes, pause: float = 0.0, timeout: float = 10) -> bytes:
    """Send the parts, then read until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        for part in parts:
            try:
                connection.sendall(part)
            except OSError:
                break
            time.sleep(pause)
        received = b""
        try:
            while piece := connection.recv(65_536):
                received += piece
        except ConnectionResetError:
            pass
        return received


def ask(served: Served, request: bytes) -> Answer:
    """One request whose answer ends the connection."""
    head, _, body = request.partition(b"\r\n\r\n")
    return Answer(talk(served.port, head + b"\r\nConnection: close\r\n\r\n" + body))


def get(path: str, *more: bytes) -> bytes:
    return b"GET %b HTTP/1.1\r\nHost: localhost\r\n%b\r\n" % (path.encode(), b"".join(line + b"\r\n" for line in more))


def is_problem(answer: Answer, status: int, code: str) -> None:
    document = answer.json()
    assert (answer.status, document["code"]) == (status, code)
    assert answer.fields["content-type"] == "application/problem+json"
    assert document["status"] == status
    assert document["type"] == f"/problems/{code}"
    assert CANARY not in answer.raw


def test_a_single_post_is_answered_after_its_commit(served: Served) -> None:
    answer = ask(served, post(EVENTS, event(7)))
    assert (answer.status, answer.json()) == (201, {"id": 7, "status": "posted"})
    assert re.fullmatch(r"req_[0-9a-hjkmnp-tv-z]{26}", answer.fields["request-id"])
    assert answer.fields["cache-control"] == "no-store"
    assert answer.fields["x-content-type-options"] == "nosniff"
    assert "server" not in answer.fields


def test_a_connection_is_kept_and_pipelined_requests_are_answered_in_order(served: Served) -> None:
    raw = talk(served.port, b"".join(post(EVENTS, event(n)) for n in range(20)) + get("/healthz", b"Connection: close"))
    assert [int(n) for n in re.findall(rb'"id":(\d+)', raw)] == list(range(20))
    assert raw.count(b"HTTP/1.1 201 Created") == 20
    assert raw.endswith(b'{"status":"alive"}')


def test_a_request_may_arrive_byte_by_byte(served: Served) -> None:
    request = post(EVENTS, event(3), b"Connection: close")
    answer = Answer(talk(served.port, *[request[i : i + 1] for i in range(len(request))]))
    assert answer.json()["id"] == 3


def test_chunked_and_packed_bodies_are_read(served: Served) -> None:
    packed = gzip.compress(event(5))
    head = b"POST /v1/service-events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nConnection: close\r\n"
    chunks = b"".join(
        b"%x;ext=1\r\n%b\r\n" % (len(packed[i : i + 9]), packed[i : i + 9]) for i in range(0, len(packed), 9)
    )
    raw = talk(
        served.port,
        head + b"Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n" + chunks + b"0\r\nX-Late: 1\r\n\r\n",
    )
    assert Answer(raw).json()["id"] == 5


def test_continue_is_sent_only_when_the_body_is_wanted(served: Served) -> None:
    good = (
        b"POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    assert talk(served.port, good, b"abc", pause=0.1).startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")
    bad = good.replace(b"Length: 3", b"Length: 200000000")
    assert talk(served.port, bad).startswith(b"HTTP/1.1 413 ")


def test_head_has_no_body(served: Served) -> None:
    raw = talk(served.port, b"HEAD /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert raw.startswith(b"HTTP/1.1 200 OK")
    assert raw.endswith(b"\r\n\r\n")


def test_http_1_0_is_answered_and_closed(served: Served) -> None:
    assert Answer(talk(served.port, b"GET /healthz HTTP/1.0\r\n\r\n")).json() == {"status": "alive"}


def test_an_offered_upgrade_is_not_taken(served: Served) -> None:
    upgrade = (b"Connection: Upgrade, HTTP2-Settings, close", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAAP__")
    assert Answer(talk(served.port, get("/healthz", *upgrade))).status == 200
    assert Answer(talk(served.port, post(EVENTS, event(9), *upgrade))).json()["id"] == 9


def test_framework_refusals_are_problems(served: Served) -> None:
    is_problem(ask(served, get("/nowhere/" + CANARY.decode())), 404, "not_found")
    is_problem(ask(served, get("/v1/echo")), 405, "method_not_allowed")
    is_problem(ask(served, get(EVENTS)), 405, "method_not_allowed")
    assert ask(served, get(EVENTS)).fields["allow"] == "POST"
    assert ask(served, post("/healthz", b"")).fields["allow"] == "GET, HEAD"
    is_problem(ask(served, get("/healthz/")), 404, "not_found")


def test_the_hot_route_s_refusals(served: Served) -> None:
    is_problem(ask(served, post(EVENTS, b"{")), 400, "malformed_json")
    is_problem(ask(served, post(EVENTS, b'{"%b":1,"%b":2}' % (CANARY, CANARY))), 400, "duplicate_key")
    wrong = post(EVENTS, event(1)).replace(b"application/json", b"text/csv")
    is_problem(ask(served, wrong), 415, "unsupported_media_type")
    is_problem(ask(served, post(EVENTS, event(1), b"Accept: text/html")), 406, "not_acceptable")
    is_problem(ask(served, post(EVENTS, event(1), b"Content-Encoding: br")), 415, "unsupported_content_encoding")
    is_problem(ask(served, post(EVENTS, b"\x1f\x8b", b"Content-Encoding: gzip")), 400, "malformed_gzip")
    bomb = gzip.compress(bytes(7_000_000))
    is_problem(ask(served, post(EVENTS, bomb, b"Content-Encoding: gzip")), 413, "gzip_ratio")


def test_a_fault_of_ours_shows_nothing(served: Served) -> None:
    is_problem(ask(served, post("/v1/broken", CANARY)), 500, "internal")


def test_a_refusal_with_the_caller_s_words_loses_them(served: Served) -> None:
    answer = ask(served, post("/v1/refused", CANARY))
    is_problem(answer, 422, "insufficient_funds")
    assert answer.json()["errors"][0]["pointer"] == "/lines/2/*"


def test_work_that_takes_too_long_says_so_and_names_the_route_only(served: Served) -> None:
    answer = ask(served, get(f"/v1/patients/{CANARY.decode()}/receipts?seconds=9&name={CANARY.decode()}"))
    is_problem(answer, 503, "timed_out")
    assert answer.fields["retry-after"] == "1"
    assert answer.json()["retryable"] is True


def test_a_stream_may_last_longer_than_a_request(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
        connection.sendall(get("/v1/stream"))
        began, received = time.monotonic(), b""
        while time.monotonic() - began < 2 or received.count(b"data: tick") <= 20:
            piece = connection.recv(65_536)
            assert piece, "the stream was ended"
            received += piece


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"\x00\x01\x02\x03\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\nHost: a\r\n\r\n", 400),
        (b"NONSENSE / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET /%ff HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /%0d%0aX:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /healthz#x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET http://a/healthz HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 404),
        (b"GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\n X: folded\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n", 400),
        # Smuggling pairs: two parsers on the way must not disagree about where the body ends (RFC 9112 6.1).
        (b"POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
        (b"POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc", 400),
        (b"POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /v1/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400),
        (b"POST /v1/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /v1/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /v1/echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1e3\r\n\r\n", 400),
        (b"POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
        (b"POST /v1/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n", 400),
        (b"POST /v1/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", 400),
    ],
)
def test_what_is_not_clean_http_is_refused_with_a_problem(served: Served, request_bytes: bytes, status: int) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
        connection.sendall(request_bytes)
        received = b""
        while b"\r\n\r\n" not in received or len(received) < 60:
            piece = connection.recv(65_536)
            if not piece:
                break
            received += piece
        answer = Answer(received + (connection.recv(65_536) if received[-4:] == b"\r\n\r\n" else b""))
    assert answer.status == status
    assert len(re.findall(rb"HTTP/1.1 \d", received)) == 1
    if status != 200:
        assert answer.json()["status"] == status


@pytest.mark.parametrize(
    "fields",
    [
        [b"X-%d: 1" % n for n in range(65)],
        [b"X: " + b"v" * 20_000],
        [b"X-%d: %b" % (n, b"v" * 900) for n in range(20)],
        [b"n" * 20_000 + b": v"],
    ],
)
def test_a_header_over_the_limit_is_refused(served: Served, fields: list[bytes]) -> None:
    is_problem(Answer(talk(served.port, get("/healthz", *fields))), 431, "headers_too_large")


def test_an_endless_header_is_cut_off_early(served: Served) -> None:
    for start in (b"GET / HTTP/1.1\r\nHost: a\r\nX: ", b"GET /", b"GET / HTTP/1.1\r\nHost: a\r\n"):
        filler = b"v" * 4_096 if not start.endswith(b"\n") else b"X: v\r\n" * 700
        raw = talk(served.port, start, *[filler] * 200)
        assert raw.startswith(b"HTTP/1.1 431 ")


def test_a_long_address_is_refused(served: Served) -> None:
    is_problem(Answer(talk(served.port, get("/" + "a" * 17_000))), 431, "headers_too_large")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_200_mb_is_refused_before_it_is_read(served: Served, chunked: bool) -> None:
    sent = 0
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        length = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 200000000"
        connection.sendall(b"POST /v1/echo HTTP/1.1\r\nHost: a\r\n" + length + b"\r\n\r\n")
        piece = b"10000\r\n" + b"x" * 65_536 + b"\r\n" if chunked else b"x" * 65_536
        try:
            while sent < 200_000_000:
                connection.sendall(piece)
                sent += len(piece)
        except OSError:
            pass
        received = connection.recv(65_536)
    is_problem(Answer(received), 413, "too_large")
    # What was taken in: less than twice the limit of 1 MiB, buffers of the system (up to 6 MB here) included.
    assert sent < 12_000_000


def test_a_refusal_in_the_middle_of_a_body_ends_the_connection(served: Served) -> None:
    request = post("/nowhere", b"x" * 3)
    raw = talk(served.port, request.replace(b"Length: 3", b"Length: 500000")[:-3], b"x" * 100_000, get("/healthz"))
    assert len(re.findall(rb"HTTP/1.1 \d", raw)) == 1
    assert raw.startswith(b"HTTP/1.1 404 ")
    assert Answer(raw).fields["connection"] == "close"


def test_trailers_do_not_join_the_header(served: Served) -> None:
    head = b"POST /v1/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    raw = talk(
        served.port,
        head + b"3\r\nabc\r\n0\r\nHost: b\r\nAuthorization: x\r\n\r\n" + get("/healthz", b"Connection: close"),
    )
    assert raw.count(b"HTTP/1.1 200 OK") == 2


def test_too_many_requests_ahead_of_their_answers_end_the_connection(served: Served) -> None:
    raw = talk(served.port, get("/v1/slow?seconds=0.2") + get("/healthz") * 500)
    assert raw.count(b"HTTP/1.1 200 OK") < 100


def test_problem_pages_open(served: Served) -> None:
    listed = ask(served, get("/problems")).json()["problems"]
    assert len(listed) > 50
    page = ask(served, get("/problems/event_conflict"))
    assert (page.status, page.fields["content-type"]) == (200, "text/html; charset=utf-8")
    is_problem(ask(served, get("/problems/nothing")), 404, "not_found")


def test_ready_and_metrics(served: Served) -> None:
    assert ask(served, get("/readyz")).json() == {"status": "ready", "checks": {}}
    ask(served, post(EVENTS, event(1)))
    page = ask(served, get("/metrics")).body.decode()
    assert 'drachm_http_request_seconds_count{method="POST",route="/v1/service-events",status="201"}' in page
    assert "drachm_pump_batch_events_sum" in page
    assert 'drachm_http_refusals_total{code="headers_too_large"}' in page
    assert CANARY.decode() not in page
    is_problem(ask(served, get("/metrics", b"X-Forwarded-For: 203.0.113.9")), 404, "not_found")


def test_a_caller_that_does_not_read_its_answer_holds_nothing_back(served: Served) -> None:
    sockets = []
    for _ in range(20):
        connection = socket.create_connection(("127.0.0.1", served.port), timeout=5)
        connection.sendall(get("/v1/large"))
        sockets.append(connection)
    # Their answers have 655 MB each: whoever waited for one of them would wait for ever.
    assert ask(served, get("/healthz")).status == 200
    for connection in sockets:
        assert connection.recv(12) == b"HTTP/1.1 200"
        connection.close()


def test_callers_that_vanish_leave_the_service_well(served: Served) -> None:
    def vanish(n: int) -> None:
        request = post(EVENTS, event(n))
        with socket.create_connection(("127.0.0.1", served.port)) as connection:
            connection.sendall(request[: n % len(request)])

    threads = [threading.Thread(target=vanish, args=(n,)) for n in range(0, 600, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ask(served, post(EVENTS, event(1))).status == 201
