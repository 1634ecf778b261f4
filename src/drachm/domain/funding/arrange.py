"""Which pocket pays how much of a patient's share?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from drachm.domain.errors import Refused
from drachm.domain.funding.model import FundingPlan, Leg, Pot


def arrange(share: int, pots: Iterable[Pot]) -> FundingPlan:
    """Draw `share` micros of delivered care from the pots by priority; the rest is due.

    >>> arrange(8, [Pot("b", "ana", "USD", 9, priority=2), Pot("a", "ana", "USD", 5, priority=1)]).legs[1].amount
    3
    """
    return _draw(share, pots, "posted")


def reserve(share: int, pots: Iterable[Pot], *, must_serve: bool) -> FundingPlan:
    """Hold `share` micros for a request. Too little money refuses it, unless it is essential or an emergency."""
    plan = _draw(share, pots, "held")
    if plan.due and not must_serve:
        raise Refused(
            "insufficient_funds",
            f"{plan.due} micros are missing",
            where="funding",
            next_step="Top up the wallet by the missing amount, then ask again.",
        )
    return plan


def _draw(share: int, pots: Iterable[Pot], status: Literal["posted", "held"]) -> FundingPlan:
    rest = max(0, share)
    legs = []
    for pot in sorted(pots, key=lambda pot: (pot.priority, pot.id)):
        taken = min(rest, pot.avail)
        if taken > 0:
            legs.append(Leg(pot.pocket, pot.id, taken, status))
            rest -= taken
    return FundingPlan(tuple(legs), rest)
