"""What a holder owes for payments that went back, and how it is made good: by a rail, or out of a wallet.

Until then the wallets of the holder's own money pay for nothing by themselves; what is due of care given meanwhile
stands with its charges.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.money_shapes import Sum, faulty, sum_of
from drachm.adapters.rest.service.payments import PaymentView, RailName, not_connected, payment_view
from drachm.adapters.rest.service.register_shapes import member_of_path
from drachm.adapters.rest.service.shapes import Currency, Money, Page, Shape, View, Word, known_currency
from drachm.adapters.rest.transport.identifiers import named_by
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.arrears import all_arrears, arrears_of, pay_from_pot
from drachm.application.payments import begin, carry_out
from drachm.domain.funding.model import Pot
from drachm.domain.money import minor_unit
from drachm.domain.payments.arrears import Arrears
from drachm.domain.payments.model import Payment

POTS_MAX = 1_000


class ArrearsView(View):
    """What is owed in one currency."""

    currency: Currency
    owed: Sum
    """0: nothing is owed any more."""
    frozen: list[str]
    """Wallets that pay for nothing by themselves until it is made good."""
    pay: str
    """What to do about it, in words."""
    rails: list[str]
    """By which it can be paid."""


class CureOrder(Shape):
    """Money that makes a debt good."""

    amount: Money
    """What is more than the debt goes into the wallet."""
    rail: RailName | None = None
    wallet: Annotated[Word | None, Meta(description="Instead of over a rail, out of this wallet.")] = None


class CureView(View):
    """What was paid, or is on its way."""

    payment: PaymentView | None
    """Over a rail."""
    paid: Sum
    """Out of a wallet."""
    owed: Sum
    """Still."""


@operation("list_arrears", answer=Page[ArrearsView])
def list_arrears(call: Call) -> Page[ArrearsView]:
    """What a member owes for payments that went back, in each currency in which any did."""
    member = member_of_path(call)
    return Page(data=[_view(call, one) for one in all_arrears(member, call.market.records)], next=None)


@operation(
    "pay_arrears",
    body=CureOrder,
    answer=CureView,
    status=201,
    problems=("unknown_rail", "rail_refused", "insufficient_funds", "nothing_owed", "conflict"),
)
def pay_arrears(call: Call) -> CureView:
    """Make a debt good; the wallets pay again as soon as nothing is owed. Once for one Idempotency-Key."""
    member, body = member_of_path(call), call.body
    amount = known_currency(body.amount, "/amount")
    records, desk = call.market.records, call.market.desk
    if (body.rail is None) == (body.wallet is None):
        raise faulty("", "a rail or a wallet, one of both")
    name = named_by("pay", call.caller.subject, "arrears", member, call.key)
    own = _own_pots(call, member, amount.currency)
    payment, paid = None, 0
    if body.wallet is not None:
        if body.wallet not in {pot.id for pot in own}:
            raise faulty("/wallet", "this is no wallet of the member's own money in this currency")
        if amount.micros <= 0:
            raise faulty("/amount/micros", "a payment is more than 0", "invalid_amount")
        paid = pay_from_pot(name, body.wallet, member, amount.currency, amount.micros, desk, records)
    else:
        payment = _over_rail(call, name, member, own, amount.micros, amount.currency, body.rail or "")
    return CureView(
        payment=payment_view(payment, call) if payment is not None else None,
        paid=sum_of(paid, amount.currency),
        owed=sum_of(max(0, arrears_of(member, amount.currency, records).owed), amount.currency),
    )


def _over_rail(call: Call, name: str, member: str, own: list[Pot], micros: int, currency: str, rail: str) -> Payment:
    if rail not in call.market.rails:
        raise not_connected(call)
    records, market = call.market.records, call.market
    if records.get("payment", name) is None:
        owed = arrears_of(member, currency, records).owed
        unit = minor_unit(currency)
        # Less than a minor unit cannot be sent: the smallest that covers the debt may be.
        if owed <= 0 or micros >= owed + unit or not own:
            raise Problem("nothing_owed", f"{max(0, owed)} micros are owed")
    wish = Payment(name, rail, own[0].id, member, micros, currency, call.at, purpose="arrears")
    begin(wish, records, author=call.caller.subject)
    return carry_out(name, market.rails, market.desk, records)


def _own_pots(call: Call, member: str, currency: str) -> list[Pot]:
    """The wallets of the member's own money, by id."""
    purses = call.market.money.purses(members=[member], limit=POTS_MAX)
    return [
        one.pot
        for one in purses
        if one.pot.member == member
        and one.pot.currency == currency
        and (one.pot.purpose is None or not one.pot.purpose.funder)
    ]


def _view(call: Call, arrears: Arrears) -> ArrearsView:
    pots = _own_pots(call, arrears.member, arrears.currency) if arrears.frozen else []
    pay = "A payment went back. Pay what is owed, by a rail or out of a wallet, and the wallets pay again."
    return ArrearsView(
        currency=arrears.currency,
        owed=sum_of(max(0, arrears.owed), arrears.currency),
        frozen=[pot.id for pot in pots if pot.frozen],
        pay=pay if arrears.frozen else "",
        rails=sorted(call.market.rails) if arrears.frozen else [],
    )
