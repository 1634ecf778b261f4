"""Which pocket pays how much of a patient's share?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from drachm.domain.errors import Refused
from drachm.domain.funding.model import FundingPlan, Leg, Pot

Pockets: TypeAlias = Sequence[tuple[Pot, int]]
"""Pots in drawing order (`Pot.priority`, then id), each with the micros it may spend."""


def arrange(share: int, pockets: Pockets) -> FundingPlan:
    """Draw `share` micros of delivered care from the pots in their order; the rest is due.

    >>> arrange(8, [(Pot("a", "ana", "USD"), 5), (Pot("b", "ana", "USD"), 9)]).legs[1].amount
    3
    """
    return _draw(share, pockets, "posted")


def reserve(share: int, pockets: Pockets, *, must_serve: bool) -> FundingPlan:
    """Hold `share` micros for a request. Too little money refuses it, unless it is essential or an emergency."""
    plan = _draw(share, pockets, "held")
    if plan.due and not must_serve:
        raise Refused(
            "insufficient_funds",
            f"{plan.due} micros are missing",
            where="funding",
            next_step="Top up the wallet by the missing amount, then ask again.",
        )
    return plan


def _draw(share: int, pockets: Pockets, status: Literal["posted", "held"]) -> FundingPlan:
    wanted = rest = max(0, share)
    legs = []
    for pot, avail in pockets:
        if not rest:
            break
        taken = rest if rest < avail else avail
        if taken > 0:
            legs.append(Leg(pot.pocket, pot.id, taken, status))
            rest -= taken
    return FundingPlan(tuple(legs), rest, wanted - rest)
