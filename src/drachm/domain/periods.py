"""When, in whose calendar?

Periods are half-open `[start, end)`. Instants are UTC; a plan names its IANA zone, and the local service date in that
zone decides which day, month, quarter or benefit year an event belongs to.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from drachm.domain.errors import InvalidMessage
from drachm.domain.local_day import day_starts as day_starts
from drachm.domain.local_day import local_date as local_date
from drachm.domain.local_day import zone as zone

# Python reads week dates and compact forms too; the standards we speak do not.
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `start` to before `end`; `end` None is open."""

    start: date
    end: date | None = None

    def __contains__(self, day: date) -> bool:
        return self.start <= day and (self.end is None or day < self.end)

    def overlaps(self, other: Period) -> bool:
        return (other.end is None or self.start < other.end) and (self.end is None or other.start < self.end)


def read_instant(text: str, *, where: str = "time") -> datetime:
    """An RFC 3339 instant as aware UTC. A time without offset, or a year outside 1900-2199, is refused."""
    try:
        value = datetime.fromisoformat(text) if _INSTANT.match(text) else None
    except (ValueError, TypeError):
        value = None
    if value is None:
        raise _bad_time("is not an RFC 3339 time", where)
    if value.tzinfo is None:
        raise _bad_time("has no offset from UTC", where)
    if not 1900 <= value.year < 2200:
        raise _bad_time("lies outside the years 1900 to 2199", where)
    return value if value.tzinfo is UTC else value.astimezone(UTC)


def read_day(text: str, *, where: str = "date") -> date:
    """An ISO 8601 calendar day between 1900 and 2199."""
    try:
        value = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except (ValueError, TypeError):
        value = None
    if value is None:
        raise _bad_time("is not a date such as 2025-01-31", where)
    if not 1900 <= value.year < 2200:
        raise _bad_time("lies outside the years 1900 to 2199", where)
    return value


def add_months(day: date, months: int) -> date:
    """The same day `months` later, clamped to the month's end: 31 January + 1 month is 28 or 29 February."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def year_containing(day: date, month: int, first_day: int) -> Period:
    """The year beginning every `month`/`first_day` (benefit year, plan year) that contains `day`.

    29 February starts on 28 February in common years.
    """
    start = _anniversary(day.year, month, first_day)
    if day < start:
        start = _anniversary(day.year - 1, month, first_day)
    return Period(start, _anniversary(start.year + 1, month, first_day))


def month_of(day: date) -> Period:
    """The calendar month that contains `day`."""
    start = day.replace(day=1)
    return Period(start, add_months(start, 1))


def quarter_of(day: date) -> Period:
    """The calendar quarter that contains `day`."""
    start = day.replace(month=3 * ((day.month - 1) // 3) + 1, day=1)
    return Period(start, add_months(start, 3))


def age_on(birth: date, day: date) -> int:
    """Completed years on `day`; a 29 February birthday is completed on 1 March in common years."""
    years = day.year - birth.year
    months = day.month - birth.month
    return years - 1 if months < 0 or (months == 0 and day.day < birth.day) else years


def days_back(day: date, days: int) -> Period:
    """The `days` days that end with `day` itself."""
    return Period(day - timedelta(days=days - 1), day + timedelta(days=1))


def _anniversary(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, monthrange(year, month)[1]))


def _bad_time(problem: str, where: str) -> InvalidMessage:
    return InvalidMessage(
        f"the time {problem}", where=where, next_step="Use a form such as 2025-01-31T14:02:00Z.", code="invalid_time"
    )
