"""What state is a payment in, and what may become of it?

A payment is asked of a rail (a card processor, a bank, a wallet of a phone) and moves outside of our books; what the
rail says of it is *news*. News may come late, twice, or in another order than they happened, and an answer may be lost:
then the payment is `unknown`, a state like any other, which ends when the rail is asked again by the same key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from drachm.domain.errors import InvalidMessage, ensure
from drachm.domain.money import MAX_AMOUNT, minor_unit

State = Literal["planned", "unknown", "waiting", "captured", "declined", "expired", "returned"]
Purpose = Literal["top_up", "arrears", "dues"]
STATES: Final[tuple[State, ...]] = ("planned", "unknown", "waiting", "captured", "declined", "expired", "returned")

NEXT: Final[Mapping[State, frozenset[State]]] = {
    # Decided here, not yet told to the rail.
    "planned": frozenset({"unknown", "waiting", "captured", "declined", "expired"}),
    # Told, and no answer came: it may have happened.
    "unknown": frozenset({"waiting", "captured", "declined", "expired"}),
    # The payer must do something: follow a link, scan a code, confirm.
    "waiting": frozenset({"captured", "declined", "expired"}),
    "captured": frozenset({"returned"}),
    "declined": frozenset(),
    # A payer may have paid in the last second, and a bank transfer may come after all.
    "expired": frozenset({"captured"}),
    # A dispute that the holder loses, a debit that bounces. Won back: captured again.
    "returned": frozenset({"captured"}),
}
"""What may follow each state; news that do not follow are old, and change nothing."""

OPEN: Final[frozenset[State]] = frozenset({"planned", "unknown", "waiting"})


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that shall come into one pot over one rail."""

    id: str
    """Ours; the rail's idempotency key too, so that asking twice asks once."""
    rail: str
    pot: str
    member: str
    """Who holds the pot, and pays."""
    amount: int
    """Micros, more than 0, a whole number of the currency's minor units: rails know no smaller ones."""
    currency: str
    begun_at: datetime
    state: State = "planned"
    reference: str = ""
    """The rail's name for it."""
    link: str = ""
    """Where the payer goes, or what the payer's phone scans; empty when nothing has to be done."""
    reason: str = ""
    """Why it was declined or returned, in a word of ours."""
    changed_at: datetime | None = None
    automatic: bool = False
    """Begun by a rule of the holder, not by the holder's hand."""
    told_by: str = ""
    """Which message of the rail captured it, where one message captures one payment (a line of a bank's statement)."""
    gone: int = 0
    """Micros of a captured payment that went back; 0 when they came again."""
    returns: int = 0
    """How often money went back: numbers the postings of it."""
    refunded: int = 0
    """Micros of it that were refunded, or are on their way back."""
    parties: tuple[str, ...] = ()
    """Who took it, or for whose care it was collected: providers that may see and refund it."""
    purpose: Purpose = "top_up"
    """Whether its money stays in the pot, makes good what the holder owes (`domain.payments.arrears`), or pays what is
    due of care: then the pot is the one for dues."""
    residue: int = 0
    """Micros that its collection carries over beyond what was carried before; below 0 it collects of them."""
    applied: bool = False
    """A collection's money went to the charges it was asked for."""


@dataclass(frozen=True, slots=True)
class News:
    """What a rail said of one payment."""

    state: State
    payment: str = ""
    """Our id, where the rail repeats it; else `reference` tells."""
    reference: str = ""
    amount: int | None = None
    """Micros that moved, or went back; None: the rail does not say, and all of it is meant."""
    currency: str = ""
    link: str = ""
    reason: str = ""
    told_by: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A means of payment that a rail keeps for a holder who allowed it: two names of the rail's, no number."""

    customer: str
    method: str


@dataclass(frozen=True, slots=True)
class CardKept:
    """What a rail says when a holder has left a card with it."""

    wish: str
    """Our id of the holder's wish."""
    card: Card


def planned(payment: Payment) -> Payment:
    """A new payment, if it can be. Raises `InvalidMessage`."""
    if not 0 < payment.amount <= MAX_AMOUNT:
        raise InvalidMessage("a payment is more than 0", where="amount", code="invalid_amount")
    unit = minor_unit(payment.currency)
    if payment.amount % unit:
        raise InvalidMessage(
            f"a rail pays whole {payment.currency} minor units of {unit} micros",
            where="amount",
            next_step="Round the amount; the rest stays in the books.",
            code="invalid_amount",
        )
    return payment


def told(payment: Payment, news: News, at: datetime) -> Payment:
    """The payment after the news; the same object when they say nothing new.

    Raises `IntegrityError` when the rail speaks of another amount: nothing may be booked on such news.
    """
    if news.state not in NEXT[payment.state]:
        return payment
    back = news.state == "returned"
    whole = payment.gone or payment.amount
    amount = whole if news.amount is None else news.amount
    ensure(0 < amount <= whole if back else amount == whole, "the rail moved another amount", where=payment.id)
    ensure(news.currency in ("", payment.currency), "the rail moved another currency", where=payment.id)
    return replace(
        payment,
        state=news.state,
        reference=news.reference or payment.reference,
        link=news.link if news.state == "waiting" else "",
        reason=news.reason,
        changed_at=at,
        told_by=news.told_by or payment.told_by,
        gone=amount if back else 0,
        returns=payment.returns + back,
    )
