"""From which pocket?

A patient's share is drawn from an ordered list of pockets. Today's pocket is the wallet's pots; family quota, credit
line and assistance plug in as further `Pot`s with their own `pocket` word. What no pocket covers of delivered care is
an amount due, never a refusal (docs/decisions/0008).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Pot:
    """One pocket of money with a floor of zero."""

    id: str
    member: str
    """Who holds it."""
    currency: str
    avail: int
    """Micros it may spend now."""
    priority: int = 0
    """Lower is drawn first; ties by id."""
    pocket: str = "wallet"
    state: int = 0
    """Id of its state row."""


@dataclass(frozen=True, slots=True)
class Leg:
    """An amount taken from one pocket."""

    pocket: str
    lot: str
    """Pot id."""
    amount: int
    status: Literal["posted", "held"] = "posted"


@dataclass(frozen=True, slots=True)
class FundingPlan:
    """How a patient's share is paid: legs in drawing order, and what no pocket covers."""

    legs: tuple[Leg, ...] = ()
    due: int = 0
    """Owed by the patient after all pockets."""

    @property
    def drawn(self) -> int:
        return sum(leg.amount for leg in self.legs)


UNFUNDED = FundingPlan()
"""No share, no legs, nothing due."""
