"""Who may pay money back in cash, how much, and to whom? One proposes, another agrees, a clerk hands it out of the box.

Cash goes out only for what came in as cash at a window of the same clinic: never more than was paid there, never what
came by a card (whose rail takes it back itself). With consent of whoever holds the wallet, or because a charge was
given back: then at most what that gave back to the wallet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from drachm.domain.errors import Conflict, Forbidden, InvalidMessage
from drachm.domain.money import minor_unit, plain
from drachm.domain.payments.model import Payment
from drachm.domain.payments.refund import refundable

State = Literal["proposed", "withdrawn", "agreed", "ready", "paid", "failed"]


@dataclass(frozen=True, slots=True)
class CashRefund:
    """Money of a wallet that its holder shall have in cash. The amount is micros of `currency`."""

    id: str
    party: str
    """The clinic at whose windows it came in and goes out."""
    pot: str
    member: str
    currency: str
    amount: int
    proposed_by: str
    proposed_at: datetime
    consent: str = ""
    """How its holder said yes."""
    charge_refund: str = ""
    """The refund of a charge that gave it back to the wallet."""
    parts: tuple[tuple[str, int], ...] = ()
    """(payment, micros) of which it is made, once agreed to."""
    agreed_by: str = ""
    agreed_at: datetime | None = None
    withdrawn_by: str = ""
    withdrawn_at: datetime | None = None
    outcome: Literal["", "ready", "failed"] = ""
    """Once agreed: the money is held in its wallet, or the wallet holds too little."""
    shift: str = ""
    """Out of whose box it was handed."""
    paid_by: str = ""
    paid_at: datetime | None = None

    @property
    def state(self) -> State:
        if self.withdrawn_at is not None:
            return "withdrawn"
        if self.paid_at is not None:
            return "paid"
        if self.agreed_at is None:
            return "proposed"
        return self.outcome or "agreed"

    @property
    def counts(self) -> bool:
        """Whether it stands against the payments and the refund that it is made of."""
        return self.state in ("agreed", "ready", "paid")


def proposed(wish: CashRefund, payments: Sequence[Payment], left: int | None) -> CashRefund:
    """The wish, if it can be one. `left`: what of the named refund of a charge was not handed out yet.

    Raises InvalidMessage for no amount, or coins that there are none of, and for want of consent (`invalid_refund`);
    Conflict (`refund_exceeds`) for more than came in as cash, or than the charge's refund gave back.
    """
    if wish.amount <= 0 or wish.amount % minor_unit(wish.currency):
        raise InvalidMessage(
            f"cash is more than 0, in whole minor units of {wish.currency}", where="amount", code="invalid_amount"
        )
    if not wish.consent and not wish.charge_refund:
        raise InvalidMessage(
            "money of a wallet is handed out with its holder's consent",
            where="consent",
            next_step="Write down when and how they said yes, or name the refund of a charge that it comes from.",
            code="invalid_refund",
        )
    parts_of(wish, payments, left)
    return wish


def agreed(wish: CashRefund, by: str, at: datetime, payments: Sequence[Payment], left: int | None) -> CashRefund:
    """With a second person's consent. Raises Forbidden for who proposed it, Conflict when too late or too much."""
    if wish.state != "proposed":
        raise _already(wish)
    if not by or by == wish.proposed_by:
        raise Forbidden("whoever proposed a refund does not agree to it", where="refund_id")
    return replace(wish, agreed_by=by, agreed_at=at, parts=parts_of(wish, payments, left))


def withdrawn(wish: CashRefund, by: str, at: datetime) -> CashRefund:
    """Stopped before the cash was handed out; one person is enough. Raises Conflict when it is too late."""
    if wish.state not in ("proposed", "ready"):
        raise _already(wish)
    return replace(wish, withdrawn_by=by, withdrawn_at=at)


def paid(wish: CashRefund, shift: str, by: str, at: datetime) -> CashRefund:
    """Handed out. Raises Conflict while nobody agreed, or when somebody handed it out before (`refund_paid`)."""
    if wish.state == "paid":
        raise Conflict(
            "this refund was handed out already",
            where="refund_id",
            next_step="Hand out nothing; read in which shift it was.",
            code="refund_paid",
        )
    if wish.state != "ready":
        raise Conflict(
            f"this refund is {wish.state}: there is nothing to hand out",
            where="refund_id",
            next_step="A second person agrees first.",
            code="refund_not_ready",
        )
    return replace(wish, shift=shift, paid_by=by, paid_at=at)


def parts_of(wish: CashRefund, payments: Sequence[Payment], left: int | None) -> tuple[tuple[str, int], ...]:
    """Which payments give how much of it, the newest first. Raises Conflict (`refund_exceeds`)."""
    parts, missing = [], wish.amount if left is None else min(wish.amount, left)
    short = wish.amount - missing
    for payment in sorted(payments, key=lambda one: (one.begun_at, one.id), reverse=True):
        part = min(missing, refundable(payment))
        if part > 0:
            parts.append((payment.id, part))
            missing -= part
    if short:
        raise Conflict(
            "less than this was given back to the wallet",
            where="amount",
            next_step="Hand out less; the rest was handed out before.",
            code="refund_exceeds",
        )
    if missing:
        cash = f"{plain(wish.amount - missing, wish.currency)} {wish.currency}"
        raise Conflict(
            "less than this came in as cash here",
            where="amount",
            next_step=f"Hand out at most {cash}. What came by card goes back to the card, when its holder asks for it; "
            "what came by bank is in no box: it stays in the wallet and pays for care at every clinic.",
            code="refund_exceeds",
        )
    return tuple(parts)


def _already(wish: CashRefund) -> Conflict:
    return Conflict(f"this refund is {wish.state} already", where="refund_id", next_step="Read what became of it.")
