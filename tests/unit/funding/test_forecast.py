"""How a month will end, and when its holder is told."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drachm.domain.funding.forecast import Forecast, forecast, percent, reached


def test_the_days_that_remain_are_those_of_the_last_three_months() -> None:
    by_day = {
        date(2025, 1, 31): 1,  # three months back
        date(2024, 12, 31): 50,  # four: too long ago
        date(2025, 2, 11): 10,
        date(2025, 2, 10): 70,  # on the day itself: not one that remains
        date(2025, 3, 20): 20,
        date(2025, 3, 31): 5,
        date(2025, 4, 9): 900,  # this month stands in what is spent
    }
    assert forecast(40, date(2025, 4, 10), by_day) == Forecast(41, 52, 65, 3)


def test_who_has_no_month_behind_has_no_forecast() -> None:
    assert forecast(40, date(2025, 4, 10), {}) is None
    assert forecast(40, date(2025, 4, 10), {date(2025, 4, 2): 40}) is None
    assert forecast(40, date(2025, 4, 10), {date(2025, 3, 2): 9}) == Forecast(40, 40, 40, 1)


def test_short_months_and_leap_days() -> None:
    leap = {date(2024, 2, 29): 7}
    assert forecast(0, date(2024, 3, 28), leap) == Forecast(7, 7, 7, 1)
    assert forecast(0, date(2024, 3, 29), leap) == Forecast(0, 0, 0, 1)
    assert forecast(0, date(2024, 1, 31), {date(2023, 12, 31): 9}) == Forecast(0, 0, 0, 1)
    assert forecast(0, date(2025, 1, 15), {date(2024, 12, 16): 3, date(2024, 11, 30): 4}) == Forecast(3, 4, 4, 2)


@given(st.integers(0, 10**15), st.dictionaries(st.dates(date(2024, 1, 1), date(2025, 4, 9)), st.integers(0, 10**12)))
def test_the_likely_amount_lies_within_its_range(spent: int, by_day: dict[date, int]) -> None:
    found = forecast(spent, date(2025, 4, 10), by_day)
    if found is None:
        assert all(day >= date(2025, 4, 1) for day in by_day)
    else:
        assert spent <= found.low <= found.likely <= found.high <= spent + sum(by_day.values())


@pytest.mark.parametrize(
    ("used", "amount", "steps", "hundredths"),
    [
        (0, 100, [], 0),
        (49, 100, [], 49),
        (50, 100, [50], 50),
        (799_999, 1_000_000, [50], 79),
        (80, 100, [50, 80], 80),
        (100, 100, [50, 80, 100], 100),
        (131, 100, [50, 80, 100], 131),
        (1, 0, [50, 80, 100], 100),
        (0, 0, [], 100),
    ],
)
def test_steps_are_reached_exactly(used: int, amount: int, steps: list[int], hundredths: int) -> None:
    assert reached(used, amount) == steps
    assert percent(used, amount) == hundredths
