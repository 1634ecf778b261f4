"""What does a holder owe for payments that were booked and went back, and what has made it good?

A list of named amounts: a payment that went back adds, one that was won again or that pays the debt takes away. Each
name counts once, so whatever is heard twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

FROZEN: Final = "pocket_frozen"
"""The reason, in words of `domain.reasons`, why the holder's pots pay for nothing meanwhile."""


@dataclass(frozen=True, slots=True)
class Arrears:
    """Of one holder in one currency. Amounts are micros."""

    member: str
    currency: str
    parts: Mapping[str, int] = field(default_factory=dict)
    """By the name of what moved it: above 0 it went back, below 0 it was made good."""

    @property
    def owed(self) -> int:
        """What is still to be made good."""
        return sum(self.parts.values())

    @property
    def frozen(self) -> str:
        """Why the holder's pots pay for nothing; empty: they do."""
        return FROZEN if self.owed > 0 else ""


def gone_back(arrears: Arrears, name: str, amount: int) -> Arrears:
    """With a payment that went back; the same object when it is known."""
    return arrears if name in arrears.parts else replace(arrears, parts={**arrears.parts, name: amount})


def made_good(arrears: Arrears, name: str, amount: int) -> Arrears:
    """With money that makes the debt good, at most all of it; the same object when it is known."""
    if name in arrears.parts:
        return arrears
    part = min(amount, max(0, arrears.owed))
    return replace(arrears, parts={**arrears.parts, name: -part})
