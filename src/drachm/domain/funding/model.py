"""From which pocket?

A patient's share is drawn from an ordered list of pockets. Today's pocket is the wallet's pots; family quota, credit
line and assistance plug in as further `Pot`s with their own `pocket` word. What no pocket covers of delivered care is
an amount due, never a refusal (docs/decisions/0008). A fund shared by many stands among a member's pots as one of its
slices (`allotment`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, NamedTuple

from drachm.domain.funding.purpose import NEVER, Purpose
from drachm.domain.funding.quota import Terms

GIVEN_UP: Final = "forgone"
"""The kind of pot out of which a provider pays what it no longer asks for; nobody's pocket."""


class Pot(NamedTuple):
    """One pocket of money with a floor of zero."""

    id: str
    member: str
    """Who holds it; empty for a fund and its slices."""
    currency: str
    avail: int = 0
    """Micros it may spend, where that is told with it; a decision is handed what stands under lock instead."""
    priority: int = 0
    """Lower is drawn first; of several the one that expires first, then by id."""
    pocket: str = "wallet"
    """What kind of pocket it is: `wallet`, `gift`, `health_savings`, `personal_account` ..."""
    state: int = 0
    """Id of its state row."""
    fund: str = ""
    """The shared fund it belongs to, as a slice of it or as an admission to it; empty: none."""
    slices: int = 0
    """Of that fund, or of the fund it is itself; 0: nothing is shared."""
    terms: Terms | None = None
    """On which a member is admitted to the fund; None: on none."""
    purpose: Purpose | None = None
    """For what its money was given; None: it is the holder's own, for everything."""
    frozen: str = ""
    """Why it pays for nothing just now, a word of `domain.reasons`; empty: it does."""


def drawing_order(pot: Pot) -> tuple[int, datetime, str]:
    """By what the pots of a person are sorted before they are drawn from."""
    until = pot.purpose.until if pot.purpose is not None else None
    return pot.priority, until or NEVER, pot.id


class Leg(NamedTuple):
    """An amount taken from one pocket."""

    pocket: str
    lot: str
    """Pot id."""
    amount: int
    status: Literal["posted", "held"] = "posted"


class Agreed(NamedTuple):
    """An amount due that was paid later: on the patient's yes, from pockets of the patient's choice; or by itself."""

    id: str
    """Of the payment."""
    pot: str
    pocket: str
    amount: int
    """Micros, more than 0."""
    counted: tuple[tuple[int, int], ...] = ()
    """Row and slot of each running total that counts it: budgets, and limits in a shared pot."""
    by_itself: bool = False
    """Nobody said yes to this one amount: the patient's rules let it be paid once there was money."""
