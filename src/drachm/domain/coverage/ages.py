"""From which age does somebody decide alone, and which care may a minor keep from those who pay?

Rules are rows, each with its source: by place (ISO 3166-1, or 3166-2 for a part of a country; the part counts before
the whole). A place without a row has the rule of `DEFAULT`, and no secrets of minors. A row is never changed, only
ended and followed by another: a decision of then is made again by the law of then (docs/reference/family.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final, NamedTuple

ANYWHERE: Final = "*"
ALL_CARE: Final = "*"


class Majority(NamedTuple):
    """From which age people decide alone about their care and their money."""

    place: str
    years: int
    source: str
    since: date = date.min
    until: date = date.max
    """The first day on which it holds no more."""


class OwnSecret(NamedTuple):
    """Care that a minor may have without the parents, and so keep from them."""

    place: str
    years: int
    """From this age on; 0: at any age."""
    category: str
    """Service category; `ALL_CARE`: any."""
    source: str
    since: date = date.min
    until: date = date.max


DEFAULT: Final = Majority(ANYWHERE, 18, "UN Convention on the Rights of the Child, article 1")
"""Where no row says otherwise."""
MAJORITY: Final = (
    Majority("EG", 21, "Egyptian Civil Code, article 44"),
    Majority("GB-SCT", 16, "Age of Legal Capacity (Scotland) Act 1991, section 1"),
    Majority("KR", 19, "Korean Civil Act, article 4"),
    Majority("NZ", 20, "Age of Majority Act 1970, section 4"),
    Majority("TH", 20, "Thai Civil and Commercial Code, section 19"),
    Majority("US-AL", 19, "Code of Alabama 26-1-1"),
    Majority("US-MS", 21, "Mississippi Code 1-3-27"),
    Majority("US-NE", 19, "Nebraska Revised Statutes 43-2101"),
)

OWN_SECRETS: Final = (
    OwnSecret("FR", 0, "reproductive", "Code de la sante publique, article L5134-1"),
    OwnSecret("GB-ENG", 16, ALL_CARE, "Family Law Reform Act 1969, section 8"),
    OwnSecret("GB-WLS", 16, ALL_CARE, "Family Law Reform Act 1969, section 8"),
    OwnSecret("US-CA", 12, "mental_health", "California Family Code 6924; Civil Code 56.107"),
    OwnSecret("US-CA", 12, "substance_use", "California Family Code 6929; Civil Code 56.107"),
    OwnSecret("US-CA", 12, "sexual_health", "California Family Code 6926; Civil Code 56.107"),
    OwnSecret("US-CA", 0, "reproductive", "California Family Code 6925; Civil Code 56.107"),
    OwnSecret("US-MD", 12, "mental_health", "Maryland Health-General 20-104"),
    OwnSecret("US-MD", 0, "substance_use", "Maryland Health-General 20-102"),
    OwnSecret("US-MD", 0, "sexual_health", "Maryland Health-General 20-102"),
    OwnSecret("US-MD", 0, "reproductive", "Maryland Health-General 20-102"),
    OwnSecret("US-NY", 0, "sexual_health", "New York Public Health Law 2305"),
    OwnSecret("US-WA", 13, "mental_health", "Revised Code of Washington 71.34.530"),
    OwnSecret("US-WA", 13, "substance_use", "Revised Code of Washington 71.34.530"),
    OwnSecret("US-WA", 14, "sexual_health", "Revised Code of Washington 70.24.110"),
    OwnSecret("US-WA", 0, "reproductive", "Revised Code of Washington 9.02.100"),
    OwnSecret("ZA", 12, "reproductive", "Children's Act 38 of 2005, section 134"),
)


def birthday(born: date, years: int) -> date:
    """The day on which somebody reaches an age; born on 29 February, on 1 March of a common year.

    >>> birthday(date(2008, 2, 29), 18)
    datetime.date(2026, 3, 1)
    """
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 3, 1)


def comes_of_age(born: date, place: str = "") -> date:
    """The first day on which somebody decides alone, by the law of a place."""
    for name in _places(place):
        for row in MAJORITY:
            day = birthday(born, row.years)
            # The law may change before the day comes: the row counts that holds then.
            if row.place == name and row.since <= day < row.until:
                return day
    return birthday(born, DEFAULT.years)


def is_minor(born: date | None, day: date, place: str = "") -> bool:
    """Whether somebody does not decide alone yet; of whom no birth date is known, that is not supposed."""
    return born is not None and day < comes_of_age(born, place)


def may_keep_private(born: date | None, place: str, category: str, day: date) -> bool:
    """Whether somebody may keep care of a category from those who pay for the family."""
    if not is_minor(born, day, place):
        return True
    return born is not None and any(
        row.category in (ALL_CARE, category) and row.since <= day < row.until and birthday(born, row.years) <= day
        for name in _places(place)
        for row in OWN_SECRETS
        if row.place == name
    )


def own_secrets(born: date | None, place: str, day: date) -> tuple[str, ...]:
    """The categories that somebody may keep private on a day; `ALL_CARE` among them: any."""
    if not is_minor(born, day, place):
        return (ALL_CARE,)
    words = {row.category for row in OWN_SECRETS if may_keep_private(born, place, row.category, day)}
    return (ALL_CARE,) if ALL_CARE in words else tuple(sorted(words))


def _places(place: str) -> Iterator[str]:
    """The part, then the whole."""
    yield from dict.fromkeys((place, place.partition("-")[0]))
