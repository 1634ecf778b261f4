"""Calendars, zones and half-open periods."""

from bisect import bisect
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drachm.domain.errors import InvalidMessage
from drachm.domain.local_day import day_starts, local_date, zone
from drachm.domain.periods import (
    Period,
    add_months,
    age_on,
    days_back,
    month_of,
    quarter_of,
    read_day,
    read_instant,
    year_containing,
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


ZONES = (
    "UTC", "America/New_York", "America/St_Johns", "America/Havana", "Atlantic/Azores", "Europe/London",
    "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran", "Africa/Monrovia", "Australia/Lord_Howe", "Pacific/Apia",
)  # fmt: skip


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)), st.times(), st.sampled_from(ZONES))
def test_the_local_day_is_the_one_on_the_zones_clock(day: date, clock: time, name: str) -> None:
    for moment in (time.min, clock, time.max):
        instant = datetime.combine(day, moment, UTC)
        local = instant.astimezone(zone(name))
        assert local_date(instant, name) == local_date(local, name) == local.date()


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("year", [1972, 2011, 2024, 2025])
def test_the_local_day_is_right_around_every_change_of_the_clock(name: str, year: int) -> None:
    local, quarter = zone(name), timedelta(minutes=15)
    start = datetime(year, 1, 1, tzinfo=UTC)
    hours = [start + timedelta(hours=hour) for hour in range(366 * 24)]
    changes = [a for a, b in pairwise(hours) if a.astimezone(local).utcoffset() != b.astimezone(local).utcoffset()]
    for change in changes or hours[:1]:
        for step in range(-100, 101):
            instant = change + step * quarter
            assert local_date(instant, name) == instant.astimezone(local).date()


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("year", [2011, 2024, 2025])
def test_a_day_has_begun_when_it_is_the_local_one(name: str, year: int) -> None:
    if (name, year) == ("America/St_Johns", 2011):
        return  # The clock was put back over midnight: a minute of one day, an hour of the day before, the day again.
    days = [date(year - 1, 12, 30) + timedelta(days=number) for number in range(370)]
    starts = day_starts(days, name)
    assert starts == sorted(starts)
    assert all(start.tzinfo is UTC for start in starts)
    around = [
        start + shift for start in starts[2:-2] for shift in (-timedelta(seconds=1), timedelta(0), timedelta(hours=9))
    ]
    for instant in around:
        assert days[bisect(starts, instant) - 1] == local_date(instant, name)


@pytest.mark.parametrize("day", [date.min, date.max])
def test_the_first_and_the_last_day_have_a_local_day_too(day: date) -> None:
    assert local_date(datetime.combine(day, time(12), UTC), "UTC") == day
