"""For what was a pot's money given, by whom, and until when?

A gift, a savings account or money of an NGO comes with conditions. They are fixed when its pot is opened, before money
enters: a pot is a lot, so what it paid comes back to it under the same conditions (docs/decisions/0025).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final, NamedTuple

from drachm.domain.errors import InvalidMessage

CATEGORIES_MAX: Final = 50
NEVER: Final = datetime.max.replace(tzinfo=UTC)
_DOCUMENT: Final = re.compile(r"[A-Za-z0-9._-]{1,200}")


class Purpose(NamedTuple):
    """The conditions of a pot's money; without any, and without a funder, a pot needs none."""

    funder: str = ""
    """Party whose money it was, and to whom what nobody used goes back; empty: the holder's own."""
    until: datetime | None = None
    """It pays for care that begins before this instant; None: for ever."""
    closes: datetime | None = None
    """When what is left goes back to the funder: at `until`, or later, so that bills for earlier care still come in."""
    categories: tuple[str, ...] = ()
    """It pays for lines of these service categories only; none: of all."""
    expenses: str = ""
    """Id of the expense rules that say which care it may pay for; empty: none do."""


def checked_purpose(purpose: Purpose, *, where: str) -> Purpose:
    """The same purpose with instants in UTC. Raises `InvalidMessage` for one that cannot stand."""
    until, closes = _utc(purpose.until, where), _utc(purpose.closes, where)
    if closes is not None and (until is None or closes < until):
        raise InvalidMessage("money goes back after its last day of use, not before", where=where)
    if until is not None and not purpose.funder:
        raise InvalidMessage(
            "a holder's own money does not expire",
            where=where,
            next_step="Name the funder to whom what is left goes back.",
        )
    if len(purpose.categories) > CATEGORIES_MAX or not all(purpose.categories):
        raise InvalidMessage(f"a pot names up to {CATEGORIES_MAX} service categories", where=where)
    if purpose.expenses and not _DOCUMENT.fullmatch(purpose.expenses):
        raise InvalidMessage("expense rules have a plain name as their id", where=where)
    categories = tuple(sorted(set(purpose.categories)))
    return purpose._replace(until=until, closes=closes if until is None else closes or until, categories=categories)


def _utc(instant: datetime | None, where: str) -> datetime | None:
    if instant is None:
        return None
    if instant.tzinfo is None:
        raise InvalidMessage("an instant needs an offset", where=where, code="invalid_time")
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise InvalidMessage("an instant lies beyond the calendar", where=where, code="invalid_time") from None
