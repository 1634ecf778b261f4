"""Which pocket pays how much of a patient's share?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

from drachm.domain.errors import Refused
from drachm.domain.funding.model import FundingPlan, Leg, Pot

Pockets: TypeAlias = Sequence[tuple[Pot, int]]
"""Pots in drawing order (`drawing_order`, as far as no plan says otherwise), each with the micros it may spend."""

# As the class itself, but several times faster.
_new: Final = tuple.__new__


class TooLittle(Refused):
    """The pots hold too little for a request."""

    def __init__(self, missing: int, pots: Sequence[Pot], legs: Sequence[Leg] = ()) -> None:
        super().__init__(
            "insufficient_funds",
            f"{missing} micros are missing",
            where="funding",
            next_step="Top up the wallet by the missing amount, then ask again.",
        )
        self.missing = missing
        """Micros."""
        self.pots = pots
        """Those that were asked."""
        self.legs = legs
        """What they could have given."""


def arrange(share: int, pockets: Pockets) -> FundingPlan:
    """Draw `share` micros of delivered care from the pots in their order; the rest is due.

    >>> arrange(8, [(Pot("a", "ana", "USD"), 5), (Pot("b", "ana", "USD"), 9)]).legs[1].amount
    3
    """
    return _draw(share, pockets, "posted")


def reserve(share: int, pockets: Pockets, *, must_serve: bool) -> FundingPlan:
    """Hold `share` micros for a request. Too little money refuses it, unless it is essential or an emergency.

    Raises `TooLittle`.
    """
    plan = _draw(share, pockets, "held")
    if plan.due and not must_serve:
        raise TooLittle(plan.due, [pot for pot, _ in pockets], plan.legs)
    return plan


def _draw(share: int, pockets: Pockets, status: Literal["posted", "held"]) -> FundingPlan:
    wanted = rest = max(0, share)
    legs = []
    for pot, avail in pockets:
        if not rest:
            break
        taken = rest if rest < avail else avail
        if taken > 0:
            legs.append(_new(Leg, (pot.pocket, pot.id, taken, status)))
            rest -= taken
    return _new(FundingPlan, (tuple(legs), rest, wanted - rest))
