"""Money and time of the API: exact, and refused in every other form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drachm.adapters.rest.service.shapes import Money, Shape, known_currency, money, read_shape
from drachm.adapters.rest.transport.problems import Problem
from drachm.adapters.rest.transport.values import read_instant, write_instant
from drachm.domain.money import MAX_AMOUNT

LIMIT = 2**53 - 1


class Order(Shape):
    """A request with an amount."""

    a: Money


def read(amount: str) -> tuple[int, str]:
    found = known_currency(read_shape(f'{{"a":{amount}}}'.encode(), Order).a, "/a")
    return found.micros, found.currency


@given(st.integers(-LIMIT, LIMIT))
def test_money_survives_the_wire(micros: int) -> None:
    assert read(msgspec.json.encode(money(micros, "USD")).decode()) == (micros, "USD")


def test_the_limit_is_what_every_json_reader_keeps() -> None:
    assert MAX_AMOUNT == LIMIT


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ("null", "/a"), ("3", "/a"), ('"3.20 USD"', "/a"), ("[]", "/a"), ('{"currency":"USD"}', "/a"),
        ('{"micros":1}', "/a"), ('{"micros":1,"currency":"USD","amount":1}', "/a"),
        ('{"micros":true,"currency":"USD"}', "/a/micros"), ('{"micros":1.0,"currency":"USD"}', "/a/micros"),
        ('{"micros":1E3,"currency":"USD"}', "/a/micros"), ('{"micros":"1","currency":"USD"}', "/a/micros"),
        (f'{{"micros":{LIMIT + 1},"currency":"USD"}}', "/a/micros"),
        (f'{{"micros":{-LIMIT - 1},"currency":"USD"}}', "/a/micros"),
        (f'{{"micros":{10**50},"currency":"USD"}}', "/a/micros"),
        ('{"micros":1,"currency":"usd"}', "/a/currency"), ('{"micros":1,"currency":"ABC"}', "/a/currency"),
        ('{"micros":1,"currency":"USD\\n"}', "/a/currency"), ('{"micros":1,"currency":840}', "/a/currency"),
        ('{"micros":1,"currency":["USD"]}', "/a/currency"),
    ],
)  # fmt: skip
def test_what_is_not_money_is_refused_at_its_place(value: str, pointer: str) -> None:
    with pytest.raises(Problem) as caught:
        read(value)
    assert caught.value.code in ("invalid_body", "invalid_money")
    assert caught.value.faults[0].pointer == pointer


def test_a_sum_that_json_cannot_keep_is_never_written() -> None:
    with pytest.raises(OverflowError):
        money(LIMIT + 1, "USD")


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_survives_the_wire(instant: datetime) -> None:
    assert read_instant(write_instant(instant), "/at") == instant
    assert write_instant(instant).endswith("Z")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-21T14:02:00Z", datetime(2026, 11, 21, 14, 2, tzinfo=UTC)),
        ("2026-11-21t14:02:00z", datetime(2026, 11, 21, 14, 2, tzinfo=UTC)),
        ("2026-11-21T22:02:00.5+08:00", datetime(2026, 11, 21, 14, 2, 0, 500_000, UTC)),
        ("2026-11-21T08:32:00.000001000-05:30", datetime(2026, 11, 21, 14, 2, 0, 1, UTC)),
        ("2024-02-29T00:00:00+00:00", datetime(2024, 2, 29, tzinfo=UTC)),
    ],
)
def test_every_form_of_rfc_3339_is_read(text: str, instant: datetime) -> None:
    assert read_instant(text, "/at") == instant


@pytest.mark.parametrize(
    "value",
    [
        None, 1763733720, "", "2026-11-21", "2026-11-21T14:02Z", "2026-11-21 14:02:00Z", "2026-11-21T14:02:00",
        "2026-11-21T14:02:00-00:00", "2026-11-21T14:02:00+08", "2026-11-21T14:02:00+0800", "2026-11-21T14:02:00+24:00",
        "2026-11-21T14:02:00+08:60", "2026-11-21T14:02:60Z", "2026-11-21T24:00:00Z", "2025-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z", "10000-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00", "2026-11-21T14:02:00.1234567Z", "2026-11-21T14:02:00.Z",
        "２０２６-11-21T14:02:00Z",
        "2026-11-21T14:02:00Z\n",
    ],
)  # fmt: skip
def test_what_is_not_a_time_is_refused(value: Any) -> None:
    with pytest.raises(Problem) as caught:
        read_instant(value, "/at")
    assert (caught.value.code, caught.value.faults[0].pointer) == ("invalid_time", "/at")


def test_a_time_without_zone_is_never_written() -> None:
    with pytest.raises(ValueError, match="zone"):
        write_instant(datetime(2026, 11, 21))  # noqa: DTZ001 - the naive time is the point


def test_a_time_of_another_zone_is_written_in_utc() -> None:
    eastern = datetime(2026, 11, 21, 9, 2, tzinfo=timezone(timedelta(hours=-5)))
    assert write_instant(eastern) == "2026-11-21T14:02:00Z"
