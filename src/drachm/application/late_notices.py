"""What was paid by itself of care that was over? Asked of the journal, where each such payment is a row (`late_dues`).

So nothing has to be written down beside the payment, and nothing is forgotten by whoever dies behind it. What such a
row has among its agreed amounts that the row before it had not was paid by it; what the patient pays on purpose is
known to whoever does, and a payment that is taken back leaves nothing new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from drachm.application.follow import opened_body
from drachm.application.journal_index import Indexed, JournalIndex, Looked
from drachm.application.ports import Books
from drachm.application.shown_receipts import shown_receipts

PAID_LATE: Final = "paid_late"


class PaidLate(NamedTuple):
    """A payment by itself."""

    row: Indexed
    """Which row it is: of the charge that it paid."""
    amount: int
    """Micros, more than 0."""
    due: int
    """What is due of the charge still."""
    currency: str


def paid_late(rows: Sequence[Indexed], index: JournalIndex, books: Books) -> list[PaidLate]:
    """Which of some rows are payments by themselves, in order; whose content was erased is nobody's any more."""
    looked = [one for one in index.look([row.position for row in rows]) if _is_payment(one)]
    places = [one.stored.supersedes for one in looked if one.stored.supersedes is not None]
    known = {one.row.position: _by_itself(one) for one in index.look(places)}
    found = []
    for one in looked:
        before = known.get(one.stored.supersedes or 0, {})
        amount = sum(paid for name, paid in _by_itself(one).items() if name not in before)
        if amount:
            found.append((one, amount))
    shown = shown_receipts([one.stored for one, _ in found], books)
    return [
        PaidLate(one.row, amount, said.receipt.due, said.receipt.currency)
        for (one, amount), said in zip(found, shown, strict=True)
        if said is not None
    ]


def body_of(late: PaidLate) -> Mapping[str, Any]:
    """What is kept of it for the patient alone: sealed, and without a word of where or for what it was."""
    row = late.row
    return {
        "what": PAID_LATE,
        "amount": late.amount,
        "due": late.due,
        "currency": late.currency,
        "position": row.position,
        "key": row.key.hex(),
        "visit": row.visit,
        "provider": row.provider,
        "day": row.day.isoformat(),
    }


def _is_payment(looked: Looked) -> bool:
    body = opened_body(looked.stored)
    return body is not None and body.paying != 0


def _by_itself(looked: Looked) -> dict[str, int]:
    """What payments by themselves have paid of a charge, as a row leaves it; by payment."""
    body = opened_body(looked.stored)
    sums: dict[str, int] = {}
    for part in body.agreed if body is not None else ():
        if part.by_itself:
            sums[part.id] = sums.get(part.id, 0) + part.amount
    return sums
