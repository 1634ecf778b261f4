"""Which pocket pays how much of a patient's share?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from drachm.domain.errors import Refused
from drachm.domain.funding.model import Agreed, Leg, Pot

Pockets: TypeAlias = Sequence[tuple[Pot, int]]
"""Pots in drawing order (`drawing_order`, as far as no plan says otherwise), each with the micros it may spend."""

# As the class itself, but several times faster.
_new: Final = tuple.__new__


@dataclass(slots=True, init=False)
class FundingPlan:
    """How a patient's share is paid: legs in drawing order, and what no pocket covers. Nobody changes it."""

    legs: tuple[Leg, ...]
    """One for each pocket at most."""
    due: int
    """Owed by the patient after all pockets."""
    drawn: int
    """The sum of the legs."""
    withheld: int
    """What of the due a pocket could have covered, had the patient not wished to be asked first."""
    by: str
    """What withholds it (`mandate.Withholds`)."""

    # Written out because the one that is made takes four times as long.
    def __init__(
        self, legs: tuple[Leg, ...] = (), due: int = 0, drawn: int = 0, withheld: int = 0, by: str = ""
    ) -> None:
        self.legs = legs
        self.due = due
        self.drawn = drawn
        self.withheld = withheld
        self.by = by


UNFUNDED = FundingPlan()
"""No share, no legs, nothing due."""


class AsksFirst(Refused):
    """A request would pass a budget of the patient, or a rule wants the patient's yes."""

    def __init__(self, withheld: int, by: str) -> None:
        super().__init__(
            "asks_first",
            f"{withheld} micros wait for the patient's yes",
            where="funding",
            next_step="Ask the patient, who can raise the budget or change the rule; then ask again.",
        )
        self.withheld = withheld
        """Micros."""
        self.by = by
        """What withholds them (`mandate.Withholds`)."""


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


def withhold(plan: FundingPlan, withheld: int, by: str) -> FundingPlan:
    """The same plan where so much more of the share was never asked of the pockets."""
    return FundingPlan(plan.legs, plan.due + withheld, plan.drawn, withheld, by)


def settle(plan: FundingPlan, agreed: Sequence[Agreed]) -> tuple[FundingPlan, tuple[Agreed, ...]]:
    """The plan with what the patient agreed to pay of what is due, in its order, never more; and how much that is.

    >>> settle(FundingPlan((), 9), [Agreed("p1", "a", "wallet", 4), Agreed("p2", "b", "wallet", 7)])[0].due
    0
    """
    due, paid, amounts = plan.due, [], {leg.lot: leg for leg in plan.legs}
    for one in agreed:
        amount = min(one.amount, due)
        if amount <= 0:
            continue
        due -= amount
        paid.append(one._replace(amount=amount))
        leg = amounts.get(one.pot)
        amounts[one.pot] = Leg(one.pocket, one.pot, amount) if leg is None else leg._replace(amount=leg.amount + amount)
    withheld = min(plan.withheld, due)
    funding = FundingPlan(
        tuple(amounts.values()), due, plan.drawn + plan.due - due, withheld, plan.by if withheld else ""
    )
    return funding, tuple(paid)


def by_itself(legs: Sequence[Leg], agreed: Sequence[Agreed]) -> Sequence[Leg]:
    """The legs without what the patient agreed to of them."""
    if not agreed:
        return legs
    on_purpose: dict[str, int] = {}
    for one in agreed:
        on_purpose[one.pot] = on_purpose.get(one.pot, 0) + one.amount
    return [leg._replace(amount=leg.amount - on_purpose.get(leg.lot, 0)) for leg in legs]


def affordable(agreed: Sequence[Agreed], plan: FundingPlan, pockets: Pockets) -> list[Agreed]:
    """What was agreed on before, as far as the pockets still hold it once the plan has drawn on them."""
    left = {pot.id: avail for pot, avail in pockets}
    for leg in plan.legs:
        left[leg.lot] -= leg.amount
    found = []
    for one in agreed:
        amount = min(one.amount, left.get(one.pot, 0))
        if amount > 0:
            left[one.pot] -= amount
            found.append(one._replace(amount=amount))
    return found


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
    return FundingPlan(tuple(legs), rest, wanted - rest)
