"""Calendars, zones and half-open periods."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drachm.domain.errors import InvalidMessage
from drachm.domain.periods import (
    Period,
    add_months,
    age_on,
    days_back,
    local_date,
    month_of,
    quarter_of,
    read_day,
    read_instant,
    year_containing,
    zone,
)


def test_the_end_of_a_period_is_outside() -> None:
    year = Period(date(2025, 1, 1), date(2026, 1, 1))
    assert date(2025, 1, 1) in year
    assert date(2025, 12, 31) in year
    assert date(2026, 1, 1) not in year
    assert date(2024, 12, 31) not in year
    assert date(9999, 1, 1) in Period(date(2025, 1, 1))


def test_neighbours_do_not_overlap() -> None:
    first, second = Period(date(2025, 1, 1), date(2025, 7, 1)), Period(date(2025, 7, 1))
    assert not first.overlaps(second)
    assert not second.overlaps(first)
    assert Period(date(2025, 1, 1)).overlaps(second)
    assert second.overlaps(Period(date(2026, 1, 1), date(2027, 1, 1)))


def test_an_evening_in_new_york_is_the_next_day_in_shanghai() -> None:
    instant = datetime(2026, 1, 1, 3, 0, tzinfo=UTC)
    assert local_date(instant, "America/New_York") == date(2025, 12, 31)
    assert local_date(instant, "Asia/Shanghai") == date(2026, 1, 1)


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "", "\0"])
def test_an_unknown_zone_is_named(name: str) -> None:
    with pytest.raises(InvalidMessage) as caught:
        zone(name)
    assert caught.value.code == "unknown_zone"


@pytest.mark.parametrize("text", ["2025-01-31T14:02:00+08:00", "2025-01-31T06:02:00Z"])
def test_instants_become_utc(text: str) -> None:
    assert read_instant(text) == datetime(2025, 1, 31, 6, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["2025-01-31T14:02:00", "10000-01-01T00:00:00Z", "yesterday", "1899-01-01T00:00:00Z", 5, "2020-W01-1T00:00:00Z"],
)
def test_bad_instants_are_refused(text) -> None:
    with pytest.raises(InvalidMessage) as caught:
        read_instant(text, where="started_at")
    assert caught.value.where == "started_at"


@pytest.mark.parametrize("text", ["2025-02-30", "20250131", "2020-W01-1", "2300-01-01", "", None])
def test_bad_days_are_refused(text) -> None:
    with pytest.raises(InvalidMessage):
        read_day(text)


def test_days_are_read() -> None:
    assert read_day("2024-02-29") == date(2024, 2, 29)


def test_months_are_clamped_to_the_months_end() -> None:
    assert add_months(date(2025, 1, 31), 1) == date(2025, 2, 28)
    assert add_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert add_months(date(2025, 11, 15), 3) == date(2026, 2, 15)
    assert add_months(date(2025, 3, 31), -1) == date(2025, 2, 28)


@given(st.dates(date(1901, 1, 1), date(2198, 12, 31)), st.integers(1, 12), st.integers(1, 31))
def test_every_day_lies_in_its_own_year_month_and_quarter(day: date, month: int, first: int) -> None:
    for period in (year_containing(day, month, first), month_of(day), quarter_of(day), days_back(day, 30)):
        assert day in period
    assert quarter_of(day).start <= month_of(day).start


def test_a_benefit_year_begins_where_the_plan_says() -> None:
    assert year_containing(date(2025, 3, 31), 4, 1) == Period(date(2024, 4, 1), date(2025, 4, 1))
    assert year_containing(date(2025, 4, 1), 4, 1) == Period(date(2025, 4, 1), date(2026, 4, 1))
    assert year_containing(date(2025, 2, 28), 2, 29).start == date(2025, 2, 28)


def test_age_is_completed_years() -> None:
    assert age_on(date(2000, 2, 29), date(2025, 2, 28)) == 24
    assert age_on(date(2000, 2, 29), date(2025, 3, 1)) == 25
