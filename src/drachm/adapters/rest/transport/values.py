"""How do money and time look in the API?

Money is ``{"micros": 3200000, "currency": "USD"}``: whole millionths of the currency unit within the integers that
every JSON reader keeps exactly (RFC 8259 section 6). Time is RFC 3339 in UTC; it is written with a Z.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from drachm.adapters.rest.transport.problems import Fault, Problem
from drachm.domain.errors import InvalidMessage
from drachm.domain.money import MAX_AMOUNT, exponent

_INSTANT: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:([Zz])|([+-])(\d{2}):(\d{2}))", re.ASCII
)


def read_money(value: Any, pointer: str) -> tuple[int, str]:
    """(micros, currency) of a decoded JSON value. Raises the `invalid_money` problem with the pointer of the fault."""
    if not isinstance(value, dict):
        raise _fault("invalid_money", pointer, "an object with micros and currency is expected")
    for key in value:
        if key not in ("micros", "currency"):
            raise _fault("invalid_money", pointer, "an amount has micros and currency, nothing else")
    micros, currency = value.get("micros"), value.get("currency")
    # True is an int in Python, and 1.0 was a Decimal before it came here: neither is a whole number of micros.
    if type(micros) is not int:
        raise _fault("invalid_money", f"{pointer}/micros", "an integer is expected, without point or exponent")
    if not -MAX_AMOUNT <= micros <= MAX_AMOUNT:
        raise _fault("invalid_money", f"{pointer}/micros", f"an amount lies within +-{MAX_AMOUNT} micros")
    if not isinstance(currency, str):
        raise _fault("invalid_money", f"{pointer}/currency", "an ISO 4217 code is expected")
    try:
        exponent(currency)
    except InvalidMessage:
        raise _fault("invalid_money", f"{pointer}/currency", "the currency is not in ISO 4217") from None
    return micros, currency


def write_money(micros: int, currency: str) -> dict[str, object]:
    """An amount for an answer. Raises `OverflowError` when a JSON reader could not keep it: sums go as text instead."""
    if not -MAX_AMOUNT <= micros <= MAX_AMOUNT:
        raise OverflowError("the amount does not fit into an exact JSON number")
    return {"micros": micros, "currency": currency}


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
