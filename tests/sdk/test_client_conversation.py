"""A call ends within its deadline: answered, refused, or unknown; and it is sent again only where that is safe."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from contextlib import suppress
from typing import Any

import pytest
from told_server import dies, dies_in_the_answer, problem, says

import drachm_client as sdk
from drachm_client import models
from drachm_client.exchange import Incoming, Lost, Outgoing, Send, Spec, Wait, converse, fill
from drachm_client.sse import Messages

EVENT = models.ServiceEvent(
    source="clinic-a",
    event_id="visit-1",
    kind="charge",
    member="ana",
    code=models.EventCode(system="local", value="visit"),
    currency="USD",
    started_at="2026-01-31T14:02:00Z",
)
POSTED = {
    "source": "clinic-a", "event_id": "visit-1", "status": "posted", "id": "evt_1", "receipt": "rcp_1", "revision": 0,
    "duplicate": False, "reason": "", "message": "", "next_step": "", "posted_at": "2026-01-31T14:02:01Z",
    "amounts": None, "a_later_word": 1,
}  # fmt: skip
PARTY = models.NewParty(roles=["provider"], name="Town clinic")


class Holding:
    """A server that lets go of nobody before the test says so: who has gone by then has gone by itself."""

    def __init__(self, first: bytes = b"", then: bytes = b"") -> None:
        self._first, self._then = first, then
        self._gone, self._gave_up = threading.Event(), False

    def __call__(self, connection: socket.socket) -> None:
        with suppress(OSError):
            connection.sendall(self._first)
        for _ in range(2_000):
            if self._gone.wait(0.05):
                return
            with suppress(OSError):
                connection.sendall(self._then)
        self._gave_up = True

    def holds(self) -> bool:
        """Whether it has held on until now; then it lets go."""
        held = not self._gave_up
        self._gone.set()
        return held


@pytest.fixture
def client(told: Any) -> Any:
    with sdk.Client(told.url, "drk_sandbox_x", deadline=60) as client:
        yield client


def test_an_answer_is_read_and_later_words_are_no_fault(told: Any, client: Any) -> None:
    told.acts = [says(201, POSTED)]
    answer = client.post_service_event(EVENT)
    assert (answer.status, answer.receipt) == ("posted", "rcp_1")
    (head,) = told.heads()
    assert head["authorization"] == "Bearer drk_sandbox_x"
    assert head["content-type"] == "application/json"


def test_an_event_is_sent_again_as_it_was_after_the_server_died(told: Any, client: Any) -> None:
    told.acts = [
        dies,
        dies_in_the_answer,
        says(503, problem(503, "draining")),
        says(200, {**POSTED, "duplicate": True}),
    ]
    assert client.post_service_event(EVENT).duplicate is True
    assert len(told.requests) == 4
    assert len({json.dumps(body) for body in told.bodies()}) == 1


def test_a_keyed_call_keeps_its_key_through_every_attempt(told: Any, client: Any) -> None:
    spec = Spec("pay", "POST", "/v1/pay", repeatable=True, keyed=True)
    outgoing = client.outgoing(spec, lambda answer: answer.status, {}, body={"a": 1})
    told.acts = [dies, says(409, problem(409, "idempotency_in_flight"), retry_after="0"), says(200, {})]
    assert client.call(outgoing) == 200
    keys = {head["idempotency-key"] for head in told.heads()}
    assert keys == {outgoing.key}
    assert client.outgoing(spec, bytes, {}).key != outgoing.key
    assert client.outgoing(spec, bytes, {}, key="mine").headers["idempotency-key"] == "mine"


def test_a_call_without_a_key_is_not_sent_twice(told: Any, client: Any) -> None:
    told.acts = [dies, says(201, {})]
    with pytest.raises(sdk.Unknown) as caught:
        client.create_party(PARTY)
    assert len(told.requests) == 1
    assert (caught.value.operation, caught.value.key) == ("create_party", "")
    with pytest.raises(sdk.Unknown):
        client.resolve(caught.value)
    assert len(told.requests) == 1


def test_busy_means_nothing_was_begun_so_any_call_waits_and_tries_again(told: Any, client: Any) -> None:
    told.acts = [says(429, problem(429, "busy"), retry_after="1"), says(422, problem(422, "invalid_body"))]
    began = time.monotonic()
    with pytest.raises(sdk.Invalid):
        client.create_party(PARTY)
    assert time.monotonic() - began >= 1
    assert len(told.requests) == 2


def test_what_is_lost_until_the_deadline_is_unknown_with_its_key(told: Any) -> None:
    told.acts = [dies]
    with sdk.Client(told.url, deadline=1) as client, pytest.raises(sdk.Unknown) as caught:
        client.post_service_event(EVENT)
    assert caught.value.key == "visit-1"
    assert len(told.requests) > 1


def test_unknown_is_resolved_once_the_server_is_back(told: Any) -> None:
    told.acts = [dies]
    with sdk.Client(told.url, deadline=0.5) as client:
        with pytest.raises(sdk.Unknown) as caught:
            client.post_service_event(EVENT)
        told.acts = [says(200, {**POSTED, "duplicate": True})]
        answer = client.resolve(caught.value, 60)
    assert answer is not None
    assert answer.duplicate is True


def test_a_server_that_never_answers_does_not_hold_the_caller(told: Any) -> None:
    silent = Holding()
    told.acts = [silent]
    with sdk.Client(told.url, deadline=0.7) as client, pytest.raises(sdk.Unknown):
        client.post_service_event(EVENT)
    assert silent.holds()


def test_a_server_that_drips_does_not_hold_the_caller(told: Any) -> None:
    dripping = Holding(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", b" ")
    told.acts = [dripping]
    with sdk.Client(told.url, deadline=0.7) as client, pytest.raises(sdk.Unknown):
        client.post_service_event(EVENT)
    assert dripping.holds()


def test_nobody_there_is_no_doubt() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with sdk.Client(f"http://127.0.0.1:{port}", deadline=0.5) as client, pytest.raises(sdk.Unreachable):
        client.create_party(PARTY)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, sdk.BadRequest), (401, sdk.Unauthenticated), (403, sdk.Forbidden), (404, sdk.NotFound),
        (409, sdk.Conflict), (412, sdk.Changed), (413, sdk.TooLarge), (422, sdk.Invalid), (428, sdk.VersionNeeded),
        (418, sdk.Problem),
    ],
)  # fmt: skip
def test_problems_are_typed_and_say_where(told: Any, client: Any, status: int, kind: type[sdk.Problem]) -> None:
    faults = [{"pointer": "/billed/micros", "code": "invalid_money", "detail": "no"}]
    told.acts = [says(status, problem(status, "some_code", errors=faults))]
    with pytest.raises(sdk.Problem) as caught:
        client.get_party("clinic")
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.request_id) == ("some_code", "req_1")
    assert caught.value.pointers == ("/billed/micros",)


def test_a_fault_in_the_middle_of_a_change_is_unknown_and_of_a_reading_is_not(told: Any, client: Any) -> None:
    told.acts = [says(500, problem(500, "internal"))]
    with pytest.raises(sdk.Unknown):
        client.create_party(PARTY)
    with pytest.raises(sdk.ServerFault):
        client.get_party("clinic")


def test_something_in_between_is_told_apart(told: Any, client: Any) -> None:
    told.acts = [says(404, b"<html>proxy</html>"), says(200, b"<html>proxy</html>")]
    with pytest.raises(sdk.NotFound) as caught:
        client.get_party("clinic")
    assert caught.value.code == "not_a_problem_document"
    with pytest.raises(sdk.Unreadable):
        client.get_party("clinic")


@pytest.mark.parametrize("value", ["a/b", "a?b", "a#b", "ä", "a%2fb", "..a"])
def test_an_id_stays_one_piece_of_the_path(value: str) -> None:
    path = fill("/v1/parties/{party_id}", {"party_id": value})
    assert path.count("/") == 3
    assert "?" not in path
    assert "#" not in path


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_an_id_that_would_change_the_path_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="path"):
        fill("/v1/parties/{party_id}", {"party_id": value})


def test_the_async_client_does_the_same(told: Any) -> None:
    told.acts = [dies, says(429, problem(429, "busy"), retry_after="0"), says(201, POSTED), dies]

    async def run() -> None:
        async with sdk.AsyncClient(told.url, "drk_sandbox_x", deadline=60) as client:
            assert (await client.post_service_event(EVENT)).status == "posted"
            with pytest.raises(sdk.Unknown):
                await client.create_party(PARTY)
            told.acts = [says(404, problem(404, "not_found"))]
            with pytest.raises(sdk.NotFound):
                await client.get_party("nobody")

    asyncio.run(run())
    assert len({json.dumps(body) for body in told.bodies()[:3]}) == 1


def test_the_async_client_gives_up_at_its_deadline(told: Any) -> None:
    silent = Holding()
    told.acts = [silent]

    async def run() -> None:
        async with sdk.AsyncClient(told.url, deadline=0.5) as client:
            with pytest.raises(sdk.Unknown):
                await client.post_service_event(EVENT)

    asyncio.run(run())
    assert silent.holds()


def played(call: Outgoing[Any], script: list[Incoming | Lost], deadline: float = 30) -> tuple[Any, list[float]]:
    """A conversation without a socket: what came of it, and how long it waited each time."""
    clock, waits, told = [0.0], [], iter(script)
    plan = converse(call, deadline, lambda: clock[0], lambda: 0.0)
    step = next(plan)
    while True:
        found = None
        if isinstance(step, Wait):
            waits.append(step.seconds)
            clock[0] += step.seconds
        else:
            assert isinstance(step, Send)
            found = next(told)
        try:
            step = plan.send(found)
        except StopIteration as end:
            return end.value, waits
        except sdk.ClientError as error:
            return error, waits


def outgoing(**words: Any) -> Outgoing[Any]:
    return Outgoing(Spec("x", "POST", "/x", **words), "", {}, None, lambda answer: answer, "k")


def test_waits_double_and_retry_after_is_a_lower_bound() -> None:
    busy = Incoming(429, {}, json.dumps(problem(429, "busy")).encode())
    later = Incoming(429, {"retry-after": "7"}, busy.content)
    answer, waits = played(outgoing(), [busy, busy, later, busy, Incoming(200)])
    assert answer.status == 200
    assert waits == [0.1, 0.2, 7.0, 0.8]


def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    later = Incoming(429, {"retry-after": "60"}, json.dumps(problem(429, "rate_limited")).encode())
    answer, waits = played(outgoing(), [later])
    assert (answer.status, waits) == (429, [])


def test_doubt_is_not_forgotten_when_a_later_attempt_finds_nobody() -> None:
    script = [Lost(True, "ReadError")] + [Lost(False, "ConnectError")] * 100
    answer, _ = played(outgoing(repeatable=True), script)
    assert isinstance(answer, sdk.Unknown)
    assert answer.cause == "ReadError"


@pytest.mark.parametrize("code", ["timed_out", "unavailable"])
def test_a_refusal_in_the_middle_is_repeated_only_where_a_repetition_is_harmless(code: str) -> None:
    refused = Incoming(503, {}, json.dumps(problem(503, code)).encode())
    answer, waits = played(outgoing(), [refused])
    assert (answer.status, waits) == (503, [])
    answer, waits = played(outgoing(repeatable=True), [refused, Incoming(200)])
    assert (answer.status, len(waits)) == (200, 1)


def test_a_stream_is_read_in_any_pieces() -> None:
    text = b': hello\r\nretry: 250\nid: 7\nevent: receipt\ndata: {"a":\ndata: 1}\n\ndata: x\n\nid: 9\ndata: lost'
    for size in (1, 2, 3, 7, len(text)):
        messages = Messages()
        found = [
            (item.id, item.event, item.data)
            for start in range(0, len(text), size)
            for item in messages.feed(text[start : start + size])
        ]
        assert found == [("7", "receipt", b'{"a":\n1}'), ("7", "message", b"x")], size
        assert (messages.last_id, messages.retry) == ("7", 0.25)
