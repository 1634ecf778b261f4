"""A patient pays what is due of a charge, from wallets of the patient's own choice."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.journal_reading import charge_of_path, name_of
from drachm.adapters.rest.service.money_shapes import ensure_currency, faulty
from drachm.adapters.rest.service.names import row_name
from drachm.adapters.rest.service.shapes import Money, Name, Shape, View, money
from drachm.adapters.rest.transport.identifiers import named_by
from drachm.application.journal_index import Looked
from drachm.application.pay_due import POCKETS_MAX, Paid, Yes, pay_due
from drachm.application.recall import kept_of
from drachm.domain.errors import Conflict
from drachm.domain.funding.allotment import fund_named
from drachm.domain.funding.model import Agreed


class ChargePaymentOrder(Shape):
    """What to pay of what is due."""

    amount: Money | None = None
    """At most what is due; null: all of it."""
    wallets: Annotated[list[Name], Meta(max_length=POCKETS_MAX)] = field(default_factory=list)
    """From which to draw, in order; none: the patient's own order."""


class WalletShare(View):
    """What one wallet paid."""

    wallet: str
    pocket: str
    """Its kind."""
    amount: Money


class ChargePaymentView(View):
    """A payment that is booked."""

    id: str
    charge: str
    receipt: str
    """The receipt that the charge has since."""
    amount: Money
    parts: list[WalletShare]
    due: Money
    """What is due still."""


@operation(
    "pay_charge",
    body=ChargePaymentOrder,
    answer=ChargePaymentView,
    status=201,
    problems=("nothing_due", "less_due", "insufficient_funds"),
)
def pay_charge(call: Call) -> ChargePaymentView:
    """Pay it, whole or not at all, once for each Idempotency-Key; never more than is due."""
    body: ChargePaymentOrder = call.body
    looked, _ = charge_of_path(call)
    currency = _currency(looked)
    amount = body.amount
    if amount is not None:
        ensure_currency(amount, currency, "/amount", "the charge")
        if amount.micros <= 0:
            raise faulty("/amount/micros", "a payment is more than 0", "invalid_money")
    name = named_by("pay", call.caller.subject, call.path["charge_id"], call.key)
    order = Yes(name, looked.row.key, amount.micros if amount is not None else None, body.wallets)
    return _view(name, looked, pay_due(order, call.market.desk), currency)


def _currency(looked: Looked) -> str:
    kept = kept_of(looked.stored)
    event = kept.body.event if kept is not None else None
    if event is None:
        raise Conflict("the content of this charge was erased", where="charge_id", next_step="Nothing can be done.")
    return event.currency


def _view(name: str, looked: Looked, paid: Paid, currency: str) -> ChargePaymentView:
    return ChargePaymentView(
        id=name,
        charge=name_of(looked.row, "chg"),
        receipt=row_name("rcp", paid.position, looked.row.key),
        amount=money(paid.amount, currency),
        parts=[_share(one, currency) for one in paid.parts],
        due=money(paid.due, currency),
    )


def _share(part: Agreed, currency: str) -> WalletShare:
    return WalletShare(wallet=fund_named(part.pot) or part.pot, pocket=part.pocket, amount=money(part.amount, currency))
