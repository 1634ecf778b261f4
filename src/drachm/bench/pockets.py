"""What does a person's share find when it may come from many pockets?

Half of the families (the even ones) have everything at once: each of their members has three pots, one of them under
expense rules and one that ends; a family's pot with a cap for each member; and an admission to a fund that thousands
share. The others are as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from drachm.domain.funding.allotment import admission, open_fund
from drachm.domain.funding.model import Pot
from drachm.domain.funding.purpose import Purpose
from drachm.domain.funding.quota import Limit, Terms
from drachm.domain.money import MICROS

EXPENSES: Final = "bench-savings"
RULES: Final = {
    "id": EXPENSES,
    "version": "1",
    "zone": "America/New_York",
    "effective": {"from": "2020-01-01"},
    "facts": {"category": {"type": "text", "default": None}, "age": {"type": "number", "default": None}},
    "rules": [
        {"when": {"category": ["cosmetic", "fitness", "premium"]}, "eligible": False, "clause": "1"},
        {"when": {"age": {"below": 3}}, "eligible": False, "clause": "2"},
    ],
    "otherwise": True,
}
"""Expense rules of the size of the samples."""
CAP: Final = Terms((Limit(30 * MICROS, "month", "America/New_York"),))
"""What a member may take from the family's pot in a month: less than some need."""
FAMILY: Final = "family-"
FAMILY_OPENING: Final = 1_000_000 * MICROS
"""More than a family uses: what ends is each member's month, not the pot."""
FIRST: Final = -1
LAST: Final = 9
ENDS: Final = datetime(2027, 1, 1, tzinfo=UTC)

_PURPOSES: Final = {"savings": Purpose(expenses=EXPENSES), "gift": Purpose("bench-employer", ENDS, ENDS)}


def has_everything(family: int) -> bool:
    """Whether the family of this number is one of those."""
    return family % 2 == 0


def with_purpose(word: str, pot: Pot) -> Pot:
    """A person's own pot, its money given for what the word says."""
    return pot._replace(purpose=_PURPOSES.get(word))


def family_pot(family: int, currency: str) -> Pot:
    """The pot of one family."""
    return open_fund(f"{FAMILY}{family}", currency, slices=1, pocket="family")


def family_pots(families: Sequence[int], currency: str) -> Iterator[Pot]:
    """Those of some families."""
    return (family_pot(one, currency) for one in families if has_everything(one))


def admissions(family: int, member: str, fund: Pot) -> list[Pot]:
    """What a member draws on besides own pots: first the family's pot up to the cap, at last the fund."""
    shared = family_pot(family, fund.currency)
    return [
        admission(shared, member, priority=FIRST, terms=CAP),
        admission(fund, member, priority=LAST),
    ]
