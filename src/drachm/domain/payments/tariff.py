"""What does a rail cost, and from which amount on is it worth touching?

A rail keeps a part of each payment and something fixed besides: 2.9 % and 30 cents are 62.9 % of 50 cents, and 4.1 % of
25 dollars. So events never touch a rail; top-ups and collections do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from drachm.domain.money import MICROS, minor_unit, round_ratio


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a rail takes of each payment."""

    currency: str
    ppm: int
    """Of the amount, in parts per million."""
    fixed: int
    """Micros besides."""
    most: int | None = None
    """Never more than this, in micros; None: no ceiling."""

    def fee(self, amount: int) -> int:
        """Micros that the rail keeps of `amount`, exactly as the tariff says; the rail itself rounds to cents."""
        asked = round_ratio(amount * self.ppm, MICROS, 1, "up") + self.fixed
        return asked if self.most is None else min(asked, self.most)

    def share_ppm(self, amount: int) -> int:
        """The fee as parts per million of the amount, rounded up.

        >>> Tariff("USD", 29_000, 300_000).share_ppm(500_000)
        629000
        """
        return -(-self.fee(amount) * MICROS // amount)

    def floor(self, share_ppm: int) -> int | None:
        """The smallest amount of whole minor units whose fee is at most this share of it; None: no amount is.

        >>> Tariff("USD", 29_000, 300_000).floor(100_000)
        4230000
        """
        unit = minor_unit(self.currency)
        found: list[int] = []
        if self.fixed == 0 and share_ppm >= self.ppm:
            found.append(unit)
        elif share_ppm > self.ppm:
            found.append(-(-self.fixed * MICROS // (share_ppm - self.ppm)))
        if self.most is not None and share_ppm > 0:
            found.append(-(-self.most * MICROS // share_ppm))
        return max(unit, -(-min(found) // unit) * unit) if found else None


def percent_of(share_ppm: int) -> str:
    """A share in words, to a tenth of a percent.

    >>> percent_of(629_000)
    '62.9 %'
    """
    tenths = round_ratio(share_ppm, 1_000, 1, "half_up")
    return f"{tenths // 10}.{tenths % 10} %"


@dataclass(frozen=True, slots=True)
class Collecting:
    """When is what a party owes collected over a rail? At the first of three."""

    amount: int = 25 * MICROS
    """Micros owed."""
    days: int = 30
    """Since the oldest of it came due."""
    exposure: int = 100 * MICROS
    """Micros owed or promised together."""


def collectable(owed: int, currency: str) -> tuple[int, int]:
    """(what a rail can be asked for, what stays in the books): whole minor units, and the residue below one.

    >>> collectable(25_006_500, "USD")
    (25000000, 6500)
    """
    residue = owed % minor_unit(currency)
    return owed - residue, residue


def due_for_collection(owed: int, oldest: date, promised: int, today: date, policy: Collecting) -> str:
    """Why it is time (`amount`, `age` or `exposure`); empty: it is not. Less than a minor unit is never collected."""
    if owed <= 0:
        return ""
    if owed >= policy.amount:
        return "amount"
    if owed + promised >= policy.exposure:
        return "exposure"
    return "age" if (today - oldest).days >= policy.days else ""
