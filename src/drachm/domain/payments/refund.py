"""How does money go back to whoever paid it? At most what came in, and never out of an empty pot.

A refund is a payment the other way round: the money is held in its pot first, then the rail is asked, then what was
held leaves the books or is let go. News of a rail may come late, twice or out of order, and an answer may be lost:
`unknown` is a state like any other, which ends when the rail is asked again by the same key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from drachm.domain.errors import Conflict, InvalidMessage, ensure
from drachm.domain.money import minor_unit
from drachm.domain.payments.model import Payment

RefundState = Literal["planned", "held", "unknown", "waiting", "done", "declined"]
REFUND_NEXT: Final[Mapping[RefundState, frozenset[RefundState]]] = {
    # Written down, and counted against the payment.
    "planned": frozenset({"held", "done", "declined"}),
    # The money waits in its pot.
    "held": frozenset({"unknown", "waiting", "done", "declined"}),
    # Told to the rail, and no answer came: it may have happened.
    "unknown": frozenset({"waiting", "done", "declined"}),
    # The rail has it and takes its time.
    "waiting": frozenset({"done", "declined"}),
    # A card that was closed meanwhile sends it back.
    "done": frozenset({"declined"}),
    "declined": frozenset(),
}
"""What may follow each state; news that do not follow are old, and change nothing."""
REFUND_OPEN: Final[frozenset[RefundState]] = frozenset({"planned", "held", "unknown", "waiting"})


@dataclass(frozen=True, slots=True)
class Refund:
    """Money of one payment that goes back to its source, or (`wallet`) into a wallet of its payer's."""

    id: str
    """Ours; the rail's idempotency key too, so that asking twice refunds once."""
    payment: str
    rail: str
    pot: str
    """Out of which it goes."""
    member: str
    amount: int
    """Micros, more than 0."""
    currency: str
    begun_at: datetime
    wallet: str = ""
    """The pot into which it goes instead of to the source; empty: to the source."""
    consent: str = ""
    """How its payer agreed to the wallet."""
    state: RefundState = "planned"
    reference: str = ""
    """The rail's name for it."""
    reason: str = ""
    """Why it was declined, in a word."""
    changed_at: datetime | None = None
    came_back: bool = False
    """It was done, and the source sent it back."""


@dataclass(frozen=True, slots=True)
class RefundNews:
    """What a rail said of one refund."""

    state: RefundState
    refund: str
    reference: str = ""
    amount: int | None = None
    """Micros that went back; None: the rail does not say, and all of it is meant."""
    reason: str = ""


def refundable(payment: Payment) -> int:
    """Micros of a payment that may still go back to its source: what was captured, less what went back already."""
    return payment.amount - payment.refunded if payment.state == "captured" else 0


def refund_planned(refund: Refund, payment: Payment) -> Payment:
    """The payment with the refund counted, if it can be.

    Raises `InvalidMessage` for no amount, or one that the rail has no coins for, and `Conflict`: `not_refundable` for a
    payment that has not come in, or went back; `refund_exceeds` for more than is left of it.
    """
    if refund.amount <= 0 or (not refund.wallet and refund.amount % minor_unit(refund.currency)):
        raise InvalidMessage("a refund is more than 0, in whole minor units", where="amount", code="invalid_amount")
    if payment.state != "captured":
        raise Conflict(
            f"this payment is {payment.state}: nothing of it can go back",
            where=f"payment {payment.id}",
            next_step="Wait until it is captured; one that was returned has gone back already.",
            code="not_refundable",
        )
    left = refundable(payment)
    if refund.amount > left:
        raise Conflict(
            f"{left} micros of this payment may still go back",
            where=f"payment {payment.id}",
            next_step="Refund at most that; what is more stays in, or goes to, a wallet of the payer's.",
            code="refund_exceeds",
        )
    return replace(payment, refunded=payment.refunded + refund.amount)


def refund_told(refund: Refund, news: RefundNews, at: datetime) -> Refund:
    """The refund after the news; the same object when they say nothing new.

    Raises `IntegrityError` when the rail speaks of another amount, or paid what it had declined.
    """
    paid_after_all = refund.state == "declined" and news.state == "done" and not refund.came_back
    ensure(not paid_after_all, "the rail paid a refund that it had declined", where=refund.id)
    if news.state not in REFUND_NEXT[refund.state]:
        return refund
    ensure(news.amount in (None, refund.amount), "the rail refunded another amount", where=refund.id)
    return replace(
        refund,
        state=news.state,
        reference=news.reference or refund.reference,
        reason=news.reason if news.state == "declined" else "",
        changed_at=at,
        came_back=refund.state == "done",
    )
