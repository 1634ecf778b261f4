"""How does a holder get out what is left in a wallet? The way it came in: back to whatever filled it.

The newest payment first, each at most by what is left of it; so nothing ever goes to somebody who did not pay, and no
account number is asked for. What came by a way that takes nothing back stays (docs/decisions/0027).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from drachm.application.desk import Desk
from drachm.application.payments import KIND as PAYMENT
from drachm.application.payments import payment_of
from drachm.application.rails import Rail
from drachm.application.records import Record, Records
from drachm.application.refunds import begin_refund, carry_out_refund
from drachm.domain.errors import Conflict
from drachm.domain.money import minor_unit
from drachm.domain.payments.model import Payment
from drachm.domain.payments.refund import Refund, refundable

KIND: Final = "payout_plan"
PAYMENTS_MAX: Final = 1_000
"""Of a pot, as many as are looked at."""


def pay_out(
    id: str, pot: str, member: str, amount: int, rails: Mapping[str, Rail], desk: Desk, records: Records, *, author: str
) -> list[Refund]:
    """Send `amount` micros of a pot back, or as much of it as can go back; what became of each part.

    The same id again carries on by the plan that was made at first. Raises `Conflict` for another amount under it.
    """
    done = []
    for number, (payment, part) in enumerate(_plan(id, pot, member, amount, rails, records, author)):
        name = f"{id}-{number}"
        refund = Refund(name, payment.id, payment.rail, pot, payment.member, part, payment.currency, desk.clock.now())
        try:
            begin_refund(refund, records, author=author)
        except Conflict as error:
            if error.code not in ("refund_exceeds", "not_refundable"):
                raise
            continue  # Somebody else sent it back meanwhile, or the payer took it back.
        done.append(carry_out_refund(name, rails, desk, records))
    return done


def _plan(
    id: str, pot: str, member: str, amount: int, rails: Mapping[str, Rail], records: Records, author: str
) -> list[tuple[Payment, int]]:
    """Which payments give back how much, as it was decided when this id came first."""
    kept = records.get(KIND, id)
    if kept is None:
        parts = _parts(pot, amount, rails, records)
        body = {"amount": amount, "pot": pot, "parts": [[payment.id, part] for payment, part in parts]}
        try:
            records.put([Record(KIND, id, body, members=frozenset({member}), author=author)])
            return parts
        except Conflict:
            kept = records.get(KIND, id)
    if kept is None or (kept.body["amount"], kept.body["pot"]) != (amount, pot):
        raise Conflict("another payout has this id", where=f"payout {id}")
    found = [(records.get(PAYMENT, name), int(part)) for name, part in kept.body["parts"]]
    return [(payment_of(record), part) for record, part in found if record is not None]


def _parts(pot: str, amount: int, rails: Mapping[str, Rail], records: Records) -> list[tuple[Payment, int]]:
    found = [
        payment_of(one) for one in records.find(PAYMENT, terms=[f"pot={pot}", "state=captured"], limit=PAYMENTS_MAX)
    ]
    able = [one for one in found if hasattr(rails.get(one.rail), "refund")]
    plan, missing = [], amount
    for payment in sorted(able, key=lambda one: (one.begun_at, one.id), reverse=True):
        part = min(missing, refundable(payment))
        part -= part % minor_unit(payment.currency)
        if part > 0:
            plan.append((payment, part))
            missing -= part
    return plan
