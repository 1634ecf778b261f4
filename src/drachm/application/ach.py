"""What becomes of a debit that the payer's bank sent back? Its payment is heard of, once for each return.

Files come twice and overlap; a return counts once, by its own id. One that no payment explains is kept and shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from drachm.application.bank import RAIL
from drachm.application.desk import Desk
from drachm.application.payments import KIND as PAYMENT
from drachm.application.payments import hear, payment_of
from drachm.application.records import Record, Records
from drachm.domain.errors import Conflict
from drachm.domain.payments.ach import AchReturn
from drachm.domain.payments.model import OPEN, News, Payment

RETURN: Final = "ach_return"
AchEnd = Literal["returned", "declined", "unexplained"]


def hear_returns(returns: Iterable[AchReturn], desk: Desk, records: Records) -> list[tuple[AchReturn, AchEnd]]:
    """Hear what a file says; returns that were heard before end as they did then."""
    return [(one, _heard(one, desk, records)) for one in returns]


def _heard(one: AchReturn, desk: Desk, records: Records) -> AchEnd:
    record = records.get(RETURN, one.id)
    if record is None:
        end = _ended(one, desk, records)
        body = {**msgspec.to_builtins(one), "end": end}
        try:
            records.put([Record(RETURN, one.id, body, terms=frozenset({f"end={end}"}))])
            return end
        except Conflict:
            # Another reader of the same file was here: what it heard changes nothing when it is heard again.
            record = records.get(RETURN, one.id)
    known: AchEnd = record.body["end"] if record is not None else "unexplained"
    return known


def _ended(one: AchReturn, desk: Desk, records: Records) -> AchEnd:
    payment = _meant(one, records)
    if payment is None or not one.debit or one.dispute or one.amount != payment.amount or payment.currency != "USD":
        return "unexplained"
    if payment.state in OPEN:
        hear(News("declined", payment.id, reason=one.reason), RAIL, desk, records)
        return "declined"
    hear(News("returned", payment.id, amount=one.amount, reason=one.reason), RAIL, desk, records)
    return "returned"


def _meant(one: AchReturn, records: Records) -> Payment | None:
    if not one.identification:
        return None
    found = records.find(PAYMENT, terms=[f"ach={one.identification}"], limit=2)
    return payment_of(found[0]) if len(found) == 1 else None
