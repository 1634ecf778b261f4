"""Identifiers, cursors, entity tags, rates and idempotency keys."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drachm.adapters.rest.transport.cursors import Cursors, read_limit
from drachm.adapters.rest.transport.idempotency import MemoryKeys, content_hash, once, read_key
from drachm.adapters.rest.transport.identifiers import Identifiers, decode, encode, pooled
from drachm.adapters.rest.transport.passage import json_answer
from drachm.adapters.rest.transport.problems import Answer, Problem
from drachm.adapters.rest.transport.rates import Rate, RateLimiter
from drachm.adapters.rest.transport.versions import etag, require_match, unchanged
from drachm.domain.errors import Refused, Unavailable


def refused(code: str, call: Callable[..., object], *arguments: object, **named: object) -> Problem:
    with pytest.raises(Problem) as caught:
        call(*arguments, **named)
    assert caught.value.code == code
    return caught.value


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


# --- identifiers


def test_identifiers_rise_as_text_even_when_the_clock_goes_back() -> None:
    times = iter([5_000, 5_000, 5_000, 4_000, 5_001, 4_999] + [5_001] * 10_000)
    identifiers = Identifiers(lambda: next(times), os.urandom)
    made = [identifiers.new("chg") for _ in range(10_006)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_an_identifier_is_a_uuid_version_7_of_its_millisecond() -> None:
    number = decode(Identifiers(lambda: 0x0123_4567_89AB, os.urandom).new("evt"), "evt")
    assert number is not None
    assert (number >> 80, number >> 76 & 15, number >> 62 & 3) == (0x0123_4567_89AB, 7, 2)


@given(st.integers(0, 2**128 - 1))
def test_every_number_survives_its_text(number: int) -> None:
    assert decode("chg_" + encode(number), "chg") == number


@pytest.mark.parametrize(
    "text",
    ["", "chg_", "chg_1", "evt_" + "0" * 26, "chg_" + "8" + "0" * 25, "chg_" + "I" * 26, "chg_" + "0" * 26 + "\n"],
)
def test_what_is_not_an_identifier_of_the_kind_is_none(text: str) -> None:
    assert decode(text, "chg") is None


def test_pooled_randomness_is_never_given_out_twice() -> None:
    take = pooled(os.urandom, 64)
    pieces = [take(9) for _ in range(1_000)]
    assert len(set(pieces)) == 1_000
    assert {len(piece) for piece in pieces} == {9}


# --- cursors

KEY, OLD = b"k" * 32, b"o" * 32
SCOPE = {"caller": "key_1", "route": "/v1/receipts", "filters": {"visit": "v1"}}


def test_a_cursor_gives_its_place_back() -> None:
    cursors = Cursors([KEY], Clock())
    cursor = cursors.write(["2026-11-21T14:02:00Z", 81_204], **SCOPE)  # type: ignore[arg-type]
    assert cursors.read(cursor, **SCOPE) == ["2026-11-21T14:02:00Z", 81_204]  # type: ignore[arg-type]
    assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor)


@pytest.mark.parametrize(
    "other", [{"caller": "key_2"}, {"route": "/v1/events"}, {"filters": {"visit": "v2"}}, {"filters": {}}]
)
def test_a_cursor_of_another_list_is_refused(other: dict[str, object]) -> None:
    cursors = Cursors([KEY], Clock())
    cursor = cursors.write(["a"], **SCOPE)  # type: ignore[arg-type]
    refused("invalid_cursor", cursors.read, cursor, **{**SCOPE, **other})


def test_no_changed_cursor_is_believed() -> None:
    cursors = Cursors([KEY], Clock())
    cursor = cursors.write(["a", 1], **SCOPE)  # type: ignore[arg-type]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_="
    changed = {cursor[:i] + c + cursor[i + 1 :] for i in range(len(cursor)) for c in alphabet} - {cursor}
    changed |= {cursor[:i] for i in range(len(cursor))} | {cursor + c for c in alphabet}
    for forged in changed:
        refused("invalid_cursor", cursors.read, forged, **SCOPE)


def test_a_cursor_expires() -> None:
    clock = Clock()
    cursors = Cursors([KEY], clock, seconds=60)
    cursor = cursors.write(["a"], **SCOPE)  # type: ignore[arg-type]
    clock.now += 59
    assert cursors.read(cursor, **SCOPE) == ["a"]  # type: ignore[arg-type]
    clock.now += 1
    refused("expired_cursor", cursors.read, cursor, **SCOPE)


def test_keys_rotate_without_breaking_a_list() -> None:
    clock = Clock()
    cursor = Cursors([OLD], clock).write(["a"], **SCOPE)  # type: ignore[arg-type]
    assert Cursors([KEY, OLD], clock).read(cursor, **SCOPE) == ["a"]  # type: ignore[arg-type]
    refused("invalid_cursor", Cursors([KEY], clock).read, cursor, **SCOPE)


@pytest.mark.parametrize("keys", [[], [b"short"], [KEY, b""]])
def test_short_keys_are_refused_at_the_start(keys: list[bytes]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Cursors(keys, Clock())


def test_a_page_has_one_to_a_hundred_rows() -> None:
    assert (read_limit(None), read_limit("1"), read_limit("100")) == (20, 1, 100)
    for text in ("0", "101", "-1", "1.0", "", "１", "9" * 5_000):
        refused("bad_request", read_limit, text)


# --- entity tags


def test_a_change_needs_the_version_that_was_read() -> None:
    now = etag("book", 7)
    require_match(now, now)
    require_match(f'"old", {now}', now)
    require_match("*", now)
    refused("precondition_required", require_match, None, now)
    refused("precondition_failed", require_match, etag("book", 6), now)
    refused("precondition_failed", require_match, "W/" + now, now)
    refused("precondition_failed", require_match, "*", None)
    require_match(None, now, required=False)


@pytest.mark.parametrize("field", ["", "book-7", '"open', '"a" "b"', "x" * 2_000, '"a",,"b"'])
def test_an_unreadable_if_match_is_refused(field: str) -> None:
    refused("invalid_if_match", require_match, field, etag(1))


def test_a_failed_precondition_says_the_current_tag() -> None:
    assert refused("precondition_failed", require_match, '"x"', '"y"').headers == ((b"etag", b'"y"'),)


def test_a_reader_with_the_same_version_is_told_so() -> None:
    now = etag("book", 7)
    assert unchanged(now, now)
    assert unchanged(f"W/{now}", now)
    assert unchanged("*", now)
    assert not unchanged(None, now)
    assert not unchanged('"other"', now)
    assert not unchanged("broken", now)


# --- rates


def test_a_bucket_empties_and_fills() -> None:
    clock = Clock()
    limiter = RateLimiter(Rate("default", 3, 60), clock)
    fields = dict(limiter.take("a"))
    assert fields == {b"ratelimit-policy": b'"default";q=3;w=60', b"ratelimit": b'"default";r=2;t=20'}
    limiter.take("a")
    limiter.take("a")
    problem = refused("rate_limited", limiter.take, "a")
    assert (problem.retry_after, dict(problem.headers)[b"ratelimit"]) == (20, b'"default";r=0;t=60')
    limiter.take("b")
    clock.now += 20
    limiter.take("a")
    refused("rate_limited", limiter.take, "a")


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(1, 5)), max_size=60))
def test_no_caller_ever_gets_more_than_quota_and_refill(steps: list[tuple[float, int]]) -> None:
    clock = Clock()
    limiter = RateLimiter(Rate("default", 10, 60), clock)
    given_out, began = 0, clock.now
    for wait, cost in steps:
        clock.now += wait
        try:
            limiter.take("a", cost)
        except Problem:
            continue
        given_out += cost
        assert given_out <= 10 + (clock.now - began) / 6 + 1e-6


def test_waiting_as_told_is_enough() -> None:
    clock = Clock()
    limiter = RateLimiter(Rate("default", 7, 60), clock)
    for _ in range(7):
        limiter.take("a")
    for cost in (1, 3, 7, 50):
        clock.now += refused("rate_limited", limiter.take, "a", cost).retry_after
        limiter.take("a", cost)


def test_the_limiter_s_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drachm.adapters.rest.transport.rates.CALLERS_MAX", 100)
    limiter = RateLimiter(Rate(), Clock())
    for number in range(1_000):
        limiter.take(f"caller-{number}")
    assert len(limiter._buckets) <= 100


# --- idempotency


def run_once(store: MemoryKeys, act: Callable[[], Answer], key: str | None = "k1", body: bytes = b'{"a":1}') -> Answer:
    async def acting() -> Answer:
        return act()

    return asyncio.run(once(store, key=key, caller="key_1", route="/v1/top-ups", body=body, act=acting))


def test_the_second_call_gets_the_first_answer_marked() -> None:
    store, effects = MemoryKeys(Clock()), []

    def act() -> Answer:
        effects.append(1)
        return json_answer(201, {"id": "top_1"}, [(b"location", b"/v1/top-ups/top_1")])

    first, second = run_once(store, act), run_once(store, act, '"k1"', b'{ "a" : 1 }')
    assert (second.status, second.body) == (first.status, first.body)
    assert second.headers == (*first.headers, (b"idempotency-replayed", b"true"))
    assert effects == [1]


def test_the_key_with_other_content_is_refused() -> None:
    store = MemoryKeys(Clock())
    run_once(store, lambda: json_answer(201, {}))
    refused("idempotency_key_reused", run_once, store, lambda: json_answer(201, {}), "k1", b'{"a":2}')
    refused("idempotency_key_reused", run_once, store, lambda: json_answer(201, {}), "k1", b'{"a":1.0}')


def test_while_the_first_call_works_the_second_is_told_to_wait() -> None:
    async def both() -> tuple[Answer, list[Problem]]:
        store, gate, problems = MemoryKeys(Clock()), asyncio.Event(), []

        async def act() -> Answer:
            await gate.wait()
            return json_answer(201, {})

        def call() -> asyncio.Task[Answer]:
            return asyncio.create_task(once(store, key="k", caller="c", route="r", body=b"1", act=act))

        first = call()
        await asyncio.sleep(0)
        for _ in range(100):
            try:
                await call()
            except Problem as problem:
                problems.append(problem)
        gate.set()
        return await first, problems

    answer, problems = asyncio.run(both())
    assert answer.status == 201
    assert [(problem.code, problem.retry_after) for problem in problems] == [("idempotency_in_flight", 1)] * 100


def test_a_final_refusal_is_an_answer_and_is_repeated() -> None:
    store = MemoryKeys(Clock())

    def act() -> Answer:
        raise Refused("insufficient_funds", "no money")

    assert run_once(store, act).status == 422
    assert run_once(store, lambda: json_answer(201, {})).status == 422


@pytest.mark.parametrize("error", [Unavailable("silent"), Problem("busy"), ValueError("a defect"), KeyboardInterrupt()])
def test_what_may_succeed_later_frees_the_key(error: BaseException) -> None:
    store = MemoryKeys(Clock())

    def act() -> Answer:
        raise error

    with pytest.raises(type(error)):
        run_once(store, act)
    assert run_once(store, lambda: json_answer(201, {})).status == 201


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "a b", "ключ", '"open', "tab\tin"])
def test_unusable_keys_are_refused(key: str) -> None:
    refused("idempotency_key_invalid", read_key, key)


def test_a_missing_key_is_refused() -> None:
    refused("idempotency_key_missing", read_key, None)


def test_callers_and_routes_do_not_share_keys() -> None:
    async def three() -> list[Answer]:
        store = MemoryKeys(Clock())

        async def act() -> Answer:
            return json_answer(201, {})

        return [
            await once(store, key="k", caller=caller, route=route, body=b"1", act=act)
            for caller, route in (("a", "r"), ("b", "r"), ("a", "s"))
        ]

    assert all(len(answer.headers) == 1 for answer in asyncio.run(three()))


def test_old_keys_are_forgotten_and_memory_is_bounded() -> None:
    clock = Clock()
    store = MemoryKeys(clock, keep_seconds=10, most=50)
    for number in range(200):
        run_once(store, lambda: json_answer(201, {}), f"k{number}")
    assert len(store._slots) <= 51
    clock.now += 11
    for number in range(20):
        run_once(store, lambda: json_answer(201, {}), f"new{number}")
    assert len(store._slots) <= 20


def test_content_is_compared_by_meaning() -> None:
    assert content_hash(b'{"a": 1, "b": [2, 3]}') == content_hash(b'{"b":[2,3],"a":1}')
    assert content_hash(b'{"a": 1}') != content_hash(b'{"a": "1"}')
    assert content_hash(b'{"a": 1.10}') != content_hash(b'{"a": 1.1}')
    assert content_hash(b"not json") != content_hash(b"not json ")
    assert content_hash(b"") == content_hash(b"")
