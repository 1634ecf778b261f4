"""How does time look in the API? RFC 3339 in UTC; it is written with a Z."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from drachm.adapters.rest.transport.problems import Fault, Problem

_INSTANT: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:([Zz])|([+-])(\d{2}):(\d{2}))", re.ASCII
)


def read_instant(value: Any, pointer: str) -> datetime:
    """An aware UTC time of a decoded JSON value.

    Raises the `invalid_time` problem: no offset, an unknown one (``-00:00``, RFC 3339 4.3), a leap second, more than
    microseconds, or a time that does not exist.
    """
    found = _INSTANT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise _fault("invalid_time", pointer, "a time such as 2026-11-21T14:02:00Z is expected")
    *parts, fraction, _, sign, hours, minutes = found.groups()
    if fraction and fraction[6:].strip("0"):
        raise _fault("invalid_time", pointer, "a time has at most microseconds")
    if sign == "-" and hours == minutes == "00":
        raise _fault("invalid_time", pointer, "the offset -00:00 says that the offset is not known")
    try:
        offset = timedelta(hours=int(hours), minutes=int(minutes)) if sign else timedelta()
        if sign and int(minutes) > 59:
            raise ValueError
        zone = timezone(-offset if sign == "-" else offset)
        year, month, day, hour, minute, second = map(int, parts)
        micros = int((fraction or "0").ljust(6, "0")[:6])
        return datetime(year, month, day, hour, minute, second, micros, zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _fault("invalid_time", pointer, "this time does not exist") from None


def write_instant(instant: datetime) -> str:
    """RFC 3339 in UTC with a Z; six digits of a second only where there are any. Refuses a time without zone.

    >>> write_instant(datetime(2026, 11, 21, 14, 2, tzinfo=UTC))
    '2026-11-21T14:02:00Z'
    """
    if instant.tzinfo is None:
        raise ValueError("a time without a zone cannot be written")
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _fault(code: str, pointer: str, detail: str) -> Problem:
    return Problem(code, faults=[Fault(pointer, code, detail)])
