"""Who may give the money of a charge back, and how much? One proposes with a reason and a limit, another agrees, once.

Nothing here posts: what comes back is the difference between what stands for the event and what stands afterwards, so
it returns to the pots and payers that gave it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from drachm.domain.errors import Conflict, Forbidden, InvalidMessage
from drachm.domain.money import MAX_AMOUNT

Reason = Literal["not_given", "wrong_person", "sent_twice", "wrong_price", "goodwill"]
WHOLE_ONLY: Final = frozenset({"not_given", "wrong_person", "sent_twice"})
"""Reasons after which nothing of the charge can stand."""
State = Literal["proposed", "withdrawn", "agreed", "done", "waiting", "failed"]


@dataclass(frozen=True, slots=True)
class GivingBack:
    """Money of one charge that shall go back. Amounts are micros of `currency`."""

    id: str
    proposed_by: str
    proposed_at: datetime
    reason: Reason
    currency: str
    most: int
    """The limit: no more than this goes back, to patient and payers together."""
    price: int | None = None
    """What the line shall cost instead; None: the charge is taken back whole."""
    agreed_by: str = ""
    agreed_at: datetime | None = None
    withdrawn_by: str = ""
    withdrawn_at: datetime | None = None
    outcome: Literal["", "done", "waiting", "failed"] = ""
    """What became of it in the books once agreed; `waiting` stands in the work queue."""

    @property
    def open(self) -> bool:
        """Whether it still stands in the way of another one for the same charge."""
        return self.withdrawn_at is None and not self.outcome

    @property
    def state(self) -> State:
        if self.withdrawn_at is not None:
            return "withdrawn"
        if self.agreed_at is None:
            return "proposed"
        return self.outcome or "agreed"


def proposed(wish: GivingBack, back: int) -> GivingBack:
    """The wish, if it can be one. `back`: what would go back as things stand.

    Raises InvalidMessage for a price that does not fit the reason or lowers nothing, and for a limit below `back`.
    """
    if wish.price is not None and wish.reason in WHOLE_ONLY:
        raise InvalidMessage("for this reason the whole charge is taken back", where="price", code="invalid_refund")
    if wish.price is not None and not 0 <= wish.price <= MAX_AMOUNT:
        raise InvalidMessage("a price is 0 or more", where="price", code="invalid_refund")
    if back <= 0:
        raise InvalidMessage("this gives nothing back", where="price", code="invalid_refund")
    within(wish, back)
    return wish


def agreed(wish: GivingBack, by: str, at: datetime, back: int) -> GivingBack:
    """The wish with a second person's consent.

    Raises Forbidden for who proposed it, Conflict when it is too late or more than the limit would go back.
    """
    if wish.withdrawn_at is not None:
        raise Conflict("this refund was withdrawn", where="refund_id", next_step="Propose it anew.")
    if wish.agreed_at is not None:
        raise Conflict("this refund was agreed to already", where="refund_id", next_step="Read what became of it.")
    if not by or by == wish.proposed_by:
        raise Forbidden("whoever proposed a refund does not agree to it", where="refund_id")
    within(wish, back)
    return replace(wish, agreed_by=by, agreed_at=at)


def withdrawn(wish: GivingBack, by: str, at: datetime) -> GivingBack:
    """The wish, stopped; one person is enough. Raises Conflict once somebody agreed."""
    if wish.withdrawn_at is not None:
        raise Conflict("this refund was withdrawn already", where="refund_id")
    if wish.agreed_at is not None:
        raise Conflict("this refund was agreed to already", where="refund_id", next_step="Read what became of it.")
    return replace(wish, withdrawn_by=by, withdrawn_at=at)


def within(wish: GivingBack, back: int) -> None:
    """Raises Conflict (`over_the_limit`) when more would go back than was said."""
    if back > wish.most:
        raise Conflict(
            "more would go back than the limit says",
            where="most",
            next_step="Propose it with a limit that holds it, or for less.",
            code="over_the_limit",
        )
