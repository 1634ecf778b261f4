"""What stands on a slip of paper? One visit in words that can lie on a table: no service, no diagnosis, no name.

Parts are called by the hour at which the care was: whoever was there knows which is which, and nobody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from drachm.adapters.rest.service.charge_views import Visit, VisitTotal
from drachm.adapters.rest.service.house import Market
from drachm.adapters.rest.service.journal_reading import find_charge, receipts_of
from drachm.adapters.rest.service.page_bar import Bar, bar_of
from drachm.adapters.rest.service.page_words import Amount, said
from drachm.adapters.rest.service.speech import gettext
from drachm.domain.receipts.model import Receipt


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of care."""

    when: datetime
    amount: Amount
    """The patient's part of it."""
    what: str
    """In plain words: never on paper."""


@dataclass(frozen=True, slots=True)
class SlipView:
    """A visit on paper, in one currency."""

    lead: str
    amount: Amount
    answer: str
    """What to do now."""
    bar: Bar | None
    insurance: Amount
    paid: Amount
    due: Amount
    price: Amount
    parts: Sequence[Part]
    pockets: Sequence[tuple[str, Amount]]
    """From where it was paid."""
    final: bool
    """No insurer has still to answer, and nothing waits."""


def slip_of(market: Market, visit: Visit, total: VisitTotal, zone: tzinfo) -> SlipView:
    """The slip of what a visit came to in one currency."""
    currency, amounts = total.currency, total.amounts
    paid, due, insurance = amounts.paid.micros, amounts.due.micros, amounts.payers.micros
    receipts = _receipts(market, visit, currency)
    waiting = not visit.complete or any(receipt.provisional for receipt, _ in receipts)
    lead, shown = _lead(paid, due, waiting)
    shares = [("insurance", insurance), ("you", paid), ("due", due)]
    price = insurance + paid + due
    words = said(
        gettext("Of {price}: insurance {insurance}, you {you}."),
        price=Amount(price, currency),
        insurance=Amount(insurance, currency),
        you=Amount(paid + due, currency),
    )
    pockets: dict[str, int] = {}
    for receipt, _ in receipts:
        for part in receipt.parts:
            if part.bearer == "patient" and part.who and part.amount:
                pockets[part.who] = pockets.get(part.who, 0) + part.amount
    return SlipView(
        lead=lead,
        amount=Amount(shown, currency),
        answer=_answer(due, waiting),
        bar=bar_of(shares, words.striptags()) if price > 0 and min(insurance, paid, due) >= 0 else None,
        insurance=Amount(insurance, currency),
        paid=Amount(paid, currency),
        due=Amount(due, currency),
        price=Amount(price, currency),
        parts=[
            Part(at.astimezone(zone), Amount(receipt.patient, currency), receipt.display) for receipt, at in receipts
        ],
        pockets=[(pot, Amount(micros, currency)) for pot, micros in pockets.items()],
        final=not waiting,
    )


def _receipts(market: Market, visit: Visit, currency: str) -> list[tuple[Receipt, datetime]]:
    """Receipts of the charges that stand, with when the care was, oldest first."""
    looked = [find_charge(market, charge.id) for charge in visit.items if charge.state == "standing"]
    shown = receipts_of(market, [one for one in looked if one is not None])
    found = [
        (one.receipt, one.recalled.body.event.started_at)
        for one in shown
        if one is not None and one.recalled.body.event is not None and one.receipt.currency == currency
    ]
    return sorted(found, key=lambda pair: pair[1])


def _lead(paid: int, due: int, waiting: bool) -> tuple[str, int]:
    if waiting:
        return gettext("Your part so far"), paid + due
    return (gettext("Please pay"), due) if due > 0 else (gettext("You paid"), paid)


def _answer(due: int, waiting: bool) -> str:
    if waiting:
        return gettext("Nothing to pay yet. We tell you once it is settled.")
    if due > 0:
        return gettext("You can pay here at the window, in cash too.")
    return gettext("Nothing more to pay")
