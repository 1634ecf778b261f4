"""What will a person have spent of a budget when the month is over?

What is spent so far, and what was spent on the days that remain in the last three months. Nothing is smoothed and
nothing invented: the likely amount is the mean of those months, the range their least and their most. A person without
a month behind has no forecast.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final, NamedTuple

from drachm.domain.periods import add_months

MONTHS: Final = 3
STEPS: Final = (50, 80, 100)
"""At how many percent of a budget its holder is told."""


class Forecast(NamedTuple):
    """A month's end as it looks now; micros."""

    low: int
    likely: int
    high: int
    months: int
    """How many past months it rests on: 1 to 3."""


def forecast(spent: int, today: date, by_day: Mapping[date, int]) -> Forecast | None:
    """The month of `today`, of which `spent` is spent; `by_day` says what was spent on which day before.

    Only months count in or before which something was spent. Days that a past month has not got add nothing: behind the
    15th of March lie sixteen days, behind the 15th of February thirteen. The mean is rounded half up.

    >>> forecast(100, date(2025, 3, 15), {date(2025, 2, 20): 30, date(2025, 2, 3): 7})
    Forecast(low=130, likely=130, high=130, months=1)
    """
    first = min((day for day in by_day), default=None)
    ends = []
    for back in range(1, MONTHS + 1):
        month = add_months(today.replace(day=1), -back)
        if first is None or (first.year, first.month) > (month.year, month.month):
            break
        rest = [
            amount
            for day, amount in by_day.items()
            if (day.year, day.month) == (month.year, month.month) and day.day > today.day
        ]
        ends.append(sum(rest))
    if not ends:
        return None
    mean = (2 * sum(ends) + len(ends)) // (2 * len(ends))
    return Forecast(spent + min(ends), spent + mean, spent + max(ends), len(ends))


def percent(used: int, amount: int) -> int:
    """How much of a budget is used, in whole percent, rounded down; of a budget of nothing, all of it."""
    return used * 100 // amount if amount else 100


def reached(used: int, amount: int) -> list[int]:
    """The steps that a use has come to; none while nothing is used."""
    return [step for step in STEPS if used > 0 and used * 100 >= step * amount]
