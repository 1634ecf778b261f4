"""Under which key does a total live?

Names, scopes and periods of docs/reference/plan-model.md, section 3. Pure text: the same words are written by the
replay, the restatement and any second adjudicator.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from itertools import repeat
from typing import Any, Final

from drachm.domain.benefits.model import Key
from drachm.domain.periods import year_containing

_ESCAPES: Final = str.maketrans({sign: f"%{ord(sign):02X}" for sign in "%|[]#@"})


@lru_cache(maxsize=4096, typed=True)
def written(value: Any) -> str:
    """A fact's value as it stands in a name; an absent one is empty."""
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def row(scope: str, name: str, periods: tuple[str, ...]) -> tuple[Key, ...]:
    """The keys of one total in several periods."""
    return tuple(map(tuple.__new__, repeat(Key), zip(repeat(scope), repeat(name), periods, strict=False)))


@lru_cache(maxsize=4096)
def benefit_year(day: date, month: int, first_day: int) -> str:
    """The benefit year that contains `day`."""
    return f"Y{year_containing(day, month, first_day).start.isoformat()}"


@lru_cache(maxsize=4096)
def policy_year(day: date, policy_start: str) -> str:
    """The year of a policy that contains `day`."""
    start = date.fromisoformat(policy_start)
    return f"P{year_containing(day, start.month, start.day).start.isoformat()}"


def quarter(day: date) -> str:
    """The calendar quarter that contains `day`."""
    return f"Q{day.isoformat()[:4]}-{(day.month + 2) // 3}"


@lru_cache(maxsize=512)
def days_ending(day: date, days: int) -> tuple[str, ...]:
    """The periods of the `days` days that end with `day`."""
    return tuple(f"D{(day - timedelta(days=back)).isoformat()}" for back in range(days))


@lru_cache(maxsize=4096)
def months_before(day: date, months: int) -> tuple[str, ...]:
    """The periods of the `months` - 1 months before the one that contains `day`."""
    index = day.year * 12 + day.month - 1
    earlier = (divmod(index - back, 12) for back in range(1, months))
    return tuple(f"M{year:04d}-{month + 1:02d}" for year, month in earlier)
