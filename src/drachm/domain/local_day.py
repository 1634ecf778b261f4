"""Which day is it there?

The local service date in a zone decides which day, month, quarter or benefit year an event belongs to (`periods`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from drachm.domain.errors import InvalidMessage

_ONE_DAY: Final = timedelta(days=1)
# Beyond these a day has no neighbour that Python can name.
_FIRST_DAY: Final = date.min.toordinal() + 1
_LAST_DAY: Final = date.max.toordinal() - 1


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """The IANA zone called `name`; `InvalidMessage` (`unknown_zone`) when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidMessage(
            f"unknown time zone {name[:40]!r}",
            where="zone",
            next_step="Use an IANA name such as America/New_York.",
            code="unknown_zone",
        ) from None


def local_date(instant: datetime, zone_name: str) -> date:
    """The calendar day of an aware instant in a zone."""
    if instant.tzinfo is not UTC:
        instant = instant.astimezone(UTC)
    day = _utc_day(zone_name, instant.toordinal())
    if day is None:
        return instant.astimezone(zone(zone_name)).date()
    midnight, before, after = day
    return before if instant < midnight else after


def day_starts(days: Iterable[date], zone_name: str) -> list[datetime]:
    """When each of these days begins in a zone, in UTC.

    Of all days in order, the last one that has begun by an instant is its `local_date`. Where a clock jumps over
    midnight the day begins with the jump; a day that a zone leaves out holds nothing; one that begins twice, because a
    clock was put back over midnight (in few zones, before 2012), begins when it does so first.
    """
    local = zone(zone_name)
    return [datetime.combine(day, time(), local).astimezone(UTC) for day in days]


@lru_cache(maxsize=65_536)
def _utc_day(zone_name: str, ordinal: int) -> tuple[datetime, date, date] | None:
    """The two local days within one day of UTC: when the second begins, the first, the second.

    None on the days on which the zone changes its clock, where each instant is asked for by itself. Between two
    changes of a clock lie days (four at least, in the tz database), so a day that ends as it began has none.
    """
    if not _FIRST_DAY < ordinal < _LAST_DAY:
        return None
    start = datetime.fromordinal(ordinal).replace(tzinfo=UTC)
    local = zone(zone_name)
    offset = start.astimezone(local).utcoffset()
    if offset is None or offset != (start + _ONE_DAY).astimezone(local).utcoffset():
        return None
    midnight = start + -offset % _ONE_DAY
    after = (midnight + offset).date()
    return midnight, after - _ONE_DAY, after
