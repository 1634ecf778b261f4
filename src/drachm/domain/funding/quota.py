"""How much may one member take from a pot that others share?

An admission to a shared pot may carry terms: an amount for each day, month or year, or for all time, in a calendar of
its own, for all care or for some categories only; it may be paused, end on a day, or leave out what the member keeps
private. What is used of a limit is a running total like a plan's own, so it is locked, moved, kept and audited with
them (docs/decisions/0021, 0024).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

from drachm.domain.benefits.model import Key
from drachm.domain.errors import InvalidMessage
from drachm.domain.money import MAX_AMOUNT
from drachm.domain.periods import local_date, zone

Every: TypeAlias = Literal["day", "month", "year", "ever"]
LIMITS_MAX: Final = 16
CATEGORIES_MAX: Final = 50
EVERYTHING: Final = "*"
"""Among the categories that a member keeps private: all care."""


class Limit(NamedTuple):
    """What one member may take in each period."""

    amount: int
    """Micros; 0: nothing."""
    every: Every
    """`ever` is one period without end."""
    zone: str = "UTC"
    """IANA zone in whose calendar the period is; the service's own start decides which one it belongs to."""
    categories: tuple[str, ...] = ()
    """It counts only lines of these service categories; none: every line."""

    def counts(self, category: str) -> bool:
        """Whether a line of this category uses it up."""
        return not self.categories or category in self.categories

    @property
    def name(self) -> str:
        """What it counts, in words. The amount is none of it: when that changes, what was used stays used."""
        return _name_of(self.every, self.zone, self.categories)


@lru_cache(maxsize=4_096)
def _name_of(every: str, zone_name: str, categories: tuple[str, ...]) -> str:
    return f"{every}/{zone_name}/{'|'.join(sorted(categories))}"


class Terms(NamedTuple):
    """On which terms a member is admitted to a shared pot."""

    limits: tuple[Limit, ...] = ()
    """All of them hold; the narrowest counts."""
    paused: bool = False
    """Nothing is drawn until it ends."""
    ended: bool = False
    """The member was taken out."""
    until: date | None = None
    """The first day, of the care's own calendar, on which nothing is drawn any more; None: it has no end."""
    private: tuple[str, ...] = ()
    """Service categories of which this pot pays nothing, because the member keeps them private; `EVERYTHING`: all."""

    def pays(self, category: str, day: date) -> bool:
        """Whether the pot pays for care of this category on this day at all."""
        if self.paused or self.ended or (self.until is not None and day >= self.until):
            return False
        return not self.private or (EVERYTHING not in self.private and category not in self.private)


def quota_key(fund: str, limit: Limit, member: str, at: datetime) -> Key:
    """The running total of what a member used of a limit in the period that contains an instant.

    >>> from datetime import UTC
    >>> quota_key("home", Limit(5, "month", "Asia/Tokyo"), "ana", datetime(2025, 1, 31, 15, tzinfo=UTC))
    Key(scope='ana', name='quota/home/month/Asia/Tokyo/', period='M2025-02')
    """
    return Key(member, f"quota/{fund}/{limit.name}", period_of(limit, at))


def period_of(limit: Limit, at: datetime) -> str:
    """The period in the words of running totals: ``D2025-03-14``, ``M2025-03``, ``Y2025-01-01``, ``L``."""
    return "L" if limit.every == "ever" else _period_of(limit.every, local_date(at, limit.zone))


@lru_cache(maxsize=4_096)
def _period_of(every: str, day: date) -> str:
    written = day.isoformat()
    if every == "day":
        return f"D{written}"
    return f"M{written[:7]}" if every == "month" else f"Y{written[:4]}-01-01"


def checked_terms(terms: Terms, *, where: str) -> Terms:
    """The same terms. Raises `InvalidMessage` for limits that cannot stand."""
    if len(terms.limits) > LIMITS_MAX:
        raise InvalidMessage(f"more than {LIMITS_MAX} limits", where=where)
    for limit in terms.limits:
        if not 0 <= limit.amount <= MAX_AMOUNT:
            raise InvalidMessage("a limit is an amount, 0 or more", where=where, code="invalid_amount")
        if limit.every not in get_args(Every):
            raise InvalidMessage("a limit is for each day, month or year, or ever", where=where)
        if len(limit.categories) > CATEGORIES_MAX or not all(limit.categories):
            raise InvalidMessage(f"a limit names up to {CATEGORIES_MAX} categories", where=where)
        zone(limit.zone)
    if len(terms.private) > CATEGORIES_MAX or not all(terms.private):
        raise InvalidMessage(f"up to {CATEGORIES_MAX} categories are kept private", where=where)
    if len(_names(terms.limits)) < len(terms.limits):
        raise InvalidMessage(
            "two limits count the same thing", where=where, next_step="Keep the narrower one of the two."
        )
    return terms


def _names(limits: Sequence[Limit]) -> set[str]:
    return {limit.name for limit in limits}
